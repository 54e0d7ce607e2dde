import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instantiate } from '../../../test/support/kernel-bench.ts';
import { Random, type WritableAddress } from '../../contract/index.ts';
import { kernels as module } from '../kernels.ts';

/* The kernels of `ials` beside plain loops, at sizes around the width of a vector (4) and odd ones. */

const SIZES = [1, 2, 3, 4, 5, 8, 17, 64];
const COUNTS = [1, 3, 4, 5, 13];

const { kernels, memory } = instantiate(module);
const floats = new Float32Array(memory.buffer);
const doubles = new Float64Array(memory.buffer);
const words = new Uint32Array(memory.buffer);
const random = new Random();
random.key(1, 0);
const draw = () => random.next() / 2 ** 31 - 1;

const VECTORS = 4096;
const P = 16_384;
const ADDRESSES = 20_480;
const WEIGHTS = 24_576;
const PRODUCTS = 28_672;
const S = 65_536;
const COLUMNS = 131_072;
const MATRIX = 262_144;
const B = 393_216;
const BLOCK = 397_312;
const LISTED = 401_408;
const LISTED_WEIGHTS = 405_504;
const FENCE = 7;
const at = (address: number) => address as WritableAddress;

interface Case {
  readonly p: number[];
  readonly vectors: number[][];
  readonly weights: number[];
  readonly s: number[][];
  readonly stride: number;
}

/** A vector, `count` others with weights, and an S of some more. */
function place(k: number, count: number): Case {
  const row = () => Array.from({ length: k }, () => Math.fround(draw()));
  const [p, vectors] = [row(), Array.from({ length: count }, row)];
  const weights = vectors.map(() => Math.fround(draw() + 1.5));
  const more = [...vectors, row(), row()];
  const s = p.map((_, f) => p.map((_, g) => more.reduce((sum, v) => sum + v[f] * v[g], 0)));
  const stride = 4 * Math.ceil(count / 4);
  floats.set(p, P >>> 2);
  floats[(P >>> 2) + k] = FENCE;
  floats.fill(0, WEIGHTS >>> 2, (WEIGHTS >>> 2) + stride);
  floats.set(weights, WEIGHTS >>> 2);
  for (const [n, vector] of vectors.entries()) {
    floats.set(vector, (VECTORS >>> 2) + n * k);
    words[(ADDRESSES >>> 2) + n] = VECTORS + 4 * n * k;
  }
  doubles.set(s.flat(), S >>> 3);
  return { p, vectors, weights, s, stride };
}

