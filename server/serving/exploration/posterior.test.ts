import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../../plugins/contract/index.ts';
import { drawByPosterior, type Quantiles } from './posterior.ts';
import { ITEMS_MAX, PosteriorPlaces } from './posterior-places.ts';
import { fieldOf, misfits, toldOf } from './testing/frequencies.ts';

const LEVELS = 8;

/** The chance of every place of every item, over all draws: of equal values every order is as likely. */
function enumerated(values: readonly (readonly number[])[]): number[][] {
  const chances = values.map(() => values.map(() => 0));
  const walk = (drawn: readonly number[], chance: number) => {
    if (drawn.length < values.length) {
      for (const value of values[drawn.length]) walk([...drawn, value], chance / LEVELS);
      return;
    }
    for (const [item, value] of drawn.entries()) {
      const more = drawn.filter((other) => other > value).length;
      const equal = drawn.filter((other) => other === value).length;
      for (let place = more; place < more + equal; place++) chances[item][place] += chance / equal;
    }
  };
  walk([], 1);
  return chances;
}

describe('the chances of places', () => {
  const range = (from: number, step: number) => Array.from({ length: LEVELS }, (_, level) => from + step * level);
  for (const [name, values] of Object.entries({
    'of one item': [range(0, 1)],
    'of items that differ': [range(0, 1), range(0.5, 0.9), range(3.2, 0.2), range(-2, 3)],
    'of items with values in common': [range(0, 1), range(0, 1), range(2, 1), range(0, 0)],
    'of items that are sure, and equal': [range(1, 0), range(1, 0), range(1, 0), range(2, 0)],
  }))
    test(`are those of all draws, ${name}`, () => {
      const places = new PosteriorPlaces(Float64Array.from(values.flat()), LEVELS);
      for (const [item, byPlace] of enumerated(values).entries())
        for (const [place, chance] of byPlace.entries())
          assert.ok(Math.abs(places.of(item, place) - chance) < 1e-12, `item ${item} at place ${place}`);
    });

  test('are the same for sixty-four items of which the same is believed', () => {
    for (const step of [0, 1]) {
      const places = new PosteriorPlaces(
        Float64Array.from(Array.from({ length: 64 }, () => range(0, step)).flat()),
        LEVELS,
      );
      for (const place of [0, 5, 40]) assert.ok(Math.abs(64 * places.of(3, place) - 1) < 1e-4);
    }
  });
});

/**
 * The chance of a place by how many others draw more and how many as much: of those an order is as likely as any other.
 * `others` and `own` are values, all as likely.
 */
function counted(own: readonly number[], others: readonly (readonly number[])[], place: number): number {
  const chances = own.map((value) => {
    let counts = new Map([[0, 1]]);
    for (const other of others) {
      const more = other.filter((each) => each > value).length / other.length;
      const equal = other.filter((each) => each === value).length / other.length;
      const next = new Map<number, number>();
      const add = (key: number, chance: number) => chance > 0 && next.set(key, (next.get(key) ?? 0) + chance);
      for (const [key, chance] of counts) {
        add(key, chance * (1 - more - equal));
        add(key + 1000, chance * more);
        add(key + 1, chance * equal);
      }
      counts = next;
    }
    const isThere = (more: number, equal: number) => more <= place && place <= more + equal;
    return [...counts].reduce((sum, [key, chance]) => {
      const [more, equal] = [Math.floor(key / 1000), key % 1000];
      return sum + (isThere(more, equal) ? chance / (equal + 1) : 0);
    }, 0);
  });
  return chances.reduce((sum, chance) => sum + chance, 0) / own.length;
}

describe('the chances of places among many', () => {
  const random = new Random();
  random.key(1, 0);
  const draw = () => random.next() / 2 ** 32;
  /** Rising; `grid`: values are multiples of it, so that some are equal. */
  const some = (levels: number, grid: number) => {
    const [from, step] = [draw(), draw() / levels];
    return Array.from({ length: levels }, (_, level) => grid * Math.round((from + step * level) / grid));
  };
  for (const [name, items] of Object.entries({
    'that all differ': Array.from({ length: 37 }, () => some(16, 1e-9)),
    'of which some values are equal': Array.from({ length: 37 }, () => some(16, 1 / 64)),
    'of which most are alike': [
      ...new Array(30).fill(some(16, 1e-9)),
      ...Array.from({ length: 7 }, () => some(16, 0.1)),
    ],
    'with another number of values': Array.from({ length: 20 }, () => some(5, 0.1)),
  }))
    test(`are those of what is counted, ${name}`, () => {
      const places = new PosteriorPlaces(Float64Array.from(items.flat()), items[0].length);
      for (const item of [0, 3, 12, items.length - 1])
        for (const place of [0, 1, 2, 7, items.length - 1]) {
          const chance = counted(items[item], items.toSpliced(item, 1), place);
          assert.ok(Math.abs(places.of(item, place) - chance) < 2e-6, `item ${item} at place ${place}`);
        }
    });

  test('are known of no more than there is room for', () => {
    const values = new Float64Array(16 * (ITEMS_MAX + 1));
    assert.throws(() => new PosteriorPlaces(values, 16));
    const places = new PosteriorPlaces(values.subarray(16), 16);
    assert.ok(Math.abs(places.of(ITEMS_MAX - 1, 0) - 1 / ITEMS_MAX) < 1e-4);
  });
});

describe('drawn lists', () => {
  /** More is believed of the first ones, and more surely; the last two are alike. */
  const quantile = (row: number, z: number) => (row >= 8 ? 0.3 + z : 1 - row / 8 + (z * (row + 1)) / 10);
  const quantiles: Quantiles = (rows, z, out) =>
    out.set(Array.from(rows).flatMap((row) => Array.from(z, (each) => quantile(row, each))));
  const field = fieldOf(
    Array.from({ length: 10 }, (_, row) => (row === 4 ? Number.NEGATIVE_INFINITY : quantile(row, 2))),
  );
  const drawn = (n: number) => {
    const random = new Random();
    random.key(1, n);
    return drawByPosterior(quantiles, random, field, 4);
  };

  test('put items where the propensities say, as often as they say', () => {
    assert.deepEqual(
      misfits((n) => toldOf(drawn(n)), 20_000),
      [],
    );
  });

  test('have the best drawn scores first', () => {
    for (let n = 0; n < 20; n++) {
      const scores = drawn(n).map(({ score }) => score);
      assert.deepEqual(
        scores,
        scores.toSorted((a, b) => b - a),
      );
    }
  });
});
