import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena, HEADER } from './arena.ts';
import { highArena } from './testing/high-arena.ts';
import { startThread } from './testing/threads.ts';

const FULL = { reason: 'MEMORY_FULL' };

test('blocks are aligned, zeroed, apart from each other and within the budget', () => {
  const arena = Arena.create(64 * 1024 ** 2);
  const step = fc.record({ bytes: fc.nat(5000), free: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50, size: 'max' }), (steps) => {
      const held: [number, number][] = [];
      for (const { bytes, free } of steps) {
        const address = arena.allocate(bytes);
        assert.equal(address % 64, 0);
        assert.ok(address >= HEADER.end && address + bytes <= arena.budgetBytes);
        for (const [other, size] of held) assert.ok(address >= other + size || address + bytes <= other || bytes === 0);
        const block = arena.u8.subarray(address, address + bytes);
        assert.ok(block.every((byte) => byte === 0));
        block.fill(0xff);
        if (free) arena.free(address, bytes);
        else held.push([address, bytes]);
      }
      for (const [address, bytes] of held) {
        assert.ok(arena.u8.subarray(address, address + bytes).every((byte) => byte === 0xff));
        arena.free(address, bytes);
      }
    }),
  );
});

test('a freed block is used again', () => {
  const arena = Arena.create(2 ** 20);
  const addresses = [arena.allocate(1000), arena.allocate(1000), arena.allocate(1000)];
  const { usedBytes } = arena;
  for (const address of addresses) arena.free(address, 1000);
  assert.notEqual(arena.allocate(2000), addresses[0]);
  const again = [arena.allocate(1000), arena.allocate(990), arena.allocate(1010)];
  assert.deepEqual(again.toSorted(), addresses);
  assert.equal(arena.usedBytes, usedBytes + 2048);
});

test('a full memory refuses, and serves what still fits', () => {
  const arena = Arena.create(2 ** 20);
  const first = arena.allocate(2 ** 19);
  assert.throws(() => arena.allocate(2 ** 19), FULL);
  const { freeBytes } = arena;
  assert.throws(() => arena.allocate(freeBytes + 1), FULL);
  arena.allocate(freeBytes);
  assert.equal(arena.freeBytes, 0);
  assert.throws(() => arena.allocate(1), FULL);
  arena.free(first, 2 ** 19);
  assert.equal(arena.allocate(2 ** 19), first);
});

test('the message of a full memory names the budget', () => {
  const small = Arena.create(3 * 2 ** 20);
  assert.throws(() => small.allocate(2 ** 23), { message: /budget of 3 MiB .* memory\.budgetMiB/ });
  assert.throws(() => highArena().allocate(2 ** 31), { message: /budget of 4096 MiB/ });
});

test('sizes that are none are refused and change nothing', () => {
  const arena = Arena.create(2 ** 20);
  const { usedBytes } = arena;
  for (const bytes of [-1, -64, Number.NaN]) assert.throws(() => arena.allocate(bytes), /a block cannot have/);
  assert.equal(arena.usedBytes, usedBytes);
});

test('4 GiB can be used to the end, and no block ends at address 2^32', () => {
  const arena = highArena();
  const address = arena.allocate(arena.freeBytes);
  const end = address + 2 * 1024 ** 3 - HEADER.end - 64;
  assert.ok(address > 2 ** 31 && end === 2 ** 32 - 64);
  arena.f64[(end - 8) >>> 3] = 0.5;
  arena.u32[address >>> 2] = 7;
  assert.equal(arena.f64[end / 8 - 1], 0.5);
  assert.equal(arena.i32[address / 4], 7);
  assert.throws(() => arena.allocate(1), FULL);
});

test('untouched memory costs nothing', () => {
  const before = process.memoryUsage().rss;
  const arena = highArena();
  arena.allocate(1024 ** 3);
  const cost = process.memoryUsage().rss - before;
  assert.ok(cost < 16 * 1024 ** 2, `4 GiB cost ${cost} bytes`);
});

test('another thread that attaches sees the same memory', () => {
  const arena = Arena.create(2 ** 20);
  const address = arena.allocate(64);
  arena.u32[address >>> 2] = 42;
  const attached = new Arena(arena.memory);
  assert.equal(attached.usedBytes, arena.usedBytes);
  assert.equal(attached.u32[address >>> 2], 42);
  assert.ok(attached.allocate(64) >= address + 64);
});

test('an allocation that another one overtakes takes the next place', ({ mock }) => {
  const arena = Arena.create(2 ** 20);
  const other = new Arena(arena.memory);
  const { load } = Atomics;
  let overtaken = 0;
  const overtake = mock.method(Atomics, 'load', (...args: Parameters<typeof load>) => {
    const top = load(...args);
    overtake.mock.restore();
    overtaken = other.allocate(64);
    return top;
  });
  const address = arena.allocate(64);
  assert.equal(address, overtaken + 64);
});

test('threads that allocate at once get blocks apart', async () => {
  const arena = Arena.create(1024 ** 3);
  const bell = arena.allocate(8);
  const data = { bell, count: 100_000, bytes: 65 };
  const threads = await Promise.all([startThread(arena, 'takeBlocks', data), startThread(arena, 'takeBlocks', data)]);
  const before = arena.usedBytes;
  Atomics.store(arena.i32, bell >>> 2, 1);
  Atomics.notify(arena.i32, bell >>> 2);
  const addresses = (await Promise.all(threads.map(({ result }) => result))).flat();
  assert.equal(new Set(addresses).size, 2 * data.count);
  assert.equal(arena.usedBytes - before, 2 * data.count * 128);
});

test('a memory that is used anew is as a new one', () => {
  const arena = Arena.create(2 ** 20);
  const blocks = Array.from({ length: 20 }, () => arena.allocate(5000));
  for (const address of blocks) arena.u8.fill(7, address, address + 5000);
  for (const address of blocks.slice(0, 5)) arena.free(address, 5000);
  const anew = arena.renew();
  const other = Arena.create(2 ** 20);
  assert.equal(anew.usedBytes, other.usedBytes);
  for (let n = 0; n < 20; n++) {
    const address = anew.allocate(5000);
    assert.equal(address, other.allocate(5000));
    assert(anew.u8.subarray(address, address + 5000).every((byte) => byte === 0));
  }
});

test('who fills it is told to raise the setting that it is of', () => {
  const messageOf = (arena: Arena) => {
    try {
      arena.allocate(2 ** 20);
    } catch (error) {
      return String(error);
    }
    return undefined;
  };
  assert.match(messageOf(Arena.create(2 ** 20)) ?? '', /raise memory\.budgetMiB$/);
  const job = Arena.create(2 ** 20, 'jobs.memoryMiB');
  for (const arena of [job, job.renew()])
    assert.match(messageOf(arena) ?? '', /1 MiB is used up: raise jobs\.memoryMiB$/);
});
