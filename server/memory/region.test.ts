import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { Reclaimer } from './readers.ts';
import { EXTENT_BYTES, Region } from './region.ts';

const MIB = 2 ** 20;

test('blocks of regions are zeroed, apart from each other, and counted; regions that are dropped leave the memory as it was', () => {
  const step = fc.record({
    region: fc.nat(2),
    bytes: fc.integer({ min: 1, max: 400_000 }),
    do: fc.constantFrom('take', 'take', 'free', 'drop'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const arena = Arena.create(128 * MIB);
      const reclaimer = new Reclaimer(arena);
      const regions = [0, 1, 2].map(() => new Region(arena));
      const held: [address: number, bytes: number, region: number][] = [];
      const low = arena.allocate(1000);
      const { usedBytes } = arena;
      for (const { region, bytes, ...step } of steps) {
        const own = held.findIndex((block) => block[2] === region);
        if (step.do === 'take') {
          const before = arena.usedBytes;
          const address = regions[region].allocate(bytes);
          assert.ok(arena.usedBytes - before <= Region.growthBytes(bytes));
          for (const [other, size] of held) assert.ok(address >= other + size || address + bytes <= other);
          const block = arena.u8.subarray(address, address + bytes);
          assert.equal(
            block.findIndex((byte) => byte !== 0),
            -1,
          );
          block.fill(0xff);
          held.push([address, bytes, region]);
        } else if (step.do === 'free' && own >= 0) {
          const [[address, size]] = held.splice(own, 1);
          regions[region].free(address, size);
        } else if (step.do === 'drop') {
          regions[region].drop(reclaimer);
          reclaimer.collect();
          for (let n = held.length - 1; n >= 0; n--) if (held[n][2] === region) held.splice(n, 1);
        }
        assert.equal(
          arena.budgetBytes - 64 - arena.freeExtentBytes,
          usedBytes + regions.reduce((sum, each) => sum + each.bytes, 0),
        );
      }
      for (const [address, bytes] of held)
        assert.ok(arena.u8.subarray(address, address + bytes).every((byte) => byte === 0xff));
      for (const region of regions) region.drop(reclaimer);
      reclaimer.collect();
      assert.equal(arena.usedBytes, usedBytes);
      assert.equal(arena.freeExtentBytes, arena.freeBytes);
      assert.equal(arena.allocate(1000), low + 1024);
    }),
    { numRuns: 15 },
  );
});

test('the two ends of a memory meet, and no further', () => {
  const arena = Arena.create(4 * MIB);
  const region = new Region(arena);
  region.allocate(100);
  while (arena.freeBytes >= EXTENT_BYTES) arena.allocate(MIB / 8);
  const fill = () => {
    for (;;) region.allocate(EXTENT_BYTES / 8);
  };
  assert.throws(fill, { reason: 'MEMORY_FULL' });
  arena.allocate(arena.freeBytes);
  assert.throws(() => arena.allocate(1), { reason: 'MEMORY_FULL' });
});

test('what regions held comes back zeroed, for whoever takes it next', () => {
  const arena = Arena.create(8 * MIB);
  const reclaimer = new Reclaimer(arena);
  const region = new Region(arena);
  for (const bytes of [1000, EXTENT_BYTES / 8, 2 * EXTENT_BYTES]) {
    const address = region.allocate(bytes);
    arena.u8.fill(0xff, address, address + bytes);
  }
  region.drop(reclaimer);
  reclaimer.collect();
  const { freeBytes } = arena;
  const rest = arena.allocate(freeBytes);
  assert.equal(
    arena.u8.subarray(rest, rest + freeBytes).findIndex((byte) => byte !== 0),
    -1,
  );
});
