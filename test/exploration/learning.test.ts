import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BanditLog } from '../experiments/open-bandit.ts';
import { fitClickModel } from './click-model.ts';
import { learnFromClicks } from './learning.ts';

/** The short form of `npm run test:exploration`, where nobody needs the data. */

/** Items and places in turn; item i is clicked on 30 (i + 1) times of a thousand at the first place, and half as often at the second. */
const SHOWN = 1000;
const log = (() => {
  const cells = Array.from({ length: 8 }, (_, n) => ({ item: n >>> 1, place: n & 1 }));
  const rows = cells.flatMap((cell) => Array.from({ length: SHOWN }, (_, n) => ({ ...cell, n })));
  return {
    item: Uint32Array.from(rows, ({ item }) => item),
    place: Uint32Array.from(rows, ({ place }) => place),
    reward: Float64Array.from(rows, ({ item, place, n }) => Number(n < (30 * (item + 1)) / (place + 1))),
  } as unknown as BanditLog;
})();
const model = fitClickModel(log, 4, 2);

test('the click model is what the log says, a little nearer to the mean', () => {
  for (let item = 0; item < 4; item++)
    for (let place = 0; place < 2; place++) {
      const said = (0.03 * (item + 1)) / (place + 1);
      assert.ok(
        Math.abs(model.chance(item, place) - said) < 0.004,
        `${item} at ${place}: ${model.chance(item, place)}`,
      );
    }
  assert.equal(model.fit.clicks, 450);
  assert.ok(Math.abs(model.uniform - (4.5 * 0.025 * 4) / 4) < 1e-3, `${model.uniform}`);
});

test('a bandit that learns earns more than one that shows anything', () => {
  const lists = 400;
  const gains = [1, 2, 3, 4].map(
    (seed) => learnFromClicks(model, { policy: 'thompson' }, lists, seed).late / ((lists / 10) * model.uniform),
  );
  const mean = gains.reduce((a, b) => a + b) / gains.length;
  assert.ok(mean > 1.1, `${gains}`);
});
