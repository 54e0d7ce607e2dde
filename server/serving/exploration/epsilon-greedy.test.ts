import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { draw, lotteryOf } from './lottery.ts';
import { PlaceChances } from './place-chances.ts';
import { fieldOf, misfits, toldOf } from './testing/frequencies.ts';

const NOBODY = { user: 0, time: 0 };

/** The chance of every list, and by that of every item at every place: rank by rank, place by place. */
function enumerated(epsilon: number, items: number, places: number): number[][] {
  const chances = Array.from({ length: items }, () => new Array<number>(places).fill(0));
  const walk = (taken: readonly number[], chance: number) => {
    const place = taken.length;
    if (place === places) return;
    const left = Array.from({ length: items }, (_, rank) => rank).filter((rank) => !taken.includes(rank));
    for (const rank of left) {
      const own = epsilon / left.length + (rank === left[0] ? 1 - epsilon : 0);
      chances[rank][place] += chance * own;
      walk([...taken, rank], chance * own);
    }
  };
  walk([], 1);
  return chances;
}

describe('the chances of places', () => {
  for (const epsilon of [0, 0.1, 0.5, 1])
    for (const [items, places] of [
      [1, 1],
      [2, 2],
      [6, 4],
      [5, 5],
    ])
      test(`are those of all lists of ${places} of ${items}, at ${epsilon}`, () => {
        const chances = new PlaceChances(epsilon, items, places);
        for (const [rank, byPlace] of enumerated(epsilon, items, places).entries())
          for (const [place, chance] of byPlace.entries())
            assert.ok(Math.abs(chances.of(rank, place) - chance) < 1e-12, `rank ${rank} at place ${place}`);
      });

  test('of all items at a place add up to 1, in long lists too', () => {
    const chances = new PlaceChances(0.3, 1000, 100);
    for (const place of [0, 1, 50, 99]) {
      const sum = Array.from({ length: 1000 }, (_, rank) => chances.of(rank, place)).reduce((a, b) => a + b);
      assert.ok(Math.abs(sum - 1) < 1e-9, `${sum} at place ${place}`);
    }
  });
});

describe('drawn lists', () => {
  const field = fieldOf([5, 9, Number.NEGATIVE_INFINITY, 7, 1, 1, 3]);
  const drawn = (epsilon: number, id: string, count = 4) =>
    toldOf(draw(lotteryOf({ by: 'epsilon', epsilon }, NOBODY, 1, id), field, count));

  test('are the same for the same recommendation, and differ between recommendations', () => {
    assert.deepEqual(drawn(0.5, 'one'), drawn(0.5, 'one'));
    const lists = new Set(Array.from({ length: 50 }, (_, n) => JSON.stringify(drawn(0.5, `list-${n}`))));
    assert.ok(lists.size > 20);
  });

  test('without epsilon are the best, for certain', () => {
    assert.deepEqual(
      drawn(0, 'any').map(({ position, propensity }) => [position, propensity]),
      [
        [1, 1],
        [3, 1],
        [0, 1],
        [6, 1],
      ],
    );
  });

  test('hold each item once, none that is left out, and end with the items', () => {
    for (let n = 0; n < 100; n++) {
      const positions = drawn(0.9, `all-${n}`, 10).map(({ position }) => position);
      assert.deepEqual(positions.toSorted(), [0, 1, 3, 4, 5, 6]);
    }
  });

  for (const epsilon of [0.1, 0.7])
    test(`put items where the propensities say, as often as they say, at ${epsilon}`, () => {
      assert.deepEqual(
        misfits((n) => drawn(epsilon, `draw-${n}`), 20_000),
        [],
      );
    });
});
