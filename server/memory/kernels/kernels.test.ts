import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeBlock } from '../features/feature-blocks.ts';
import { highArena } from '../testing/high-arena.ts';
import { loadHostKernels, loadKernels } from './host-kernels.ts';
import * as reference from './kernels.reference.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const area = arena.allocate(2 ** 20);
const out = arena.allocate(2 ** 20);

/** Runs the kernel over bytes that lie `shift` bytes into the area, between other bytes. */
function hash(bytes: Uint8Array, seed: bigint, shift = 0): bigint {
  arena.u8.fill(0xaa, area, area + bytes.length + shift + 64);
  arena.u8.set(bytes, area + shift);
  return kernels.xxh64(area + shift, bytes.length, seed);
}

/** The scores, between others that are better than any of them. */
function place(scores: Float32Array): number {
  const at = area + 16;
  arena.f32.fill(Number.POSITIVE_INFINITY, area >>> 2, (at >>> 2) + scores.length + 16);
  arena.f32.set(scores, at >>> 2);
  return at;
}

function top(scores: Float32Array, k: number): { positions: number[]; scores: number[] } {
  arena.u32.fill(0xdead_beef, out >>> 2, (out >>> 2) + 2 * k + 4);
  const found = kernels.topK(place(scores), scores.length, k, out);
  assert.equal(arena.u32[(out >>> 2) + 2 * k], 0xdead_beef, 'wrote past the end');
  const entries = Array.from({ length: found }, (_, n) => (out >>> 2) + 2 * n);
  return { positions: entries.map((at) => arena.u32[at + 1]), scores: entries.map((at) => arena.f32[at]) };
}

const anyScore = fc.oneof(
  fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, -0, 1, 1, 2),
  fc.float(),
  fc.integer({ min: -3, max: 3 }),
);
const anyScores = fc.array(anyScore, { maxLength: 130, size: 'max' }).map((scores) => Float32Array.from(scores));

test('XXH64 has the values that its author published', () => {
  const cases: [text: string, seed: bigint, hash: bigint][] = [
    ['', 0n, 0xef46_db37_51d8_e999n],
    ['a', 0n, 0xd24e_c4f1_a98c_6e5bn],
    ['abc', 0n, 0x44bc_2cf5_ad77_0999n],
    ['xxhash', 20_141_025n, 0xb559_b98d_844e_0635n],
    ['I want an unsigned 64-bit seed!', 0n, 0xd4cb_0a70_a2b8_c7c1n],
    ['The quick brown fox jumps over the lazy dog', 0n, 0x0b24_2d36_1fda_71bcn],
  ];
  for (const [text, seed, expected] of cases) {
    assert.equal(hash(Buffer.from(text), seed), expected, text);
    assert.equal(reference.xxh64(Buffer.from(text), seed), expected, text);
  }
});

test('XXH64 is its reference at every length, place and seed', () => {
  const bytes = fc.uint8Array({ maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(bytes, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(9), (message, seed, shift) => {
      assert.equal(hash(message, seed, shift), reference.xxh64(message, seed));
    }),
    { numRuns: 500 },
  );
});

test('draws are those of their reference, and of key and position alone', () => {
  const sds = fc.double({ min: 1e-6, max: 100, noNaN: true });
  fc.assert(
    fc.property(fc.nat(70), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), sds, (count, key, sd) => {
      arena.f32.fill(-1, area >>> 2, (area >>> 2) + count + 4);
      kernels.fillNormal(area, count, key, sd);
      const drawn = arena.f32.slice(area >>> 2, (area >>> 2) + count + 4);
      assert.deepEqual(drawn.subarray(0, count), reference.fillNormal(count, key, sd));
      assert.ok(drawn.subarray(count).every((value) => value === -1));
    }),
  );
});

