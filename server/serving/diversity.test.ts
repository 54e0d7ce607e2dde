import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Address, ItemVectors } from '../../plugins/contract/index.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { highArena } from '../memory/testing/high-arena.ts';
import { Diversity, poolSize } from './diversity.ts';
import type { Ranked } from './ranking.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const diversity = new Diversity(arena, kernels);
const area = arena.allocate(2 ** 20);

/** The vectors as they lie in a table: rows of 16 bytes more than they need. */
function vectorsOf(vectors: readonly (readonly number[])[], width: number): ItemVectors {
  const stride = 4 * width + 16;
  for (const [row, vector] of vectors.entries()) arena.f32.set(vector, (area + stride * row) >>> 2);
  return { width, of: (row) => (area + stride * row) as Address };
}

/** Carbonell & Goldstein's rule as it is written, in doubles: the value of each candidate at each step. */
function marginalValues(
  pool: readonly Ranked[],
  taken: readonly Ranked[],
  d: number,
  vectors: readonly (readonly number[])[],
): number[] {
  const scores = pool.map(({ score }) => score);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  return pool.map(({ row, score }) => {
    const relevance = most > least ? (score - least) / (most - least) : 0;
    const likeness = taken.map((other) => cosine(vectors[row], vectors[other.row]));
    return (1 - d) * relevance - d * Math.max(...likeness);
  });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const product = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, n) => sum + value * y[n], 0);
  const lengths = Math.sqrt(product(a, a) * product(b, b));
  return lengths === 0 ? 0 : product(a, b) / lengths;
}

const anyCase = fc.integer({ min: 1, max: 9 }).chain((width) =>
  fc.record({
    width: fc.constant(width),
    items: fc.array(
      fc.record({
        score: fc.integer({ min: -5, max: 5 }),
        vector: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: width, maxLength: width }),
      }),
      { maxLength: 40, size: 'max' },
    ),
    count: fc.nat(45),
    d: fc.constantFrom(0.01, 0.3, 0.5, 0.9, 1),
  }),
);

test('each item taken is the best by the rule, and every list has its length', () => {
  fc.assert(
    fc.property(anyCase, ({ width, items, count, d }) => {
      const vectors = items.map(({ vector }) => vector);
      const pool = items.map(({ score }, row) => ({ row, score })).sort((a, b) => b.score - a.score || a.row - b.row);
      const list = diversity.choose(pool, count, d, vectorsOf(vectors, width), vectors.length);
      assert.equal(list.length, Math.min(count, pool.length));
      assert.equal(new Set(list).size, list.length);
      if (list.length > 0) assert.equal(list[0], pool[0]);
      for (let step = 1; step < list.length; step++) {
        const left = pool.filter((candidate) => !list.slice(0, step).includes(candidate));
        const values = marginalValues(pool, list.slice(0, step), d, vectors);
        const best = Math.max(...left.map((candidate) => values[pool.indexOf(candidate)]));
        const found = values[pool.indexOf(list[step])];
        // Two within the error of f32 of each other count as equal.
        assert.ok(found >= best - 1e-5, `step ${step}: took ${found}, best is ${best}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('no diversity: the order of the scores; all of it: what is most unlike', () => {
  const vectors = [
    [1, 0],
    [1, 0],
    [0, 1],
    [-1, 0],
    [2, 0.1],
  ];
  const pool = vectors.map((_, row) => ({ row, score: 10 - row }));
  const rows = (d: number, count = 5) =>
    diversity.choose(pool, count, d, vectorsOf(vectors, 2), vectors.length).map(({ row }) => row);
  assert.deepEqual(rows(0), [0, 1, 2, 3, 4]);
  assert.deepEqual(rows(0, 2), [0, 1]);
  assert.deepEqual(rows(1), [0, 3, 2, 4, 1]);
  assert.deepEqual(rows(1, 2), [0, 3]);
  // By hand: after item 0, items 1 to 3 are worth .575, .45, .325 with .1, and .05, .3, .55 with .4.
  assert.deepEqual(rows(0.1, 3), [0, 1, 2]);
  assert.deepEqual(rows(0.4, 3), [0, 3, 2]);
  assert.deepEqual(rows(0.5, 0), []);
  assert.deepEqual(diversity.choose([], 3, 0.5, vectorsOf([], 2), 0), []);
});

test('of equal candidates the better score, then the earlier place, is taken first', () => {
  const vectors = Array.from({ length: 6 }, () => [0, 0]);
  const pool = vectors.map((_, row) => ({ row, score: row < 3 ? 2 : 1 }));
  const rows = (d: number) => diversity.choose(pool, 6, d, vectorsOf(vectors, 2), vectors.length).map(({ row }) => row);
  for (const d of [0.3, 1]) assert.deepEqual(rows(d), [0, 1, 2, 3, 4, 5]);
});

test('an item that the model does not have yet is like no other', () => {
  const pool = [0, 1, 2].map((row) => ({ row, score: 3 - row }));
  const of = (row: number) => (row < 2 ? vectorsOf([[1], [1]], 1).of(row) : assert.fail('it has no vector'));
  const list = diversity.choose(pool, 3, 0.9, { width: 1, of }, 2);
  assert.deepEqual(
    list.map(({ row }) => row),
    [0, 2, 1],
  );
});

test('what was taken for one list does not count for the next', () => {
  const vectors = [
    [1, 0],
    [0.9, 0.1],
    [0, 1],
  ];
  const pool = vectors.map((_, row) => ({ row, score: 3 - row }));
  const again = [1, 2, 3].map(() => diversity.choose(pool, 3, 0.7, vectorsOf(vectors, 2), vectors.length));
  assert.deepEqual(again[1], again[0]);
  assert.deepEqual(again[2], again[0]);
});

test('a pool has room to choose, within bounds', () => {
  const sizes = [1, 10, 20, 100, 200, 201, 1000, 1500].map(poolSize);
  assert.deepEqual(sizes, [100, 100, 100, 500, 1000, 1000, 1000, 1500]);
});
