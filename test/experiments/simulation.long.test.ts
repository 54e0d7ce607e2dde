import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find100k, readMovieLensSmall } from '../data.ts';
import { findOpenBandit } from './open-bandit.ts';
import { clickUsers, type Lifted, type Population, ratingUsers } from './population.ts';
import { falsePositives, findLifts, type Looks } from './runs.ts';

/**
 * `npm run test:experiments`: experiments over users drawn from real ones, who come and go, and come back, through the server's own
 * allocation, exposures, attribution and reports.
 */

const small = ratingUsers('ml-latest-small', readMovieLensSmall());
const { ratings, skip: skip100k } = find100k();
const { log, skip: skipClicks } = findOpenBandit('random');

const even: Looks = { runs: 2000, looks: 30, every: 100, weights: [1, 1], crowd: 60, seed: 1 };

function check(population: Population, looks: Looks): void {
  const found = falsePositives(population, looks);
  console.log(`${population.name}, ${looks.weights.join(':')}, ${looks.runs} runs of ${looks.looks} looks:`, found);
  for (const [metric, count] of found) assert(count <= 0.05 * looks.runs, `${metric}: ${count} of ${looks.runs}`);
}

test('arms that are alike, half each', () => check(small, even));

test('arms that are alike, 4 to 1, users who come back again and again', { skip: skip100k }, () =>
  check(ratingUsers('ml-100k', ratings as never), {
    ...even,
    runs: 500,
    weights: [4, 1],
    looks: 60,
    crowd: 200,
    seed: 2,
  }),
);

test('arms that are alike, clicks of one in 200, nobody comes twice', { skip: skipClicks }, () =>
  check(clickUsers('open-bandit-men', log as never), { ...even, runs: 200, looks: 20, every: 500, crowd: 1, seed: 3 }),
);

test('what a test at N finds with 80% has a verdict by 2N in 70% of the runs', () => {
  const metrics: readonly Lifted[] = ['conversion', 'mean_value', 'rmse', 'ndcg@10'];
  const found = findLifts(small, { runs: 100, units: 400, every: 400, crowd: 60, seed: 4 }, metrics);
  console.log(found);
  for (const [metric, { once, always }] of found) {
    assert(once > 0.7 && once < 0.95, `${metric}: ${once} by the test`);
    assert(always >= 0.7, `${metric}: ${always}`);
  }
});
