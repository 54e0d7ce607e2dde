import { FuseStrategy } from '../../../proto/gen/accrete/v1/fuse.ts';
import { choose, type Ratings } from '../../data.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { rateAndMeasure } from '../prequential.ts';
import { withServer } from '../server.ts';
import { type Bench, ML_100K, setsOf } from './cases.ts';
import { errorsOf } from './estimate.ts';
import { fuse, learn, WINDOW } from './learning.ts';
import { PARTS } from './references.ts';

/**
 * What a new version is worth in the middle of a stream: a model learns the first half, gets a new version or none, and goes on
 * through the second half, whose errors count, each rating predicted before it is learned.
 */

const MODEL = 'mf';
/** The same model, which is refitted: what strategies join to the one that is not. */
const BATCH = 'mf-batch';
const {
  FUSE_STRATEGY_AVERAGE,
  FUSE_STRATEGY_BLEND,
  FUSE_STRATEGY_CONCAT,
  FUSE_STRATEGY_PROCRUSTES,
  FUSE_STRATEGY_REFIT,
} = FuseStrategy;

interface Course {
  readonly who: string;
  /** What is done at the half; undefined: nothing. */
  readonly strategy?: FuseStrategy;
}

const COURSES: readonly Course[] = [
  { who: 'mf, online alone' },
  { who: 'mf, REFIT', strategy: FUSE_STRATEGY_REFIT },
  { who: 'mf, AVERAGE with its REFIT', strategy: FUSE_STRATEGY_AVERAGE },
  { who: 'mf, PROCRUSTES with its REFIT', strategy: FUSE_STRATEGY_PROCRUSTES },
  { who: 'mf, CONCAT with its REFIT', strategy: FUSE_STRATEGY_CONCAT },
  { who: 'mf, BLEND with its REFIT', strategy: FUSE_STRATEGY_BLEND },
];

export async function measureHalves(bench: Bench): Promise<void> {
  const { sheet } = bench;
  for (const { set, scale, ratings } of setsOf(bench, [ML_100K])) {
    const part = PARTS.halves(set);
    sheet.report.heading(part);
    const half = Math.floor(ratings.count / 2);
    const [first, second] = [choose(ratings, (place) => place < half), choose(ratings, (place) => place >= half)];
    for (const [n, course] of COURSES.entries()) {
      const models = [MODEL, BATCH].map((name) => ({ name, plugin: 'mf', config: {} }));
      await withServer({ models, rating: scale, evaluation: { rankEvery: 0 } }, async (server) => {
        if (!(await goToHalf(bench, server, first, course))) return;
        const { squared } = await rateAndMeasure(server.client, second, [MODEL]);
        sheet.add(part, course.who, errorsOf(second.user, squared.get(MODEL) ?? new Float64Array()));
      });
      bench.advance((n + 1) / COURSES.length);
    }
  }
}

/** Learns the first half, with the version that a course goes on with; false where the server makes none. */
async function goToHalf(
  { sheet }: Bench,
  server: ServerProcess,
  first: Ratings,
  { strategy }: Course,
): Promise<boolean> {
  const { client } = server;
  const isJoin = strategy !== undefined && strategy !== FUSE_STRATEGY_REFIT;
  // What is joined to a model may hold nothing of the window that judges the outcome.
  const before = isJoin ? first.count - WINDOW : first.count;
  await learn(
    server,
    choose(first, (place) => place < before),
  );
  if (strategy === undefined) return true;
  if (!isJoin) return (await fuse(sheet.report, client, { model: MODEL })) !== undefined;
  if (!(await fuse(sheet.report, client, { model: BATCH }))) return false;
  await learn(
    server,
    choose(first, (place) => place >= before),
  );
  const sources = [{ source: { $case: 'model' as const, value: BATCH } }];
  const options = strategy === FUSE_STRATEGY_AVERAGE ? { force: true } : {};
  return (await fuse(sheet.report, client, { model: MODEL, strategy, sources, options })) !== undefined;
}
