import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instantiate } from '../../test/support/kernel-bench.ts';
import { type Address, Random, type WritableAddress } from '../contract/index.ts';
import * as reference from './kernels.reference.ts';
import { kernels as module, NOWHERE, tasteBytes } from './kernels.ts';
import { triangle } from './tables.ts';

/* The kernels give the bits of the reference, at lengths around the width of vectors, and for every number of items. */

const FENCE = 4;
const WIDTHS = [1, 2, 3, 7, 8, 9, 64];
const ITEMS_MAX = 9;
const RIDGE = 7;
const known = { prior: 50, rate: 0.03 };

const { kernels, memory } = instantiate(module);
const floats = new Float32Array(memory.buffer);
const doubles = new Float64Array(memory.buffer);

const random = new Random();
random.key(1, 0);
const draw = (n: number) => Float64Array.from({ length: n }, () => random.next() / 2 ** 31 - 1);

/** As they often are: nobody was shown most of them. */
const counts: reference.Counts[] = [
  ...[0, 0, 0, 0, 12, 12].map((shown) => ({ shown, earned: 0 })),
  { shown: 12, earned: 0.2 },
  { shown: 900, earned: 40 },
  { shown: 0, earned: 0 },
];

/** Rows of items in the kernels' memory, the user, and room for what is asked and found. */
function bench(n: number, vectors: readonly Float32Array[]) {
  const stride = 16 * Math.ceil((4 * n) / 16) + 16;
  const [rows, user] = [4096, 4096 + stride * ITEMS_MAX];
  const taste = (user + 8 * (n + triangle(n))) as WritableAddress;
  const out = (taste + tasteBytes(n) + 8) as WritableAddress;
  for (const [item, vector] of vectors.entries()) {
    floats.set(vector, (rows + stride * item) >>> 2);
    doubles.set([counts[item].shown, counts[item].earned], (rows + stride * (item + 1) - 16) >>> 3);
  }
  doubles[(taste + tasteBytes(n)) >>> 3] = FENCE;
  const shown = rows + stride - 16;
  return {
    item: (row: number) => [rows, shown, shown + 8].map((at) => at + stride * row) as [Address, Address, Address],
    stride,
    user,
    taste,
    out,
    /** The first `count` scores, behind which nothing was written. */
    scores(count: number): number[] {
      assert.equal(floats[(out >>> 2) + count], FENCE, 'a kernel wrote behind the scores');
      assert.equal(doubles[(taste + tasteBytes(n)) >>> 3], FENCE, 'a kernel wrote behind what is asked');
      return Array.from(floats.subarray(out >>> 2, (out >>> 2) + count));
    },
    clear: () => floats.fill(FENCE, out >>> 2, (out >>> 2) + ITEMS_MAX + 1),
  };
}

describe('by what exposures earn, items score to the bit as the reference says', () => {
  const { item, stride, out, scores, clear } = bench(
    1,
    counts.map(() => Float32Array.of(1)),
  );
  const [, shown, earned] = item(0);
  for (const z of [-3, 0, 2])
    test(`at quantile ${z}`, () => {
      for (const { prior, rate } of [known, { prior: 1, rate: 1e-4 }])
        for (let count = 0; count <= ITEMS_MAX; count++) {
          clear();
          kernels.scoresByItem(shown, earned, stride, count, prior, rate, z, 0.7, out);
          assert.deepEqual(
            scores(count),
            counts.slice(0, count).map((each) => reference.scoreByItem(each, { prior, rate }, z, 0.7)),
          );
        }
    });
});

describe('by taste, items score to the bit as the reference says', () => {
  for (const n of WIDTHS) {
    const vectors = counts.map(() => Float32Array.from(draw(n)));
    const weights = draw(n);
    const inverse = draw(triangle(n)).map(Math.abs);
    for (const [who, taste] of Object.entries({ user: { weights, inverse }, stranger: { ridge: RIDGE } }))
      test(`for a ${who}, by vectors of ${n}`, () => {
        const at = bench(n, vectors);
        doubles.set(weights, at.user >>> 3);
        doubles.set(inverse, (at.user >>> 3) + n);
        const [w, a] = who === 'user' ? [at.user, at.user + 8 * n] : [NOWHERE, NOWHERE];
        // What another one was asked for is no part of it.
        doubles.fill(9, at.taste >>> 3, (at.taste + tasteBytes(n)) >>> 3);
        kernels.ask(w as Address, a as Address, RIDGE, n, at.taste);
        for (const reach of [0, 1.5])
          for (let count = 0; count <= ITEMS_MAX; count++) {
            at.clear();
            const { prior, rate } = known;
            kernels.scoresByTaste(...at.item(0), at.stride, count, n, at.taste, prior, rate, reach, at.out);
            assert.deepEqual(
              at.scores(count),
              vectors
                .slice(0, count)
                .map((vector, row) => reference.scoreByTaste(vector, counts[row], known, taste, reach)),
            );
          }
        for (const [row, vector] of vectors.entries()) {
          kernels.believe(...at.item(row), n, at.taste, known.prior, known.rate, at.out);
          const { mean, deviation } = reference.believe(vector, counts[row], known, taste);
          assert.deepEqual(Array.from(doubles.subarray(at.out >>> 3, (at.out >>> 3) + 2)), [mean, deviation]);
        }
      });
  }
});
