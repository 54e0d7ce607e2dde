import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instantiate } from '../../test/support/kernel-bench.ts';
import { Random, type WritableAddress } from '../contract/index.ts';
import * as reference from './kernels.reference.ts';
import { kernels as module } from './kernels.ts';

/* The kernels give the bits of the reference, at lengths around the width of a vector. */

const FENCE = 4;
const { kernels, memory } = instantiate(module);
const doubles = new Float64Array(memory.buffer);
const floats = new Float32Array(memory.buffer);

const random = new Random();
random.key(1, 0);
const draw = (n: number) => Float64Array.from({ length: n }, () => random.next() / 2 ** 31 - 1);

/** Copies of vectors in the kernels' memory, each followed by a number that no kernel may touch. */
function place(...vectors: readonly Float64Array[]): WritableAddress[] {
  let top = 1024;
  return vectors.map((vector) => {
    const address = top as WritableAddress;
    doubles.set(vector, address >>> 3);
    doubles[(address >>> 3) + vector.length] = FENCE;
    top += 8 * vector.length + 8;
    return address;
  });
}

function read(address: number, length: number): Float64Array {
  assert.equal(doubles[(address >>> 3) + length], FENCE, 'a kernel wrote behind a vector');
  return doubles.slice(address >>> 3, (address >>> 3) + length);
}

/** P of a regression that has learned nothing, with variances from `variance` on. */
const diagonal = (n: number, variance: number) =>
  Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? variance + at / (n + 1) / 100 : 0));

describe('a regression learns to the bit as the reference does, and P stays symmetric', () => {
  for (const n of [1, 2, 3, 19, 22, 25, 40]) {
    for (const most of [100, 1e-3]) {
      test(`n = ${n}, forgetting is ${most < 1 ? 'paused' : 'not paused'}`, () => {
        const p = diagonal(n, 0.1);
        const w = draw(n);
        const [atP, atW, atX, atG] = place(p, w, new Float64Array(n), new Float64Array(n));
        for (let event = 0; event < 50; event++) {
          const x = draw(n);
          const lesson = {
            error: random.next() / 2 ** 31 - 1,
            weight: event % 3 === 0 ? 2.5 : 1,
            forgetting: 0.999,
            most,
          };
          doubles.set(x, atX >>> 3);
          kernels.learn(atP, atW, atX, atG, n, lesson.error, lesson.weight, lesson.forgetting, lesson.most);
          reference.learn({ p, w }, x, lesson);
        }
        assert.deepEqual(read(atP, n * n), p);
        assert.deepEqual(read(atW, n), w);
        assert.equal(kernels.dot(atW, atX, 8 * n), reference.dot(w, read(atX, n)));
        for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) assert.equal(p[i * n + j], p[j * n + i]);
      });
    }
  }
});

test('a regression finds what made the numbers', () => {
  const n = 5;
  const truth = draw(n);
  const p = diagonal(n, 1);
  const w = new Float64Array(n);
  for (let event = 0; event < 2000; event++) {
    const x = draw(n);
    const error = reference.dot(truth, x) - reference.dot(w, x);
    reference.learn({ p, w }, x, { error, weight: 1, forgetting: 0.98, most: 100 });
  }
  for (let j = 0; j < n; j++) assert(Math.abs(w[j] - truth[j]) < 1e-6, `${w[j]} is not ${truth[j]}`);
});

test('a duplicate of an input does not make it diverge in 500,000 events', () => {
  const n = 4;
  const [atP, atW, atX, atG] = place(diagonal(n, 0.1), new Float64Array(n), new Float64Array(n), new Float64Array(n));
  const x = doubles.subarray(atX >>> 3, (atX >>> 3) + n);
  let [squares, late] = [0, 0];
  for (let event = 0; event < 500_000; event++) {
    const said = random.next() / 2 ** 31 - 1;
    // The second says what the first does, and so does the third but for the middle.
    x.set([said, said, 0.1, 0.1]);
    const error = 0.7 * said + 0.2 - kernels.dot(atW, atX, 8 * n);
    if (event >= 400_000) {
      squares += error * error;
      late++;
    }
    kernels.learn(atP, atW, atX, atG, n, error, 1, 0.9999, 100);
  }
  assert(Math.sqrt(squares / late) < 1e-6, `the error is ${Math.sqrt(squares / late)}`);
  const p = read(atP, n * n);
  assert(
    p.every((value) => Math.abs(value) < 1000),
    `P reaches ${Math.max(...p)}`,
  );
});

describe('moments are those of the reference', () => {
  const cases: Record<string, Float32Array> = {
    none: new Float32Array(),
    one: Float32Array.of(3),
    'all equal': new Float32Array(7).fill(0.1),
    many: Float32Array.from(draw(67)),
    'some that say nothing': Float32Array.of(1, -1e30, 2.5, -1e30, -4),
    'none that says anything': new Float32Array(3).fill(-1e30),
  };
  for (const [name, scores] of Object.entries(cases)) {
    test(name, () => {
      const [from, to] = [1024 as WritableAddress, 4096 as WritableAddress];
      floats.set(scores, from >>> 2);
      doubles[(to >>> 3) + 2] = FENCE;
      kernels.moments(from, scores.length, to);
      assert.deepEqual([...read(to, 2)], reference.moments(scores));
    });
  }
});

describe('scores are blended as the reference does', () => {
  for (const count of [0, 1, 3, 4, 5, 16, 67]) {
    test(`${count} scores`, () => {
      const scores = Float32Array.from(draw(count));
      const out = new Float32Array(count).fill(0.25);
      const [from, to] = [1024 as WritableAddress, 4096 as WritableAddress];
      floats.set(scores, from >>> 2);
      floats[(to >>> 2) + count] = FENCE;
      kernels.fill(to, count, 0.25);
      kernels.blend(from, count, 0.3, -1.7, to);
      reference.blend(scores, 0.3, -1.7, out);
      assert.deepEqual(floats.slice(to >>> 2, (to >>> 2) + count), out);
      assert.equal(floats[(to >>> 2) + count], FENCE);
    });
  }
});
