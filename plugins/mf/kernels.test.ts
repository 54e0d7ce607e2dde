import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { instantiate, VectorBench } from '../../test/support/kernel-bench.ts';
import { Random, type WritableAddress } from '../contract/index.ts';
import * as reference from './kernels.reference.ts';
import { kernels as module } from './kernels.ts';

/* The kernels give the bits of the reference, at lengths around the width of a vector (4) and of two of them. */

const LENGTHS = [0, 1, 3, 4, 5, 7, 8, 9, 12, 15, 16, 31, 64, 67, 256];

const { kernels, memory } = instantiate(module);

const random = new Random();
random.key(1, 0);
const draw = (k: number, low = -1) =>
  Float32Array.from({ length: k }, () => low + ((1 - low) * random.next()) / 2 ** 32);

const gradient = { rate: 0.12, error: -1.7, l2: 0.02 };
const { rate, error, l2 } = gradient;

describe('a step of k elements gives the bits of the reference', () => {
  for (const k of LENGTHS) {
    const row = draw(k);
    const other = draw(k);

    test(`sgd, k = ${k}`, () => {
      const bench = new VectorBench(memory);
      const at = bench.place(row);
      kernels.sgd(at, bench.place(other), k, rate, error, l2);
      const expected = row.slice();
      reference.sgd(expected, other, gradient);
      assert.deepEqual(bench.read(at, k), expected);
      bench.check();
    });

    test(`sgd of both rows, k = ${k}`, () => {
      const bench = new VectorBench(memory);
      const [p, q] = [bench.place(row), bench.place(other)];
      kernels.sgdBoth(p, q, k, rate, error, l2);
      const expected = [row.slice(), other.slice()];
      reference.sgdBoth(expected[0], expected[1], gradient);
      assert.deepEqual([bench.read(p, k), bench.read(q, k)], expected);
      bench.check();
    });

    test(`momentum, k = ${k}`, () => {
      const bench = new VectorBench(memory);
      const last = draw(k);
      const [at, lastAt] = [bench.place(row), bench.place(last)];
      kernels.momentum(at, bench.place(other), k, rate, error, l2, lastAt, -0.7);
      const [expected, expectedLast] = [row.slice(), last.slice()];
      reference.momentum(expected, other, gradient, expectedLast, -0.7);
      assert.deepEqual(bench.read(at, k), expected);
      assert.deepEqual(bench.read(lastAt, k), expectedLast);
      bench.check();
    });

    test(`adagrad, k = ${k}`, () => {
      const bench = new VectorBench(memory);
      const squares = draw(k, 0);
      const [at, squaresAt] = [bench.place(row), bench.place(squares)];
      kernels.adagrad(at, bench.place(other), k, rate, error, l2, squaresAt);
      const [expected, expectedSquares] = [row.slice(), squares.slice()];
      reference.adagrad(expected, other, gradient, expectedSquares);
      assert.deepEqual(bench.read(at, k), expected);
      assert.deepEqual(bench.read(squaresAt, k), expectedSquares);
      bench.check();
    });

    test(`adam, k = ${k}`, () => {
      const bench = new VectorBench(memory);
      const [mean, squares] = [draw(k), draw(k, 0)];
      const [at, meanAt, squaresAt] = [bench.place(row), bench.place(mean), bench.place(squares)];
      kernels.adam(at, bench.place(other), k, rate, error, l2, meanAt, squaresAt, 0.9, 0.999, 1.25);
      const expected = row.slice();
      const moments = { mean: mean.slice(), squares: squares.slice(), beta1: 0.9, beta2: 0.999, fix2: 1.25 };
      reference.adam(expected, other, gradient, moments);
      assert.deepEqual(bench.read(at, k), expected);
      assert.deepEqual(bench.read(meanAt, k), moments.mean);
      assert.deepEqual(bench.read(squaresAt, k), moments.squares);
      bench.check();
    });
  }
});

