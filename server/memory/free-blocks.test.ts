import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { FREE_BLOCKS_BYTES, FreeBlocks } from './free-blocks.ts';

const UNIT = 64;
const KIB = 1024;

function makeMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
}

test('a block comes back for its own size alone, the last one first', () => {
  const blocks = new FreeBlocks(makeMemory(), 16, UNIT);
  assert.equal(blocks.take(4 * KIB), undefined);
  for (const address of [64 * KIB, 128 * KIB]) assert(blocks.put(address, 4 * KIB));
  assert(blocks.put(256 * KIB, 8 * KIB));
  assert.deepEqual(
    [blocks.take(4 * KIB), blocks.take(4 * KIB), blocks.take(4 * KIB)],
    [128 * KIB, 64 * KIB, undefined],
  );
  assert.equal(blocks.take(8 * KIB), 256 * KIB);
});

test('all attachments see the same blocks', () => {
  const memory = makeMemory();
  new FreeBlocks(memory, 16, UNIT).put(64 * KIB, KIB);
  assert.equal(new FreeBlocks(memory, 16, UNIT).take(KIB), 64 * KIB);
});

test('there is room for so many sizes', () => {
  const blocks = new FreeBlocks(makeMemory(), 16, UNIT);
  const sizes = Array.from({ length: 70 }, (_, n) => (n + 1) * UNIT);
  const kept = sizes.filter((bytes) => blocks.put(64 * KIB + 16 * KIB * (bytes / UNIT), bytes));
  assert.equal(kept.length, FREE_BLOCKS_BYTES / 16);
  for (const bytes of kept) assert.equal(blocks.take(bytes), 64 * KIB + 16 * KIB * (bytes / UNIT));
});

test('threads that take and give at once never hold the same block', async () => {
  const memory = makeMemory();
  const blocks = new FreeBlocks(memory, 16, UNIT);
  for (let n = 0; n < 8; n++) blocks.put(64 * KIB + n * KIB, KIB);
  const source = `
    const { workerData } = require('node:worker_threads');
    import(workerData.url).then(({ FreeBlocks }) => {
      const blocks = new FreeBlocks(workerData.memory, 16, 64);
      const words = new Int32Array(workerData.memory.buffer);
      for (let n = 0; n < 50000; n++) {
        const block = blocks.take(1024);
        if (block === undefined) continue;
        // The second word says who holds it.
        if (Atomics.add(words, (block >>> 2) + 1, 1) !== 0) throw new Error('two threads hold ' + block);
        Atomics.sub(words, (block >>> 2) + 1, 1);
        blocks.put(block, 1024);
      }
    });`;
  const workerData = { memory, url: new URL('./free-blocks.ts', import.meta.url).href };
  const workers = [0, 1, 2].map(() => new Worker(source, { eval: true, workerData }));
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on('error', reject);
          worker.on('exit', () => resolve());
        }),
    ),
  );
  const left = new Set<number>();
  for (let block = blocks.take(KIB); block !== undefined; block = blocks.take(KIB)) left.add(block);
  assert.equal(left.size, 8);
});
