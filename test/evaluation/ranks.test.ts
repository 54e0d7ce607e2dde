import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, RankFigures } from './ranks.ts';

const place = (item: number, hidden: number[] = []) => {
  const scores = Float32Array.of(3, 5, 1, 3, 3);
  return placeOf(scores, item, scores.map((_, n) => Number(hidden.includes(n))) as unknown as Uint8Array);
};

test('an item stands below those that score more, and in the middle of its equals', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((item) => place(item)),
    [2, 0, 4, 2, 2],
  );
  assert.equal(place(0, [1]), 1);
  assert.equal(place(3, [0]), 1);
});

test('an item that nobody has seen, or that is the asker’s own, has no place', () => {
  assert.equal(place(5), Number.POSITIVE_INFINITY);
  assert.equal(place(1, [1]), Number.POSITIVE_INFINITY);
});

test('a place among the first ten is a hit, and worth less the lower', () => {
  const figures = new RankFigures();
  for (const place of [0, 2, 9, 10, Number.POSITIVE_INFINITY]) figures.add(place);
  const { count, hitRate, ndcg } = figures.ranked;
  assert.deepEqual([count, hitRate], [5, 0.6]);
  assert.ok(Math.abs(ndcg - (1 + 1 / 2 + 1 / Math.log2(11)) / 5) < 1e-12);
});
