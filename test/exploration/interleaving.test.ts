import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../plugins/contract/index.ts';
import { ClickTrial, type Reader, type Side } from './click-trial.ts';

/** The short form of `npm run bench -- interleaving`: made-up users, a model that knows their taste, and one that is spoiled. */

const ITEMS = 400;
const SPOILED: [Side, Side] = [{ model: 'best', swaps: 4 }, { model: 'best' }];

function readers(): Reader[] {
  const random = new Random();
  random.key(1, 0);
  return Array.from({ length: 100 }, () => {
    const likes = Float64Array.from({ length: ITEMS }, () => (random.below(20) === 0 ? 0.5 : 0.02));
    const scored = Array.from(likes, (like, row) => ({ row, score: like + random.next() / 2 ** 33 }));
    scored.sort((a, b) => b.score - a.score);
    return { rankings: { best: scored }, attraction: (row) => likes[row], visits: 1 + random.below(20) };
  });
}

test('which list is better shows with both in one by far fewer lists than with half of the users for each', () => {
  const all = readers();
  for (const seed of [1, 2, 3]) {
    const { impressions, better } = new ClickTrial(all, SPOILED, seed).interleave(3000);
    assert.equal(better, 1, `after ${impressions} lists`);
    assert.notEqual(new ClickTrial(all, SPOILED, seed).split(4 * impressions).better, 0);
  }
});

test('of models that are as good neither is said to be better, but for one trial in twenty', () => {
  const all = readers();
  const trials = Array.from({ length: 20 }, (_, seed) => new ClickTrial(all, [SPOILED[0], SPOILED[0]], seed));
  const decided = trials.filter((trial) => trial.interleave(500).better !== undefined);
  assert.ok(decided.length <= 2, `${decided.length} of 20`);
});
