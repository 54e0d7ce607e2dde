import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Random, type WritableAddress } from '../contract/index.ts';
import { type ItemCfKernels, kernels as module } from './kernels.ts';
import { TransitionRows } from './reference.ts';

/* Kernels by themselves, over rows that are written down here; what they do over tables is in `oracle.test.ts`. */

const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true });
const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(module.url)), { env: { memory } });
const kernels = instance.exports as unknown as ItemCfKernels;
const words = new Uint32Array(memory.buffer);
const floats = new Float32Array(memory.buffer);
const at = (address: number) => address as WritableAddress;

test('what is cleared is zero, and nothing behind it', () => {
  for (const count of [0, 1, 3, 4, 5, 7, 8, 17]) {
    floats.fill(7, 1024, 1056);
    kernels.clear(at(4096), count);
    const expected = Array.from({ length: 32 }, (_, n) => (n < count ? 0 : 7));
    assert.deepEqual(Array.from(floats.subarray(1024, 1056)), expected, `${count} numbers`);
  }
});

const ITEMS = 40;
const VIEW = 1024;
const RECENT = 2048;
const GAINS = 3072;
const DIRECTORY = 512;
const ROWS = 65_536;

/** Rows of `partners` entries: keys, weights, length and scale, without a table. */
function makeRows(partners: number): void {
  const stride = 16 * Math.ceil((8 * partners + 8) / 16);
  words.fill(0, ROWS >>> 2, (ROWS + ITEMS * stride) >>> 2);
  words[DIRECTORY >>> 2] = ROWS;
  for (const [n, word] of [
    DIRECTORY,
    16,
    65_535,
    stride,
    ITEMS,
    0,
    4 * partners,
    8 * partners,
    8 * partners + 4,
    partners,
  ].entries())
    kernels.put(at(VIEW), n, word);
}

for (const partners of [4, 8, 12, 28]) {
  for (const keep of [1, 0.9, 0.5]) {
    test(`rows of ${partners} entries that keep ${keep} are those of the reference`, () => {
      const config = { partners, keep, window: 7, exponent: 0.7, back: 0.5, recent: 1, fade: 1 };
      const reference = new TransitionRows(config);
      const random = new Random();
      random.key(partners, 0);
      makeRows(partners);
      for (let n = 0; n < config.window; n++) floats[(GAINS >>> 2) + n] = (1 + n) ** -config.exponent;
      for (let event = 0; event < 2000; event++) {
        const before = Array.from({ length: random.below(config.window + 1) }, () => random.below(ITEMS));
        const item = random.below(ITEMS);
        words.set(before, RECENT >>> 2);
        kernels.follow(at(VIEW), item, before.length, at(RECENT), at(GAINS), 1, config.back, keep);
        reference.follow(item, before);
      }
      for (let from = 0; from < ITEMS; from++) {
        const expected = new Map(reference.leads(from));
        for (let to = 0; to < ITEMS; to++) {
          const [found, wanted] = [kernels.leads(at(VIEW), from, to), expected.get(to) ?? 0];
          assert.ok(
            Math.abs(found - wanted) <= 1e-6 * Math.max(1, wanted),
            `${from} leads to ${to}: ${found}, ${wanted}`,
          );
        }
      }
      // Amended to nothing, a row has room again.
      for (let to = 0; to < ITEMS; to++) kernels.amend(at(VIEW), 3, to, -1000);
      for (let to = 0; to < ITEMS; to++) assert.equal(kernels.leads(at(VIEW), 3, to), 0);
      kernels.amend(at(VIEW), 3, 5, 0.25);
      assert.equal(kernels.leads(at(VIEW), 3, 5), 0.25);
    });
  }
}
