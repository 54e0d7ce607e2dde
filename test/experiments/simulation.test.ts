import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMovieLensSmall } from '../data.ts';
import { ratingUsers } from './population.ts';
import { falsePositives } from './runs.ts';

/** A short form of `npm run test:experiments`. */

test('arms that are alike are told apart hardly ever, by any metric, however often one looks', () => {
  const population = ratingUsers('ml-latest-small', readMovieLensSmall());
  const runs = 10;
  const found = falsePositives(population, { runs, looks: 30, every: 100, weights: [1, 1], crowd: 60, seed: 1 });
  assert.deepEqual([...found.keys()], ['conversion', 'rmse', 'mae', 'ndcg@10', 'hit_rate@10', 'mean_value']);
  const sum = [...found.values()].reduce((all, one) => all + one, 0);
  assert(sum <= 0.05 * runs * found.size, JSON.stringify([...found]));
});
