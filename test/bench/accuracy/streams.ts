import type { Ratings } from '../../data.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { AGREEMENT, disagreement, rateAndMeasure } from '../prequential.ts';
import { requireConfigHash, withServer } from '../server.ts';
import { type Bench, configOf, ML_1M, ML_100K, ML_SMALL, MODELS, PREDICTING, setsOf } from './cases.ts';
import { errorsOf } from './estimate.ts';
import { PARTS } from './references.ts';
import type { Sheet } from './sheet.ts';

/**
 * Each rating predicted by all models, and its item ranked, before it is learned: by the server's own counters and by what it
 * answered, which have to agree. Of a ranking there is no more than the counters, and so no interval.
 */

export async function measureStreams(bench: Bench): Promise<void> {
  const sets = [...setsOf(bench, [ML_100K, ML_SMALL, ML_1M])];
  const total = sets.reduce((sum, { ratings }) => sum + ratings.count, 0);
  let done = 0;
  for (const { set, scale, ratings } of sets) {
    bench.sheet.report.heading(PARTS.stream(set));
    await withServer(configOf(scale, { evaluation: { rankEvery: 1 } }), (server) =>
      measure(bench.sheet, server, PARTS.stream(set), ratings, (n) => bench.advance((done + n) / total)),
    );
    done += ratings.count;
  }
}

async function measure(
  sheet: Sheet,
  server: ServerProcess,
  part: string,
  ratings: Ratings,
  onLearned: (count: number) => void,
): Promise<void> {
  const found = await rateAndMeasure(server.client, ratings, PREDICTING, onLearned);
  const difference = disagreement(found);
  if (!(difference <= AGREEMENT)) throw new Error(`the server's errors and the client's differ by ${difference}`);
  for (const { name } of MODELS) {
    const squared = found.squared.get(name);
    const counted = found.counted.get(name) ?? {};
    const ranked = { 'HR@10': of(counted['hit_rate@10']), 'NDCG@10': of(counted['ndcg@10']) };
    const errors = squared ? errorsOf(ratings.user, squared) : {};
    sheet.add(part, name, { ...errors, ...ranked }, await requireConfigHash(server, name));
  }
}

const of = (value = Number.NaN) => ({ value, interval: undefined });
