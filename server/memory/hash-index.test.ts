import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { hashPair } from './hash.ts';
import { HashIndex } from './hash-index.ts';
import { Reader, Reclaimer } from './readers.ts';
import { highArena } from './testing/high-arena.ts';
import { startThread } from './testing/threads.ts';

const arena = highArena();
const reclaimer = new Reclaimer(arena);
const isRow = (row: number, key: number) => row === key;

/** Ways to hash a row: all alike, few buckets at the array's end, spread. */
const HASHES: Record<string, (row: number) => number> = {
  alike: () => 0xffff_ffff,
  few: (row) => 0xffff_fff0 + (row % 20),
  spread: (row) => hashPair(row, 1),
};

test('it finds what a Map finds, while keys come and go and the array grows', () => {
  const step = fc.record({ row: fc.nat(40), add: fc.boolean() });
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(HASHES)),
      fc.array(step, { maxLength: 400, size: 'max' }),
      (name, steps) => {
        const hash = HASHES[name];
        const index = HashIndex.create(arena, 8);
        const reader = new HashIndex(arena, structuredClone(index.descriptor));
        const held = new Set<number>();
        for (const { row, add } of steps) {
          if (add && !held.has(row)) {
            index.add(hash(row), row, reclaimer);
            held.add(row);
          } else if (!add && held.has(row)) {
            index.remove(hash(row), row);
            held.delete(row);
          }
          assert.equal(reader.find(hash(row), isRow, row), held.has(row) ? row : -1);
        }
        assert.equal(index.count, held.size);
        for (let row = 0; row <= 40; row++) assert.equal(reader.find(hash(row), isRow, row), held.has(row) ? row : -1);
      },
    ),
  );
});

test('rows of one hash are told apart by the key', () => {
  const index = HashIndex.create(arena);
  const names = ['a', 'b', 'c'];
  for (const row of names.keys()) index.add(5, row, reclaimer);
  const matches = (row: number, name: string) => names[row] === name;
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => index.find(5, matches, name)),
    [0, 1, 2, -1],
  );
  assert.equal(index.find(6, matches, 'a'), -1);
});

test('what is not held cannot be removed', () => {
  const index = HashIndex.create(arena);
  index.add(5, 1, reclaimer);
  assert.throws(() => index.remove(5, 2), RangeError);
  assert.equal(index.count, 1);
});

test('growth asks for no more than it said', () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.nat(20_000), (first, more) => {
      const own = Arena.create(2 ** 22);
      const ownReclaimer = new Reclaimer(own);
      const index = HashIndex.create(own, 16);
      for (let row = 0; row < first; row++) index.add(hashPair(row, 0), row, ownReclaimer);
      const { usedBytes } = own;
      const bytes = index.growthBytes(more);
      for (let row = first; row < first + more; row++) index.add(hashPair(row, 0), row, ownReclaimer);
      assert.equal(own.usedBytes - usedBytes, bytes);
    }),
    { numRuns: 10 },
  );
});

test('after a reserve one more key always fits', () => {
  const own = Arena.create(2 ** 16);
  const index = HashIndex.create(own, 8);
  for (let row = 0; row < 6; row++) index.add(row, row, reclaimer);
  index.reserve(new Reclaimer(own));
  own.allocate(own.freeBytes);
  index.add(6, 6, reclaimer);
  assert.equal(index.find(6, isRow, 6), 6);
});

test('a growth that does not fit changes nothing', () => {
  const own = Arena.create(2 ** 16);
  const index = HashIndex.create(own, 8);
  for (let row = 0; row < 6; row++) index.add(row, row, reclaimer);
  own.allocate(own.freeBytes);
  assert.throws(() => index.add(6, 6, reclaimer), { reason: 'MEMORY_FULL' });
  assert.equal(index.count, 6);
  for (let row = 0; row < 7; row++) assert.equal(index.find(row, isRow, row), row < 6 ? row : -1);
});

test('the slots of before are kept while a reader may hold them', () => {
  const own = Arena.create(2 ** 20);
  const ownReclaimer = new Reclaimer(own);
  const index = HashIndex.create(own, 8);
  for (let row = 0; row < 6; row++) index.add(row, row, ownReclaimer);
  const slots = own.u32[index.descriptor.address >>> 2] >>> 2;
  const before = own.u32.slice(slots, slots + 32);
  const reuse = () => {
    ownReclaimer.collect();
    own.allocate(128);
    return own.u32.slice(slots, slots + 32);
  };
  new Reader(own, 0).run(() => {
    index.add(6, 6, ownReclaimer);
    assert.deepEqual(reuse(), before);
  });
  assert.notDeepEqual(reuse(), before);
});

test('a search ends even where no slot is empty', () => {
  const index = HashIndex.create(arena, 8);
  const base = arena.u32[index.descriptor.address >>> 2] >>> 2;
  for (let slot = 0; slot < 8; slot++) arena.u32[base + 16 + 2 * slot + 1] = 1;
  assert.equal(index.find(3, isRow, 9), -1);
});

test('another thread misses no key while others are added and the array grows', async () => {
  const own = Arena.create(256 * 1024 ** 2);
  const ownReclaimer = new Reclaimer(own);
  const index = HashIndex.create(own, 16);
  const count = 100;
  for (let row = 0; row < count; row++) index.add(hashPair(row, 0), row, ownReclaimer);
  const thread = await startThread(own, 'findKeys', { index: index.descriptor, count });
  for (let row = count; row < 100_000 || thread.seen < 10; row++) {
    index.add(hashPair(row, 0), row, ownReclaimer);
    if (row % 64 === 0) ownReclaimer.collect();
  }
  await thread.finish();
});
