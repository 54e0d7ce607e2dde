import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, find100k, readMovieLensSmall } from '../data.ts';
import { TestServer } from '../support/server.ts';
import { AGREEMENT, disagreement, rateAndMeasure } from './prequential.ts';
import { PREDICTING, qualityConfig } from './quality.ts';

/** The short form of the benchmark's quality: the first ratings of two sets, at the settings that are shipped. */

const RATINGS = 20_000;

/** Bounds: what was measured once, and .002 more. */
const cases = [
  {
    set: 'ml-100k',
    ...find100k(),
    rating: { min: 1, max: 5 },
    bounds: { mf: 0.9412, 'mf-plain': 0.9527, 'mf-no-replay': 0.9419 },
  },
  {
    set: 'ml-latest-small',
    skip: false,
    ratings: readMovieLensSmall(),
    rating: { min: 0.5, max: 5 },
    bounds: { mf: 0.9266, 'mf-plain': 0.9325, 'mf-no-replay': 0.9281 },
  },
];

for (const { set, skip, ratings, rating, bounds } of cases) {
  test(`the first ratings of ${set} are predicted as well as measured before`, { skip }, async (t) => {
    assert(ratings);
    const { client } = await TestServer.start(t, { ...qualityConfig(rating, 0), memory: { budgetMiB: 512 } });
    const found = await rateAndMeasure(
      client,
      choose(ratings, (place) => place < RATINGS),
      PREDICTING,
    );
    const difference = disagreement(found);
    assert(difference <= AGREEMENT, `the server's figures and the client's differ by ${difference}`);
    for (const [model, bound] of Object.entries(bounds)) {
      const { rmse } = found.counted.get(model) ?? {};
      assert(rmse !== undefined && rmse <= bound, `the RMSE of ${model} on ${set} is ${rmse}, more than ${bound}`);
    }
  });
}
