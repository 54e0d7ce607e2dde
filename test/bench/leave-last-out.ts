import { EvaluateRequest, EvaluationProtocol, HoldoutSplit } from '../../proto/gen/accrete/v1/evaluation.ts';
import { type Found, find100k, findMovieLensSmall } from '../data.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import type { Report, Target } from './report.ts';
import { DEFAULT_MODEL, requireConfigHash, SHIPPED, withServer } from './server.ts';

/**
 * Each user's last rating, ranked among all items that the user has not rated, by models that learned the others: what the
 * server's own Evaluate says. A ranking is asked for as of the time of that rating, by models that also learned what others
 * rated later.
 */

interface Case {
  readonly set: string;
  readonly find: () => Found;
  readonly rating: { readonly min: number; readonly max: number };
  /** Of the default model. */
  readonly hitRate?: Target;
}

const CASES: readonly Case[] = [
  { set: 'ml-100k', find: find100k, rating: { min: 1, max: 5 }, hitRate: { atLeast: 0.21 } },
  {
    set: 'ml-latest-small',
    find: findMovieLensSmall,
    rating: { min: 0.5, max: 5 },
  },
];
const METRICS = ['hit_rate@10', 'ndcg@10'];
const BATCH = 1000;
const IN_FLIGHT = 8;

export async function benchLeaveLastOut(report: Report): Promise<void> {
  for (const each of CASES) {
    report.heading(`Leave-last-out on ${each.set}: Evaluate HOLDOUT, ranked among all items`);
    const { skip, ratings } = each.find();
    if (!ratings) report.note(String(skip));
    else {
      await withServer({ rating: each.rating, evaluation: { rankEvery: 0 } }, async (server) => {
        await rateAll(server.client, encodeRatings(ratings, { batch: BATCH }), IN_FLIGHT);
        await measure(report, server, each);
      });
    }
  }
}

async function measure(report: Report, server: ServerProcess, { set, hitRate }: Case): Promise<void> {
  const request = EvaluateRequest.fromPartial({
    protocol: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT,
    holdout: { split: HoldoutSplit.HOLDOUT_SPLIT_LEAVE_LAST_OUT },
    models: SHIPPED.map(({ name }) => name),
    metrics: METRICS,
  });
  const { rows, failures } = await server.client.evaluate(request);
  if (failures.length > 0) throw new Error(`${failures[0].model} cannot be measured: ${failures[0].reason}`);
  for (const { model, metric, value, lower, upper } of rows.filter(({ segment }) => segment === '')) {
    report.add({
      part: `leave-last-out ${set}`,
      name: `${model} ${metric}`,
      value,
      unit: '',
      interval: lower === undefined || upper === undefined ? undefined : [lower, upper],
      target: model === DEFAULT_MODEL && metric === METRICS[0] ? hitRate : undefined,
      configHash: await requireConfigHash(server, model),
    });
  }
}