test('draws have mean 0 and the standard deviation asked for, and stay within 3.5 of it', () => {
  const count = 200_000;
  const sd = 0.25;
  kernels.fillNormal(area, count, 42n, sd);
  const drawn = arena.f32.slice(area >>> 2, (area >>> 2) + count);
  const mean = drawn.reduce((sum, value) => sum + value, 0) / count;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const fourth = drawn.reduce((sum, value) => sum + (value - mean) ** 4, 0) / count;
  assert.ok(Math.abs(mean) < 0.002, `mean ${mean}`);
  assert.ok(Math.abs(Math.sqrt(variance) - sd) < 0.002, `sd ${Math.sqrt(variance)}`);
  // The sum of four uniforms has kurtosis 2.7, a normal 3, one uniform 1.8.
  assert.ok(Math.abs(fourth / variance ** 2 - 2.7) < 0.05, `kurtosis ${fourth / variance ** 2}`);
  assert.ok(drawn.every((value) => Math.abs(value) < 3.5 * sd));
});

test('draws of neighbouring keys and positions are unrelated', () => {
  const count = 50_000;
  kernels.fillNormal(area, count + 1, 1n, 1);
  kernels.fillNormal(area + 8 * count, count, 2n, 1);
  let along = 0;
  let across = 0;
  for (let n = 0; n < count; n++) {
    along += arena.f32[(area >>> 2) + n] * arena.f32[(area >>> 2) + n + 1];
    across += arena.f32[(area >>> 2) + n] * arena.f32[(area >>> 2) + 2 * count + n];
  }
  assert.ok(Math.abs(along / count) < 0.02 && Math.abs(across / count) < 0.02, `${along / count}, ${across / count}`);
});

test('the best are those of a full sort: ties, infinities, NaN and any k', () => {
  fc.assert(
    fc.property(anyScores, fc.nat(140), (scores, k) => {
      const expected = reference.topK(scores, k);
      const found = top(scores, k);
      assert.deepEqual(found.positions, expected);
      for (const [n, score] of found.scores.entries()) assert.ok(score === scores[expected[n]]);
    }),
    { numRuns: 300 },
  );
});

test('the best of nothing, none of the best', () => {
  assert.deepEqual(top(new Float32Array(0), 5).positions, []);
  assert.deepEqual(top(new Float32Array(0), 0).positions, []);
  assert.deepEqual(top(Float32Array.of(1, 2), 0).positions, []);
  assert.deepEqual(top(Float32Array.of(1, 3, 2), 5).positions, [1, 2, 0]);
  assert.deepEqual(top(new Float32Array(100).fill(Number.NaN), 5).positions, []);
  assert.deepEqual(top(new Float32Array(100).fill(7), 3).positions, [0, 1, 2]);
});

test('the best of many are found: rising, falling and mixed', () => {
  const count = 10_007;
  const orders: ((n: number) => number)[] = [
    (n) => n,
    (n) => -n,
    (n) => (n * 7919) % 1009,
    (n) => (n % 8 === 7 ? n : Number.NaN),
  ];
  for (const order of orders) {
    const scores = Float32Array.from({ length: count }, (_, n) => order(n));
    for (const k of [1, 10, 1000]) assert.deepEqual(top(scores, k).positions, reference.topK(scores, k));
  }
});

test('a rank is the place in the full sort', () => {
  fc.assert(
    fc.property(anyScores, (scores) => {
      const at = place(scores);
      for (let position = 0; position < scores.length; position++) {
        assert.equal(kernels.rankOf(at, scores.length, position), reference.rankOf(scores, position));
      }
    }),
    { numRuns: 50 },
  );
});

test('rows that may not be recommended are left out, at every edge of their times', () => {
  const anyTime = fc.constantFrom(0, 99.5, 100, 100.5, 1e9, Number.POSITIVE_INFINITY);
  const anyRow = fc.record({ from: anyTime, until: anyTime, marks: fc.nat(15) });
  const stride = 24;
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 70, size: 'max' }), anyTime, (rows, now) => {
      const scores = Float32Array.from(rows, (_, n) => n - 3);
      for (const [n, { from, until, marks }] of rows.entries()) {
        arena.f64[(out + stride * n) >>> 3] = from;
        arena.f64[(out + stride * n + 8) >>> 3] = until;
        arena.u32[(out + stride * n + 16) >>> 2] = marks;
      }
      // What follows the last row hides everything: nobody may look at it.
      arena.u32.fill(2, (out + stride * rows.length) >>> 2, (out + stride * (rows.length + 2)) >>> 2);
      const at = place(scores);
      kernels.excludeUnavailable(at, out, stride, rows.length, now);
      assert.deepEqual(
        arena.f32.slice(at >>> 2, (at >>> 2) + rows.length + 1),
        Float32Array.of(...reference.excludeUnavailable(scores, rows, now), Number.POSITIVE_INFINITY),
      );
    }),
    { numRuns: 300 },
  );
});

