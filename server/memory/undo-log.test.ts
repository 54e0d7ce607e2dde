import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { startThread } from './testing/threads.ts';
import { UndoRows } from './undo-rows.ts';

const MIB = 2 ** 20;
/** As small as a ring is. */
const RING_BYTES = MIB;

interface Kept {
  readonly mark: number;
  readonly row: number;
  readonly bytes: Uint8Array;
}

/** A memory whose log is open. */
function begun(): Arena {
  const arena = Arena.create(4 * MIB);
  arena.undo.reserve(arena.budgetBytes, (bytes) => arena.allocate(bytes));
  arena.undo.begin();
  return arena;
}

/** Puts a row into memory and into the log. */
function keep({ undo, u8 }: Arena, address: number, { mark, row, bytes }: Kept): boolean {
  u8.set(bytes, address);
  return undo.keep(mark, row, address, bytes.length);
}

function drained({ undo }: Arena, countMax = Number.POSITIVE_INFINITY): Kept[] {
  const found: Kept[] = [];
  undo.drain((mark, row, bytes) => found.push({ mark, row, bytes: Uint8Array.from(bytes) }) < countMax);
  return found;
}

const anyKept: fc.Arbitrary<Kept> = fc
  .record({
    mark: fc.integer({ min: 1, max: 2 ** 30 }),
    row: fc.nat(2 ** 31),
    words: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 32_768 })),
    fill: fc.nat(255),
  })
  .map(({ mark, row, words, fill }) => ({ mark, row, bytes: new Uint8Array(8 * words).fill(fill) }));

test('what was kept comes out in order, each once, however often the ring goes round', () => {
  const arena = begun();
  const address = arena.allocate(RING_BYTES / 4);
  fc.assert(
    fc.property(fc.array(fc.tuple(anyKept, fc.nat(3)), { maxLength: 40 }), (steps) => {
      const expected: Kept[] = [];
      const found: Kept[] = [];
      for (const [kept, takes] of steps) {
        expected.push(kept);
        // Never so much that it would wait.
        if (expected.length - found.length > 2) found.push(...drained(arena));
        assert(keep(arena, address, kept));
        if (takes > 0) found.push(...drained(arena, takes));
      }
      found.push(...drained(arena));
      assert.deepEqual(found, expected);
      assert.deepEqual(drained(arena), []);
    }),
  );
});

test('the counts of bytes may pass 2^32', () => {
  const arena = begun();
  const address = arena.allocate(RING_BYTES / 4);
  const bytes = new Uint8Array(RING_BYTES / 4).fill(7);
  for (let n = 0; n < 2 ** 32 / (RING_BYTES / 4) + 10; n++) {
    assert(arena.undo.keep(1, n, address, bytes.length));
    let seen = -1;
    arena.undo.drain((_mark, row) => {
      seen = row;
      return true;
    });
    assert.equal(seen, n);
  }
});

test('who finds it full waits until there is room', async (t) => {
  const arena = begun();
  const address = arena.allocate(1024);
  const thread = await startThread(arena, 'keepRows', { address, bytes: 1024, count: 5000 });
  t.after(() => arena.undo.close());
  await sleep(150);
  const full = drained(arena, 1);
  assert.deepEqual(
    full.map(({ row }) => row),
    [0],
  );
  let next = 1;
  while (next < 5000) {
    for (const { row } of drained(arena)) assert.equal(row, next++);
    await sleep(1);
  }
  assert.equal(await thread.result, 5000);
});

test('nobody waits any more once it is closed, and nothing is kept', async () => {
  const arena = begun();
  const address = arena.allocate(1024);
  const thread = await startThread(arena, 'keepRows', { address, bytes: 1024, count: 5000 });
  await sleep(100);
  arena.undo.close();
  const kept = await thread.result;
  assert(kept > 900 && kept < 1024, `${kept} rows of 1 KiB in ${RING_BYTES} bytes`);
  assert(!arena.undo.keep(1, 1, address, 8));
});

test('a checkpoint begins with an empty log; without room for one nothing is kept', () => {
  const arena = begun();
  const address = arena.allocate(64);
  const { checkpoint } = arena.undo;
  assert(arena.undo.keep(1, 1, address, 8));
  arena.undo.begin();
  assert.notEqual(arena.undo.checkpoint, checkpoint);
  assert.deepEqual(drained(arena), []);
  const bare = Arena.create(MIB);
  bare.undo.begin();
  assert(!bare.undo.keep(1, 1, 64, 8));
});

test('rows of a segment are put back once, the oldest last; the others wait their turn', () => {
  const arena = begun();
  const address = arena.allocate(64);
  const kept = (mark: number, row: number, fill: number) => ({ mark, row, bytes: new Uint8Array(8).fill(fill) });
  for (const each of [kept(5, 0, 1), kept(6, 9, 2), kept(5, 1, 3), kept(5, 0, 4)]) keep(arena, address, each);
  const rows = new UndoRows(arena.undo, 1000);
  rows.take();
  assert.equal(rows.first, 5);
  const found: number[][] = [];
  rows.putBack(5, (row, bytes) => found.push([row, bytes[0], bytes.length]));
  assert.deepEqual(found, [
    [0, 4, 8],
    [1, 3, 8],
    [0, 1, 8],
  ]);
  // Too late: it is saved.
  keep(arena, address, kept(5, 2, 5));
  rows.take();
  assert.equal(rows.first, 6);
  rows.putBack(6, (row) => found.push([row]));
  assert.deepEqual(found.slice(3), [[9]]);
  assert.equal(rows.first, undefined);
});

test('of itself it takes out no more than it may, until that is put back', () => {
  const arena = begun();
  const address = arena.allocate(64);
  for (let n = 0; n < 30; n++) keep(arena, address, { mark: 1 + (n % 3), row: n, bytes: new Uint8Array(64) });
  const rows = new UndoRows(arena.undo, 10 * 64);
  rows.take();
  rows.take();
  assert.equal(drained(arena, 1)[0].row, 10);
  const found: number[] = [];
  // What it is asked for it takes nevertheless.
  rows.putBack(1, (row) => found.push(row));
  assert.deepEqual(found, [27, 24, 21, 18, 15, 12, 9, 6, 3, 0]);
  keep(arena, address, { mark: 9, row: 0, bytes: new Uint8Array(64) });
  rows.take();
  for (const mark of [2, 3]) rows.forget(mark);
  assert.equal(rows.first, undefined);
  rows.take();
  assert.equal(rows.first, 9);
});