describe('scores and dot products give the bits of the reference', () => {
  for (const k of LENGTHS) {
    test(`dot, k = ${k}`, () => {
      const bench = new VectorBench(memory);
      const [p, q] = [draw(k), draw(k)];
      assert.equal(kernels.dot(bench.place(p), bench.place(q), k), reference.dot(p, q));
    });

    test(`the three products of a pair, k = ${k}`, () => {
      const bench = new VectorBench(memory);
      const [p, q] = [draw(k), draw(k)];
      const out = bench.place(new Float32Array(3));
      kernels.gram(bench.place(p), bench.place(q), k, out);
      assert.deepEqual(Array.from(bench.read(out, 3)), reference.gram(p, q));
      bench.check();
    });

    for (const count of [0, 1, 3, 4, 5, 11]) {
      test(`scores, also scaled, k = ${k}, ${count} items`, () => {
        const bench = new VectorBench(memory);
        const p = draw(k);
        // A row is k factors, one number of another column, and the rank or the scale.
        const rows = Array.from({ length: count }, () => draw(k + 2));
        const at = bench.place(p);
        const q = bench.place(Float32Array.from(rows.flatMap((row) => Array.from(row))));
        const out = bench.place(new Float32Array(count));
        const rank = (q + 4 * (k + 1)) as WritableAddress;
        kernels.scores(at, q, rank, 4 * (k + 2), k, count, out);
        const expected = rows.map((row) => Math.fround(reference.dot(p, row.slice(0, k)) + row[k + 1]));
        assert.deepEqual(Array.from(bench.read(out, count)), expected);
        kernels.scaledScores(at, q, rank, 4 * (k + 2), k, count, out);
        const scaled = rows.map((row) => Math.fround(reference.dot(p, row.slice(0, k)) * row[k + 1]));
        assert.deepEqual(Array.from(bench.read(out, count)), scaled);
        bench.check();
      });
    }
  }
});

describe('the contrast of one row with others gives the bits of the reference', () => {
  for (const [k, count, scale] of [
    [1, 1, 1],
    [5, 2, 1],
    [16, 33, 4],
    [67, 33, 0.3],
    [64, 7, 100],
  ]) {
    test(`k = ${k}, ${count} rows`, () => {
      const bench = new VectorBench(memory);
      const s = draw(k).map((x) => scale * x);
      const rows = Array.from({ length: count }, () => draw(k));
      const biases = draw(count);
      const at = bench.place(s);
      const places = rows.map((row) => bench.place(row));
      const list = bench.place(new Float32Array(count));
      new Uint32Array(memory.buffer).set(places, list >>> 2);
      const errors = bench.place(biases);
      const gradient = bench.place(draw(k));
      kernels.contrast(at, list, k, count, errors, gradient);
      const expected = reference.contrast(s, rows, biases);
      assert.deepEqual(bench.read(errors, count), expected.errors);
      assert.deepEqual(bench.read(gradient, k), expected.gradient);
      for (const [n, place] of places.entries()) assert.deepEqual(bench.read(place, k), rows[n]);
      bench.check();
    });
  }

  test('its exponential function is that of the engine, but for rounding', () => {
    for (let x = 0; x > -90; x -= 0.37) assert.ok(Math.abs(reference.expDown(x) / Math.exp(x) - 1) < 1e-8, `${x}`);
    assert.equal(reference.expDown(-800), 0);
  });
});

test('sigmoids give the bits of the reference, and those of the engine but for rounding', () => {
  for (const count of [0, 1, 5, 64]) {
    const bench = new VectorBench(memory);
    const logits = draw(count).map((x) => 40 * x);
    const at = bench.place(logits);
    kernels.sigmoids(at, count, -1.25);
    const found = bench.read(at, count);
    assert.deepEqual(found, reference.sigmoids(logits, -1.25));
    for (const [n, p] of found.entries()) assert.ok(Math.abs(p * (1 + Math.exp(1.25 - logits[n])) - 1) < 1e-6, `${p}`);
    bench.check();
  }
});

test('the module has no data segment: two modules share one memory', () => {
  const bytes = readFileSync(module.url);
  assert.deepEqual(
    sections(bytes).filter((id) => id === DATA),
    [],
  );
});

const DATA = 11;

/** The ids of the sections of a WebAssembly module. */
function sections(bytes: Buffer): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]);
    let length = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[at++];
      length |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    at += length;
  }
  return ids;
}
