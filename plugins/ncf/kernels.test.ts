import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instantiate, VectorBench } from '../../test/support/kernel-bench.ts';
import { Random, type WritableAddress } from '../contract/index.ts';
import * as reference from './kernels.reference.ts';
import { kernels as module } from './kernels.ts';

/* The kernels give the bits of the reference, at lengths around the width of two vectors (8), and with every rank. */

const LENGTHS = [4, 8, 12, 16, 20, 32, 64, 128];

const { kernels, memory } = instantiate(module);

const random = new Random();
random.key(1, 0);
const draw = (n: number, low = -1) =>
  Float32Array.from({ length: n }, () => low + ((1 - low) * random.next()) / 2 ** 32);
const draws = (rows: number, n: number) => Array.from({ length: rows }, () => draw(n));
const joined = (rows: readonly Float32Array[]) => Float32Array.from(rows.flatMap((row) => Array.from(row)));

describe('vectors', () => {
  for (const n of LENGTHS) {
    const [p, q, v] = draws(3, n);

    test(`products, their gradients, and a dot product of ${n}`, () => {
      const bench = new VectorBench(memory);
      const at = [p, q, v].map((each) => bench.place(each));
      const [pq, wq, wp] = [1, 2, 3].map(() => bench.space(n));
      kernels.products(at[0], at[1], at[2], n, pq, wq, wp);
      const expected = reference.products(p, q, v);
      assert.deepEqual(
        [pq, wq, wp].map((each) => bench.read(each, n)),
        [expected.pq, expected.wq, expected.wp],
      );
      assert.equal(kernels.dot(at[0], at[1], n), reference.dot(p, q));
      bench.check();
    });

    test(`steps of ${n}`, () => {
      const bench = new VectorBench(memory);
      const [plain, sum, same, gradient] = [p, p, p, q].map((each) => bench.place(each));
      const lesson = { rate: 0.12, error: -1.7, l2: 0.02 };
      kernels.step(plain, gradient, n, lesson.rate, lesson.error, lesson.l2);
      kernels.addTo(sum, gradient, n, 0.3);
      kernels.copy(same, gradient, n);
      const expected = [p.slice(), p.slice()];
      reference.step(expected[0], q, lesson);
      reference.addTo(expected[1], q, 0.3);
      assert.deepEqual(
        [plain, sum, same].map((each) => bench.read(each, n)),
        [...expected, q],
      );
      bench.check();
    });

    test(`adam, ${n}`, () => {
      const bench = new VectorBench(memory);
      const moments = { mean: draw(n), squares: draw(n, 0) };
      const [row, gradient, mean, squares] = [p, q, moments.mean, moments.squares].map((each) => bench.place(each));
      const lesson = { rate: 0.01, l2: 0.1, beta1: 0.9, beta2: 0.999, fix2: 1.25 };
      const { rate, l2, beta1, beta2, fix2 } = lesson;
      kernels.adam(row, gradient, mean, squares, n, rate, l2, beta1, beta2, fix2);
      const expected = [p.slice(), q.slice(), moments.mean, moments.squares];
      reference.adam(expected[0], expected[1], moments, lesson);
      assert.deepEqual(
        [row, gradient, mean, squares].map((each) => bench.read(each, n)),
        expected,
      );
      bench.check();
    });

    for (const count of [0, 1, 5]) {
      test(`scores of ${count} items, k = ${n}`, () => {
        const bench = new VectorBench(memory);
        const rows = draws(count, n + 2);
        const at = bench.place(p);
        const items = bench.place(joined(rows));
        const out = bench.space(count);
        for (const times of [false, true]) {
          kernels.scores(at, items, (items + 4 * (n + 1)) as WritableAddress, 4 * (n + 2), n, count, times, out);
          const expected = rows.map((row) => {
            const product = reference.dot(p, row.slice(0, n));
            return Math.fround(times ? product * row[n + 1] : product + row[n + 1]);
          });
          assert.deepEqual(Array.from(bench.read(out, count)), expected);
        }
        bench.check();
      });
    }
  }
});

describe('a layer, what goes back through it, and its adapter', () => {
  for (const [ins, outs, rank] of [
    [4, 4, 0],
    [8, 4, 1],
    [12, 8, 2],
    [32, 16, 4],
    [64, 32, 8],
  ]) {
    test(`${ins} to ${outs}, rank ${rank}`, () => {
      const bench = new VectorBench(memory);
      const weights = { w: draws(ins, outs), bias: draw(outs), a: draws(rank, outs), b: draws(rank, ins) };
      const [x, dy] = [draw(ins), draw(outs)];
      const at = {
        x: bench.place(x),
        w: bench.place(joined(weights.w)),
        bias: bench.place(weights.bias),
        a: bench.place(joined(weights.a)),
        b: bench.place(joined(weights.b)),
        t: bench.space(rank),
        y: bench.space(outs),
        z: bench.place(dy),
        s: bench.space(rank),
        dx: bench.space(ins),
      };
      kernels.layer(at.x, at.w, at.bias, at.a, at.b, rank, ins, outs, at.t, at.y);
      const { t, y } = reference.layer(x, weights);
      assert.deepEqual([bench.read(at.t, rank), bench.read(at.y, outs)], [t, y]);
      kernels.back(at.z, at.y, at.w, at.a, at.b, rank, ins, outs, 1.25, at.s, at.dx);
      const { z, s, dx } = reference.back(dy, y, weights, 1.25);
      assert.deepEqual([bench.read(at.z, outs), bench.read(at.s, rank), bench.read(at.dx, ins)], [z, s, dx]);

      kernels.adapt(at.a, at.b, at.t, at.s, at.z, at.x, rank, ins, outs, 0.1, -1.5, 0.02);
      for (let j = 0; j < rank; j++) {
        const lesson = (share: number) => ({ rate: 0.1, error: Math.fround(-1.5) * share, l2: 0.02 });
        reference.step(weights.a[j], z, lesson(t[j]));
        reference.step(weights.b[j], x, lesson(s[j]));
      }
      assert.deepEqual(bench.read(at.a, rank * outs), joined(weights.a));
      assert.deepEqual(bench.read(at.b, rank * ins), joined(weights.b));

      kernels.addOuter(at.w, at.x, at.z, ins, outs, 0.7);
      for (const [i, column] of weights.w.entries()) reference.addTo(column, z, Math.fround(0.7) * x[i]);
      assert.deepEqual(bench.read(at.w, ins * outs), joined(weights.w));
      bench.check();
    });
  }
});
