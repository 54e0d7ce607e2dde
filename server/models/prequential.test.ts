import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomNumbers } from '../../test/support/ratings.ts';
import { Arena } from '../memory/arena.ts';
import { Prequential } from './prequential.ts';

const WINDOW = 1000;

/** Errors as different as can be: alike, some that stand out, one that does, most of them 0. */
const SERIES: Readonly<Record<string, (random: () => number, n: number) => number>> = {
  alike: (random) => 1 + random() / 100,
  'of both signs': (random) => 4 * random() - 2,
  'some stand out': (random, n) => (n % 50 === 7 ? 4 : 0.1) * random(),
  'one stands out': (random, n) => (n === 10 ? 1000 : random()),
  'mostly 0': (random, n) => (n % 20 === 0 ? random() : 0),
};

function make() {
  const arena = Arena.create(2 ** 23);
  return { arena, prequential: Prequential.create(arena, WINDOW) };
}

for (const [name, draw] of Object.entries(SERIES)) {
  for (const count of [3, 40, 501, WINDOW + 77])
    test(`blended errors have the figures that they had, and none is left: ${name}, ${count}`, () => {
      const lab = make();
      const { prequential } = lab;
      const random = randomNumbers(count);
      const errors = Array.from({ length: count }, (_, n) => draw(random, n));
      for (const error of errors) prequential.recordError(error);
      const before = prequential.figures();
      prequential.blend();
      expectFigures(prequential, before);
      const left = new Set(errorsOf(lab));
      assert.ok(left.size <= 2);
      // Of one that is not 0 the sums say all.
      const isToldBySums = errors.filter((error) => error !== 0).length === 1;
      if (!isToldBySums) for (const error of errors) assert.ok(error === 0 || !left.has(Math.abs(error)), `${error}`);
      prequential.blend();
      expectFigures(prequential, before);
    });
}

test('without errors, or with nothing but zeros, there is nothing to blend', () => {
  const lab = make();
  const { prequential } = lab;
  prequential.blend();
  assert.deepEqual(prequential.figures(), []);
  for (let n = 0; n < 3; n++) prequential.recordError(0);
  prequential.blend();
  assert.deepEqual(errorsOf(lab), [0, 0, 0]);
});

test('what is blended leaves the window evenly', () => {
  const lab = make();
  const { prequential } = lab;
  const random = randomNumbers(5);
  for (let n = 0; n < WINDOW; n++) prequential.recordError(n % 10 === 0 ? 3 : random());
  prequential.blend();
  const errors = errorsOf(lab);
  const meanOf = (part: number[]) => part.reduce((sum, error) => sum + error, 0) / part.length;
  const [first, second] = [meanOf(errors.slice(0, WINDOW / 2)), meanOf(errors.slice(WINDOW / 2))];
  assert.ok(Math.abs(first - second) < 0.01, `${first} ${second}`);
});

function errorsOf({ arena, prequential }: ReturnType<typeof make>): number[] {
  const { errors } = prequential.stateTables();
  const errorOf = errors.column('error');
  return Array.from({ length: errors.rows }, (_, row) => arena.f64[errorOf(row) >>> 3]);
}

function expectFigures(prequential: Prequential, expected: ReturnType<Prequential['figures']>): void {
  const figures = prequential.figures();
  assert.equal(figures.length, expected.length);
  for (const [n, { value, ...rest }] of figures.entries()) {
    const { value: before, ...others } = expected[n];
    assert.deepEqual(rest, others);
    assert.ok(Math.abs(value - before) <= 1e-12 * before, `${rest.metric} ${rest.window}: ${value}, was ${before}`);
  }
}
