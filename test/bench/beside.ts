import { once } from 'node:events';
import { EvaluateRequest, EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { find1m, type Ratings } from '../data.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { encodeRatings, rateAll } from './rating-stream.ts';
import { ofRounds, type Report } from './report.ts';
import { DEFAULT_MODEL, requireConfigHash, withServer } from './server.ts';

/** An import with and without a HOLDOUT of ml-1m beside it, in turn; and how long that takes by itself. */

const ROUNDS = 5;
/** Ratings of one import. */
const COUNT = 100_000;
const BATCH = 1000;
const IN_FLIGHT = 32;
const REQUEST = EvaluateRequest.fromPartial({
  protocol: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT,
  models: [DEFAULT_MODEL],
});

export async function benchBeside(report: Report): Promise<void> {
  report.heading(`HOLDOUT of ${DEFAULT_MODEL} on ml-1m beside an import, by a fresh server`);
  const { skip, ratings } = find1m();
  if (!ratings) return report.note(String(skip));
  await withServer({}, (server) => besideImport(report, server, ratings));
}

async function besideImport(report: Report, server: ServerProcess, ratings: Ratings): Promise<void> {
  const part = 'beside';
  await rateAll(server.client, encodeRatings(ratings, { batch: BATCH }), IN_FLIGHT);
  const configHash = await requireConfigHash(server);
  const window = { firstRevision: '', lastRevision: (await server.client.evaluate()).revision };
  const began = performance.now();
  const { rows } = await server.client.evaluate({ ...REQUEST, window });
  const seconds = (performance.now() - began) / 1000;
  report.add({ part, name: 'HOLDOUT of 1,000,209 ratings by itself', value: seconds, unit: 's', configHash });
  const rmse = rows.find(({ metric, segment }) => metric === 'rmse' && segment === '');
  report.add({ part, name: 'its RMSE', value: rmse?.value ?? Number.NaN, unit: '', configHash });
  const [alone, beside]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    const measureAlone = async () => alone.push(await importSome(server, ratings, `${round}a`));
    const measureBeside = async () => beside.push(await importBeside(server, ratings, `${round}b`, window));
    for (const measure of round % 2 === 0 ? [measureAlone, measureBeside] : [measureBeside, measureAlone])
      await measure();
  }
  // In the first round the server still warms up.
  const of = (rounds: number[]) => rounds.slice(1);
  const slowdowns = of(beside).map((perSecond, n) => 1 - perSecond / of(alone)[n]);
  report.add({ part, name: 'import alone', ...ofRounds(of(alone)), unit: 'ratings/s', configHash });
  report.add({ part, name: 'import beside HOLDOUT', ...ofRounds(of(beside)), unit: 'ratings/s', configHash });
  report.add({
    part,
    name: 'HOLDOUT slows an import by',
    ...ofRounds(slowdowns),
    unit: '',
    target: { atMost: 0.1 },
    configHash,
  });
}

async function importSome(server: ServerProcess, ratings: Ratings, prefix: string): Promise<number> {
  const requests = encodeRatings({ ...ratings, count: COUNT }, { batch: BATCH, prefix });
  const began = performance.now();
  await rateAll(server.client, requests, IN_FLIGHT);
  return COUNT / ((performance.now() - began) / 1000);
}

/** The evaluation runs from before the first rating until after the last. */
async function importBeside(
  server: ServerProcess,
  ratings: Ratings,
  prefix: string,
  window: EvaluateRequest['window'],
): Promise<number> {
  const evaluation = server.connect().watch(RecommenderServiceService.evaluate, { ...REQUEST, window });
  await once(evaluation, 'data');
  let isOver = false;
  evaluation.on('end', () => (isOver = true));
  evaluation.on('error', () => {});
  evaluation.resume();
  const perSecond = await importSome(server, ratings, prefix);
  if (isOver) throw new Error('the evaluation ended before the import did: import less');
  evaluation.cancel();
  return perSecond;
}