test('a mask leaves out what its bits do not name, at every length', () => {
  const anyWord = fc.oneof(fc.constantFrom(0, 0xffff_ffff, 0x8000_0000, 1), fc.nat(0xffff_ffff));
  fc.assert(
    fc.property(fc.nat(130), fc.array(anyWord, { minLength: 5, maxLength: 5 }), (count, words) => {
      const scores = Float32Array.from({ length: count }, (_, n) => n - 3);
      arena.u32.set(words, out >>> 2);
      const at = place(scores);
      kernels.applyMask(at, out, count);
      assert.deepEqual(
        arena.f32.slice(at >>> 2, (at >>> 2) + count + 1),
        Float32Array.of(...reference.applyMask(scores, Uint32Array.from(words)), Number.POSITIVE_INFINITY),
      );
    }),
    { numRuns: 300 },
  );
});

const anyIndexRow = fc.record({
  numbers: fc.array(fc.record({ field: fc.nat(2), value: fc.constantFrom(-1, 0, 1, 1.5, Number.NaN) }), {
    maxLength: 4,
  }),
  terms: fc.array(fc.nat(70), { maxLength: 6 }),
});
const anyIndexRows = fc.array(fc.option(anyIndexRow, { nil: undefined }), { maxLength: 70, size: 'max' });
const NOTHING_KNOWN = { numbers: [], terms: [] };

/** Puts blocks of the rows into the memory, runs a kernel over their places, and tells which rows it marked. */
function marked(
  rows: readonly (reference.IndexRow | undefined)[],
  mark: (places: number, stride: number, count: number, marks: number) => void,
): boolean[] {
  const stride = 8;
  const words = Math.ceil(rows.length / 32);
  const marks = out + 65_536;
  for (const [n, row] of rows.entries()) {
    arena.u32[(out + stride * n) >>> 2] = row ? makeBlock(arena, Uint8Array.of(1, 2, 3), row.numbers, row.terms) : 0;
  }
  arena.u32.fill(0, marks >>> 2, (marks >>> 2) + words + 1);
  mark(out, stride, rows.length, marks);
  assert.equal(arena.u32[(marks >>> 2) + words], 0, 'marked beyond the end');
  return rows.map((_, n) => ((arena.u32[(marks >>> 2) + (n >>> 5)] >>> (n & 31)) & 1) === 1);
}

test('rows are marked that have a term, or one of a set', () => {
  fc.assert(
    fc.property(anyIndexRows, fc.array(fc.nat(63)), fc.nat(70), (rows, terms, term) => {
      const known = rows.map((row) => row ?? NOTHING_KNOWN);
      assert.deepEqual(
        marked(rows, (places, stride, count, marks) => kernels.markTerm(places, stride, count, term, marks)),
        reference.markTerm(known, term),
      );
      // Of 64 terms; those of the rows beyond them are in no set.
      const set = area + 8;
      arena.u32.fill(0xffff_ffff, set >>> 2, (set >>> 2) + 4);
      for (const word of [0, 1]) {
        const bits = terms.filter((member) => member >>> 5 === word);
        arena.u32[(set >>> 2) + word] = bits.reduce((sum, member) => sum | (1 << (member & 31)), 0);
      }
      assert.deepEqual(
        marked(rows, (places, stride, count, marks) => kernels.markTerms(places, stride, count, set, 64, marks)),
        reference.markTerms(known, new Set(terms)),
      );
    }),
  );
});

test('rows are marked that have a number in a field on one side of a bound', () => {
  const anyBound = fc.constantFrom(-1, 0, 0.5, 1);
  fc.assert(
    fc.property(anyIndexRows, fc.nat(2), fc.nat(7), anyBound, (rows, field, orders, bound) => {
      const known = rows.map((row) => row ?? NOTHING_KNOWN);
      assert.deepEqual(
        marked(rows, (places, stride, count, marks) =>
          kernels.markNumber(places, stride, count, field, orders, bound, marks),
        ),
        reference.markNumber(known, field, orders, bound),
      );
    }),
  );
});

