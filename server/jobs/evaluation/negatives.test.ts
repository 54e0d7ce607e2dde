import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Negatives } from './negatives.ts';

const COUNT = 20;

for (const { items, rated, name } of [
  { items: 1000, rated: 30, name: 'few of many' },
  { items: 60, rated: 10, name: 'many of few' },
  { items: 5000, rated: 4900, name: 'of a user who has rated nearly all' },
]) {
  test(`${name}: distinct, not rated, ascending, the same again`, () => {
    const negatives = new Negatives(1, COUNT);
    const without = new Set(Array.from({ length: rated }, (_, n) => (n * 7) % items));
    for (let user = 0; user < 100; user++) {
      const drawn = [...negatives.draw(user, items, without)];
      assert.equal(drawn.length, Math.min(COUNT, items - without.size));
      assert.deepEqual(
        drawn,
        [...new Set(drawn)].sort((a, b) => a - b),
      );
      assert(drawn.every((row) => row >= 0 && row < items && !without.has(row)));
      assert.deepEqual([...negatives.draw(user, items, without)], drawn);
    }
    assert.notDeepEqual(negatives.draw(1, items, without), negatives.draw(2, items, without));
    assert.notDeepEqual(new Negatives(2, COUNT).draw(1, items, without), negatives.draw(1, items, without));
  });

  test(`${name}: all are equally likely`, () => {
    const without = new Set(Array.from({ length: rated }, (_, n) => (n * 7) % items));
    const negatives = new Negatives(3, COUNT);
    const times = new Float64Array(items);
    const users = 20_000;
    for (let user = 0; user < users; user++) for (const row of negatives.draw(user, items, without)) times[row]++;
    const left = items - without.size;
    const expected = (users * COUNT) / left;
    let chiSquare = 0;
    for (let row = 0; row < items; row++) if (!without.has(row)) chiSquare += (times[row] - expected) ** 2 / expected;
    // Less than five standard deviations above its mean, which is the degrees of freedom at most.
    assert(chiSquare < left - 1 + 5 * Math.sqrt(2 * left), `chi square is ${chiSquare} for ${left} items`);
  });
}

test('all that are left when there are no more', () => {
  assert.deepEqual([...new Negatives(1, 10).draw(0, 5, new Set([1, 3]))], [0, 2, 4]);
  assert.deepEqual([...new Negatives(1, 10).draw(0, 1, new Set([0]))], []);
});
