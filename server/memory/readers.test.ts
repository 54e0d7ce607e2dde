import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena, HEADER } from './arena.ts';
import { READERS_MAX, Reader, Reclaimer } from './readers.ts';
import { startThread } from './testing/threads.ts';

const BYTES = 64;

function setUp() {
  const arena = Arena.create(16 * 2 ** 20);
  const reclaimer = new Reclaimer(arena);
  /** Whether a block of this address can be had now. */
  const isFree = (address: number) => {
    reclaimer.collect();
    const got = arena.allocate(BYTES);
    arena.free(got, BYTES);
    return got === address;
  };
  return { arena, reclaimer, isFree };
}

test('a block is free at the next collection when no reader is inside', () => {
  const { arena, reclaimer, isFree } = setUp();
  const block = arena.allocate(BYTES);
  reclaimer.retire(block, BYTES);
  assert.notEqual(arena.allocate(BYTES), block);
  assert.ok(isFree(block));
});

test('a block is kept while a reader is inside that was so when it was retired', () => {
  for (const slot of [0, READERS_MAX - 1]) {
    const { arena, reclaimer, isFree } = setUp();
    const block = arena.allocate(BYTES);
    new Reader(arena, slot).run(() => {
      reclaimer.retire(block, BYTES);
      assert.ok(!isFree(block));
    });
    assert.ok(isFree(block));
  }
});

test('a reader that went in later keeps nothing back', () => {
  const { arena, reclaimer, isFree } = setUp();
  const block = arena.allocate(BYTES);
  reclaimer.retire(block, BYTES);
  new Reader(arena, 3).run(() => assert.ok(isFree(block)));
});

test('the oldest reader counts, and a read that throws is over', () => {
  const { arena, reclaimer, isFree } = setUp();
  const block = arena.allocate(BYTES);
  new Reader(arena, 1).run(() => {
    reclaimer.retire(block, BYTES);
    const failing = new Reader(arena, 0);
    assert.throws(() => failing.run(() => assert.fail('read')), /read/);
    new Reader(arena, 2).run(() => assert.ok(!isFree(block)));
  });
  assert.ok(isFree(block));
});

test('blocks are freed exactly when their readers have left, whatever the order, and across the wrap of epochs', () => {
  type Step = { readonly reader: number };
  const steps = fc.array(fc.record<Step>({ reader: fc.integer({ min: -2, max: 3 }) }), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 0xffff_fffb, 0x7fff_fffb), (sequence, epoch) => {
      const arena = Arena.create(2 ** 18);
      const reclaimer = new Reclaimer(arena);
      const words = new Uint32Array(arena.memory.buffer, HEADER.readers, 1 + READERS_MAX);
      words[0] = epoch;
      /** For each reader that is inside the blocks that it may hold. */
      const inside = new Map<number, Set<number>>();
      const freed: number[] = [];
      arena.free = (address) => freed.push(address);
      let retired: number[] = [];
      for (const { reader } of sequence) {
        if (reader === -1) {
          const block = arena.allocate(BYTES);
          retired.push(block);
          for (const held of inside.values()) held.add(block);
          reclaimer.retire(block, BYTES);
        } else if (reader === -2) {
          reclaimer.collect();
          const held = new Set([...inside.values()].flatMap((blocks) => [...blocks]));
          assert.deepEqual(
            freed.splice(0),
            retired.filter((block) => !held.has(block)),
          );
          retired = retired.filter((block) => held.has(block));
        } else if (inside.delete(reader)) {
          words[1 + reader] = 0;
        } else {
          // Readers overlap here, so the word is set as `run` sets it.
          words[1 + reader] = words[0];
          inside.set(reader, new Set());
        }
      }
    }),
  );
});

test('a writer that never collects does so by itself', () => {
  const { arena, reclaimer } = setUp();
  const bytes = 2 ** 16;
  for (let n = 0; n < 1000; n++) reclaimer.retire(arena.allocate(bytes), bytes);
  assert.ok(arena.usedBytes < 20 * bytes);
});

test('a drain waits for those inside, and not for one who never leaves', async () => {
  const { arena, reclaimer, isFree } = setUp();
  const bell = arena.allocate(4);
  const block = arena.allocate(BYTES);
  const thread = await startThread(arena, 'stayInside', { bell, ms: 50 });
  Atomics.wait(arena.i32, bell >>> 2, 0);
  reclaimer.retire(block, BYTES);
  assert.ok(!isFree(block));
  reclaimer.drain();
  assert.ok(isFree(block));
  await thread.result;
  new Reader(arena, 0).run(() => {
    reclaimer.retire(arena.allocate(BYTES), BYTES);
    reclaimer.drain();
    assert.ok(!isFree(block));
  });
});

test('runs do not nest, and there is an end to readers', () => {
  const { arena } = setUp();
  const reader = new Reader(arena, 0);
  assert.throws(() => reader.run(() => reader.run(() => 0)), /inside already/);
  assert.equal(
    reader.run(() => 5),
    5,
  );
  assert.throws(() => new Reader(arena, READERS_MAX), /no reader 64/);
});

test('a reader that comes before the writer counts too', () => {
  const arena = Arena.create(2 ** 20);
  new Reader(arena, 0).run(() => {
    const reclaimer = new Reclaimer(arena);
    const block = arena.allocate(BYTES);
    reclaimer.retire(block, BYTES);
    reclaimer.collect();
    assert.notEqual(arena.allocate(BYTES), block);
  });
});

test('another thread never sees the block that it reads change', async () => {
  const { arena, reclaimer } = setUp();
  const pointer = arena.allocate(BYTES);
  const words = 16;
  const swap = (value: number) => {
    const old = arena.u32[pointer >>> 2];
    const block = arena.allocate(4 * words);
    arena.u32.fill(value, block >>> 2, (block >>> 2) + words);
    Atomics.store(arena.u32, pointer >>> 2, block);
    if (old !== 0) reclaimer.retire(old, 4 * words);
    reclaimer.collect();
  };
  swap(1);
  const thread = await startThread(arena, 'followPointer', { pointer, words });
  for (let value = 2; value < 100_000 || thread.seen < 100; value++) swap(value);
  await thread.finish();
  assert.ok(arena.usedBytes < 2 ** 20, 'the blocks were used again');
});