test('marks are added to those that are there', () => {
  const row = { numbers: [{ field: 1, value: 2 }], terms: [5] };
  const found = marked([row, undefined, undefined], (places, stride, count, marks) => {
    arena.u32[marks >>> 2] = 2;
    kernels.markTerm(places, stride, count, 5, marks);
    kernels.markTerm(places, stride, count, 6, marks);
    kernels.markNumber(places, stride, count, 1, 1, 2, marks);
  });
  assert.deepEqual(found, [true, true, false]);
});

test('a dot product is its reference to the bit, at every length', () => {
  const anyNumber = fc.float({ min: -100, max: 100, noNaN: true });
  const anyPairs = fc.array(fc.tuple(anyNumber, anyNumber), { maxLength: 70, size: 'max' });
  fc.assert(
    fc.property(anyPairs, (pairs) => {
      const [a, b] = [0, 1].map((side) => Float32Array.from(pairs, (pair) => pair[side]));
      const at = place(a);
      arena.f32.fill(Number.NaN, out >>> 2, (out >>> 2) + pairs.length + 8);
      arena.f32.set(b, (out >>> 2) + 1);
      // Adding 0 makes one of the two zeros.
      assert.equal(kernels.dot(at, out + 4, pairs.length) + 0, reference.dot(a, b) + 0);
    }),
    { numRuns: 300 },
  );
});

test('a vector is divided by its length, and one of zeros stays', () => {
  const anyNumber = fc.oneof(fc.constant(0), fc.float({ min: -100, max: 100, noNaN: true }));
  fc.assert(
    fc.property(fc.array(anyNumber, { maxLength: 70, size: 'max' }), (numbers) => {
      const vector = Float32Array.from(numbers);
      arena.f32.fill(7, out >>> 2, (out >>> 2) + vector.length + 1);
      kernels.normalize(place(vector), vector.length, out);
      const written = arena.f32.slice(out >>> 2, (out >>> 2) + vector.length + 1);
      assert.deepEqual(written, Float32Array.of(...reference.normalize(vector), 7));
    }),
  );
  kernels.normalize(place(Float32Array.of(3, 0, -4)), 3, out);
  assert.deepEqual(arena.f32.slice(out >>> 2, (out >>> 2) + 3), Float32Array.of(0.6, 0, -0.8));
});

test('maxima are raised to dot products, and never lowered', () => {
  const anyNumber = fc.integer({ min: -9, max: 9 });
  fc.assert(
    fc.property(
      fc.nat(9),
      fc.array(anyNumber, { minLength: 100, maxLength: 100 }),
      fc.nat(9),
      (width, numbers, count) => {
        const values = Float32Array.from(numbers);
        const vectors = Array.from({ length: count }, (_, n) => values.slice(n * width, (n + 1) * width));
        const vector = values.slice(90, 90 + width);
        const maxima = values.slice(0, count);
        arena.f32.set(values, out >>> 2);
        arena.f32.set(vector, (out >>> 2) + 101);
        const at = place(maxima);
        kernels.raiseToDots(out + 404, out, width, count, at);
        const raised = arena.f32.slice(at >>> 2, (at >>> 2) + count + 1);
        const expected = reference.raiseToDots(vector, vectors, maxima);
        // Adding 0 makes one of the two zeros.
        assert.deepEqual(
          [...raised].map((value) => value + 0),
          [...expected, Number.POSITIVE_INFINITY].map((value) => value + 0),
        );
      },
    ),
  );
});

test('kernels of one file are compiled once, and work on the memory that they are given', () => {
  const other = highArena();
  const otherKernels = loadKernels<{ fillNormal(at: number, count: number, key: bigint, sd: number): void }>(
    new URL('./kernels.wasm', import.meta.url),
    other.memory,
  );
  const before = arena.u8.slice(area, area + 64);
  otherKernels.fillNormal(area, 16, 9n, 1);
  assert.ok(other.f32[area >>> 2] !== 0);
  assert.deepEqual(arena.u8.slice(area, area + 64), before);
});
