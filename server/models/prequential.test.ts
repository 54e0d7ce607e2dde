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

for (const count of [1, 5, 700, WINDOW, WINDOW + 77, 3 * WINDOW])
  test(`curves are the figures of the window, stretch by stretch: ${count}`, () => {
    const { prequential } = make();
    const random = randomNumbers(count);
    const events = Array.from({ length: count }, () => ({
      error: 4 * random() - 2,
      rank: 1 + Math.floor(30 * random()),
    }));
    for (const { error, rank } of events) {
      prequential.recordError(error);
      prequential.recordRank(rank);
    }
    const recent = events.slice(-WINDOW);
    const size = Math.ceil(recent.length / 7);
    const stretches = Array.from({ length: Math.ceil(recent.length / size) }, (_, n) =>
      recent.slice(n * size, (n + 1) * size),
    );
    const mean = (stretch: typeof recent, of: (event: (typeof recent)[number]) => number) =>
      stretch.reduce((sum, event) => sum + of(event), 0) / stretch.length;
    const expected: Record<string, (stretch: typeof recent) => number> = {
      rmse: (stretch) => Math.sqrt(mean(stretch, ({ error }) => error * error)),
      mae: (stretch) => mean(stretch, ({ error }) => Math.abs(error)),
      'hit_rate@10': (stretch) => mean(stretch, ({ rank }) => (rank <= 10 ? 1 : 0)),
      'ndcg@10': (stretch) => mean(stretch, ({ rank }) => (rank <= 10 ? 1 / Math.log2(1 + rank) : 0)),
    };
    const curves = prequential.curves(7);
    assert.deepEqual(
      curves.map(({ metric }) => metric),
      Object.keys(expected),
    );
    for (const { metric, points } of curves) {
      assert.equal(points.length, stretches.length);
      let seen = count - recent.length;
      for (const [n, { count: at, value }] of points.entries()) {
        seen += stretches[n].length;
        assert.equal(at, seen);
        assert.ok(Math.abs(value - expected[metric](stretches[n])) < 1e-9, `${metric} ${n}: ${value}`);
      }
    }
  });

test('without errors, or with nothing but zeros, there is nothing to blend', () => {
  const lab = make();
  const { prequential } = lab;
  prequential.blend();
  assert.deepEqual([prequential.figures(), prequential.curves(7)], [[], []]);
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
