import { EvaluationProtocol, HoldoutSplit } from '../../proto/gen/accrete/v1/evaluation.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { choose, find1mHalf, find100k, findMovieLensSmall, type Ratings } from '../data.ts';
import { type Ranked, RankFigures } from '../evaluation/ranks.ts';
import type { Client } from '../support/client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { findMissingImplicit, lastOfEach, runImplicit } from './implicit-models.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import type { Report, Target } from './report.ts';
import { readCpuTimes, requireConfigHash, withServer } from './server.ts';

/**
 * What each user rated last, ranked among all items by models that learned the rest: those of `mf` for what users do, online
 * alone (HOLDOUT) and after a refit (what Recommend answers), beside those of the library implicit.
 */

const LIST = 10;

const mf = (name: string, config: Record<string, unknown>) => ({ name, plugin: 'mf', config });
/** `ials-still` knows no times, as implicit: all that a user did counts alike when items are ranked. */
const REFITTED = [
  mf('ials', { objective: 'ials' }),
  mf('ials-still', { objective: 'ials', ials: { decay: 1, window: 1000 } }),
  mf('bpr', { objective: 'bpr' }),
  mf('warp', { objective: 'warp' }),
];
const MODELS = [...REFITTED, mf('mf', {}), { name: 'popularity', plugin: 'popularity', config: {} }];

const CASES = [
  { set: 'ml-100k', find: find100k, rating: { min: 1, max: 5 } },
  {
    set: 'ml-latest-small',
    find: findMovieLensSmall,
    rating: { min: 0.5, max: 5 },
  },
  { set: 'ml-1m, timed half', find: find1mHalf, rating: { min: 1, max: 5 } },
];

type Figures = Readonly<Record<string, Pick<Ranked, 'hitRate' | 'ndcg'> & { readonly seconds?: number }>>;

export async function benchImplicit(report: Report): Promise<void> {
  await benchSpeed(report);
  const missing = findMissingImplicit();
  if (missing) report.note(missing);
  for (const { set, find, rating } of CASES) {
    report.heading(`What each user of ${set} rated last, ranked among all items`);
    const { skip, ratings } = find();
    if (!ratings) {
      report.note(String(skip));
      continue;
    }
    const tell = (who: string, figures: Figures, targets: Readonly<Record<string, Target>> = {}) => {
      const part = `implicit ${set}`;
      for (const [model, { hitRate, ndcg, seconds }] of Object.entries(figures)) {
        const name = `${who} ${model}`;
        const target = targets[model];
        report.add({ part, name: `${name}: hit rate at ${LIST}`, value: hitRate, unit: '', target });
        report.add({ part, name: `${name}: NDCG at ${LIST}`, value: ndcg, unit: '' });
        if (seconds !== undefined)
          report.add({ part, name: `${name}: seconds of learning`, value: seconds, unit: 's' });
      }
      return Math.max(0, ...Object.values(figures).map(({ hitRate }) => hitRate));
    };
    const best = tell('implicit', missing ? {} : runImplicit(ratings));
    tell('online', await withServer(configOf(rating), (server) => evaluate(server, ratings)));
    await withServer(configOf(rating), async (server) => {
      for await (const figures of refitAll(report, server, ratings))
        tell('refitted', figures, { ials: { atLeast: best } });
    });
  }
}

/** What an event costs the learner's thread, where there is no other model. */
async function benchSpeed(report: Report): Promise<void> {
  report.heading('ials alone on ml-100k');
  const { skip, ratings } = find100k();
  if (!ratings) return report.note(String(skip));
  for (const k of [32, 64]) {
    const models = [mf('ials', { objective: 'ials', k })];
    await withServer({ models, defaultModel: 'ials', evaluation: { rankEvery: 0 } }, async (server) => {
      const before = readCpuTimes(server).learner;
      await rateAll(server.client, encodeRatings(ratings, { batch: 1000 }), 8);
      const value = ratings.count / (readCpuTimes(server).learner - before);
      const name = `k=${k}: events a second of the learner's thread`;
      const configHash = await requireConfigHash(server, 'ials');
      report.add({ part: 'implicit speed', name, value, unit: '', target: { atLeast: 10_000 }, configHash });
    });
  }
}

const configOf = (rating: ConfigInput['rating']): ConfigInput => ({
  models: MODELS,
  defaultModel: 'ials',
  rating,
  evaluation: { rankEvery: 10 },
});

async function evaluate({ client }: ServerProcess, ratings: Ratings): Promise<Figures> {
  await rateAll(client, encodeRatings(ratings, { batch: 1000 }), 8);
  const { rows } = await client.evaluate({
    protocol: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT,
    models: MODELS.map(({ name }) => name),
    metrics: [`hit_rate@${LIST}`, `ndcg@${LIST}`],
    holdout: { split: HoldoutSplit.HOLDOUT_SPLIT_LEAVE_LAST_OUT },
  });
  const of = (model: string, metric: string) =>
    rows.find((row) => row.model === model && row.metric === `${metric}@${LIST}` && row.segment === '')?.value ??
    Number.NaN;
  return Object.fromEntries(
    MODELS.map(({ name }) => [name, { hitRate: of(name, 'hit_rate'), ndcg: of(name, 'ndcg') }]),
  );
}

/** Learns all but the last of each user; then makes a version of one model after the other, and asks it for what comes next. */
async function* refitAll(report: Report, server: ServerProcess, ratings: Ratings): AsyncGenerator<Figures> {
  const held = lastOfEach(ratings);
  const rest = choose(ratings, (place) => !held.has(place));
  await rateAll(server.client, encodeRatings(rest, { batch: 1000 }), 8);
  for (const { name } of REFITTED) {
    await requireConfigHash(server, name);
    const startMs = performance.now();
    const { result } = await server.client.fuse({
      model: name,
      guard: { metric: `hit_rate@${LIST}`, margin: 1, windowEvents: 1000 },
    });
    const seconds = (performance.now() - startMs) / 1000;
    if (!result.promoted) report.note(`${name} was not promoted: ${result.decision?.reason}`);
    yield { [name]: { ...(await rank(server.client, ratings, held, name)), seconds } };
  }
}

async function rank(client: Client, ratings: Ratings, held: Set<number>, model: string): Promise<Ranked> {
  const figures = new RankFigures();
  for (const n of held) {
    const eventTime = { seconds: BigInt(ratings.time[n]), nanos: 0 };
    const { items } = await client.recommend(`${ratings.user[n]}`, { model, pageSize: LIST, eventTime });
    const place = items.findIndex(({ itemId }) => itemId === `${ratings.item[n]}`);
    figures.add(place < 0 ? Number.POSITIVE_INFINITY : place);
  }
  return figures.ranked;
}
