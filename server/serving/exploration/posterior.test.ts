import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../../plugins/contract/index.ts';
import { drawByPosterior, type Quantiles } from './posterior.ts';
import { PosteriorPlaces } from './posterior-places.ts';
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

describe('drawn lists', () => {
  /** More is believed of the first ones, and more surely; the last two are alike. */
  const quantile = (row: number, z: number) => (row >= 8 ? 0.3 + z : 1 - row / 8 + (z * (row + 1)) / 10);
  const quantiles: Quantiles = (row, z, out) => out.set(z.map((each) => quantile(row, each)));
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