const near = (actual: number, expected: number, what: string, tolerance = 1e-5) =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, not ${expected}`,
  );

for (const k of SIZES) {
  describe(`k = ${k}`, () => {
    for (const count of COUNTS) {
      test(`${count} vectors as columns, and what they are expected to be`, () => {
        const { p, vectors, stride } = place(k, count);
        floats[(COLUMNS >>> 2) + k * stride] = FENCE;
        kernels.gather(at(ADDRESSES), count, stride, k, at(COLUMNS));
        const expected = p.flatMap((_, f) => Array.from({ length: stride }, (_, n) => vectors[n]?.[f] ?? 0));
        assert.deepEqual([...floats.subarray(COLUMNS >>> 2, (COLUMNS >>> 2) + k * stride)], expected);
        assert.equal(floats[(COLUMNS >>> 2) + k * stride], FENCE);
        kernels.expectAll(at(P), k, at(COLUMNS), stride, at(PRODUCTS));
        for (let n = 0; n < stride; n++)
          near(floats[(PRODUCTS >>> 2) + n], dot(p, vectors[n] ?? p.map(() => 0)), `product ${n}`);
      });

      test(`a pass sets every number to the minimum, by ${count} vectors`, () => {
        const { p, vectors, weights, s, stride } = place(k, count);
        const [c, l2] = [0.3, 0.5];
        kernels.gather(at(ADDRESSES), count, stride, k, at(COLUMNS));
        kernels.expectAll(at(P), k, at(COLUMNS), stride, at(PRODUCTS));
        kernels.descend(at(P), k, at(COLUMNS), stride, at(WEIGHTS), at(PRODUCTS), at(S), c, l2);
        for (let f = 0; f < k; f++) {
          const rest = (v: readonly number[]) => dot(p, v) - p[f] * v[f];
          const up = vectors.reduce((sum, v, n) => sum + weights[n] * v[f] * (1 - rest(v)), 0) - c * rest(s[f]);
          const curve = vectors.reduce((sum, v, n) => sum + weights[n] * v[f] ** 2, 0) + c * s[f][f] + l2;
          p[f] = up / curve;
          near(floats[(P >>> 2) + f], p[f], `number ${f}`, 1e-4);
        }
        assert.equal(floats[(P >>> 2) + k], FENCE);
      });
    }

    test('an outer product', () => {
      const { p, s } = place(k, 3);
      doubles[(S >>> 3) + k * k] = FENCE;
      kernels.addOuter(at(S), at(P), k, -0.5);
      const expected = s.map((row, f) => row.map((value, g) => value + -0.5 * p[f] * p[g]));
      assert.deepEqual([...doubles.subarray(S >>> 3, (S >>> 3) + k * k)], expected.flat());
      assert.equal(doubles[(S >>> 3) + k * k], FENCE);
    });

    test('the lower half of c S + l2 I, and no b', () => {
      const { s } = place(k, 3);
      doubles.fill(FENCE, MATRIX >>> 3, (MATRIX >>> 3) + k * k);
      doubles.fill(FENCE, B >>> 3, (B >>> 3) + k + 1);
      kernels.ridge(at(MATRIX), at(B), at(S), k, 0.25, 3);
      const expected = s.map((row, f) => row.map((value, g) => (g > f ? FENCE : 0.25 * value + (f === g ? 3 : 0))));
      assert.deepEqual([...doubles.subarray(MATRIX >>> 3, (MATRIX >>> 3) + k * k)], expected.flat());
      assert.deepEqual([...doubles.subarray(B >>> 3, (B >>> 3) + k + 1)], [...Array(k).fill(0), FENCE]);
    });

    for (const count of COUNTS) {
      test(`a system of ${count} vectors, and its solution`, () => {
        const { vectors, weights, s } = place(k, count);
        const [c, l2] = [0.3, 0.5];
        for (const [n, weight] of weights.entries())
          kernels.list(at(LISTED), at(LISTED_WEIGHTS), n, at(words[(ADDRESSES >>> 2) + n]), weight);
        doubles[(MATRIX >>> 3) + k * k] = FENCE;
        kernels.ridge(at(MATRIX), at(B), at(S), k, c, l2);
        kernels.addAll(at(MATRIX), at(B), at(LISTED), at(LISTED_WEIGHTS), count, k, at(BLOCK));
        const a = s.map((row, f) =>
          row.map(
            (value, g) =>
              c * value + (f === g ? l2 : 0) + vectors.reduce((sum, v, n) => sum + weights[n] * v[f] * v[g], 0),
          ),
        );
        const b = s.map((_, f) => vectors.reduce((sum, v, n) => sum + weights[n] * v[f], 0));
        for (let f = 0; f < k; f++) {
          near(doubles[(B >>> 3) + f], b[f], `b ${f}`, 1e-12);
          for (let g = 0; g <= f; g++) near(doubles[(MATRIX >>> 3) + f * k + g], a[f][g], `A ${f} ${g}`, 1e-12);
        }
        kernels.factorise(at(MATRIX), k, l2);
        kernels.substitute(at(MATRIX), k, at(B));
        const x = [...doubles.subarray(B >>> 3, (B >>> 3) + k)];
        for (const [f, row] of a.entries()) near(dot(row, x), b[f], `equation ${f}`, 1e-9);
        assert.equal(doubles[(MATRIX >>> 3) + k * k], FENCE);
      });
    }

    test('no pivot is smaller than is possible', () => {
      doubles.fill(0, MATRIX >>> 3, (MATRIX >>> 3) + k * k);
      kernels.factorise(at(MATRIX), k, 4);
      for (let f = 0; f < k; f++) assert.equal(doubles[(MATRIX >>> 3) + f * k + f], 2);
    });

    test('a vector as f64', () => {
      const { p } = place(k, 1);
      doubles[(B >>> 3) + k] = FENCE;
      kernels.widen(at(P), k, at(B));
      assert.deepEqual([...doubles.subarray(B >>> 3, (B >>> 3) + k + 1)], [...p, FENCE]);
    });
  });
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, f) => sum + x * b[f], 0);
}
