import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../plugins/contract/index.ts';
import { Arena } from './arena.ts';
import { loadHostKernels } from './kernels/host-kernels.ts';
import { Lists } from './lists.ts';
import { Reader, Reclaimer } from './readers.ts';
import { highArena } from './testing/high-arena.ts';
import { lookAtEveryStore } from './testing/interleave.ts';
import { startThread } from './testing/threads.ts';

const arena = highArena();
const kernels = loadHostKernels(arena.memory);
const reclaimer = new Reclaimer(arena);

type Pair = [other: number, rating: number];

function read(from: Arena, lists: Lists, row: number): Pair[] {
  const pairs = lists.pairs(row);
  return Array.from({ length: lists.countAt(pairs) }, (_, n) => [from.u32[pairs + 2 * n], from.u32[pairs + 2 * n + 1]]);
}

/** Appends (or, where `remove` is a number, removes the one at that place) in a few rows. */
const anySteps = fc.array(
  fc.record({ row: fc.nat(3), remove: fc.option(fc.nat(40), { freq: 3 }), other: fc.nat(5), collect: fc.boolean() }),
  { maxLength: 200, size: 'max' },
);

test('lists are what arrays would be', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const lists = Lists.create(arena);
      const reader = new Lists(arena, structuredClone(lists.descriptor));
      lists.grow(4);
      const expected: Pair[][] = [[], [], [], []];
      for (const [rating, { row, remove, other, collect }] of steps.entries()) {
        if (remove === null) {
          lists.append(row, other, rating, reclaimer);
          expected[row].push([other, rating]);
        } else if (expected[row].length > 0) {
          const [[, gone]] = expected[row].splice(remove % expected[row].length, 1);
          lists.remove(row, gone, reclaimer);
        }
        if (collect) reclaimer.collect();
        assert.deepEqual(read(arena, reader, row), expected[row]);
      }
      for (let row = 0; row < 4; row++) {
        assert.deepEqual(read(arena, reader, row), expected[row]);
        assert.equal(reader.count(row), expected[row].length);
      }
    }),
  );
});

test('several pairs leave a list at once, and whoever holds the list sees no other pairs in it', () => {
  const anySets = fc.tuple(fc.nat(40), fc.uniqueArray(fc.nat(39)));
  fc.assert(
    fc.property(anySets, ([count, gone]) => {
      const lists = Lists.create(arena);
      lists.grow(1);
      const all = Array.from({ length: count }, (_, rating): Pair => [rating % 3, rating]);
      for (const [other, rating] of all) lists.append(0, other, rating, reclaimer);
      const pairs = lists.pairs(0);
      const held = arena.u32.slice(pairs, pairs + 2 * count);
      lists.removeAll(0, new Set(gone), reclaimer);
      const left = all.filter(([, rating]) => !gone.includes(rating));
      assert.deepEqual(read(arena, lists, 0), left);
      // From the end they leave without a copy.
      const isAtEnd = left.every(([, rating], n) => rating === n);
      assert.equal(lists.pairs(0) === pairs, isAtEnd);
      lists.append(0, 9, 99, reclaimer);
      assert.deepEqual(read(arena, lists, 0), [...left, [9, 99]]);
      if (count > 0) assert.deepEqual(arena.u32.slice(pairs, pairs + 2 * count), held);
    }),
  );
});

test('a row without a list has an empty one', () => {
  const lists = Lists.create(arena);
  assert.equal(lists.count(0), 0);
  assert.equal(lists.count(0xffff_ffff), 0);
  lists.grow(2);
  assert.equal(lists.rows, 2);
  assert.equal(lists.count(1), 0);
  assert.deepEqual(read(arena, lists, 1), []);
});

test('what is not in a list cannot be removed', () => {
  const lists = Lists.create(arena);
  lists.grow(2);
  lists.append(0, 7, 3, reclaimer);
  assert.throws(() => lists.remove(0, 4, reclaimer), /rating 4 is not in the list of row 0/);
  assert.throws(() => lists.remove(1, 3, reclaimer), RangeError);
  lists.remove(0, 3, reclaimer);
  assert.throws(() => lists.remove(0, 3, reclaimer), RangeError);
});

test('whoever holds a list sees no other pairs in it, whatever happens to it', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const lists = Lists.create(arena);
      lists.grow(4);
      const live: number[][] = [[], [], [], []];
      const held: { pairs: number; words: Uint32Array }[] = [];
      new Reader(arena, 0).run(() => {
        for (const [rating, { row, remove, other }] of steps.entries()) {
          if (remove === null) {
            lists.append(row, other, rating, reclaimer);
            live[row].push(rating);
          } else if (live[row].length > 0) {
            const [gone] = live[row].splice(remove % live[row].length, 1);
            lists.remove(row, gone, reclaimer);
          }
          const pairs = lists.pairs(row);
          held.push({ pairs, words: arena.u32.slice(pairs, pairs + 2 * lists.countAt(pairs)) });
        }
        for (const { pairs, words } of held) assert.deepEqual(arena.u32.slice(pairs, pairs + words.length), words);
      });
    }),
  );
});

test('from its end a list leaves without a copy; what comes then makes it as small as it is', () => {
  const lists = Lists.create(arena);
  lists.grow(1);
  for (let rating = 0; rating < 1000; rating++) lists.append(0, 7, rating, reclaimer);
  const pairs = lists.pairs(0);
  for (let rating = 999; rating >= 500; rating--) lists.remove(0, rating, reclaimer);
  assert.equal(lists.pairs(0), pairs);
  assert.equal(lists.count(0), 500);
  const before = lists.growthBytes(0);
  lists.append(0, 8, 1000, reclaimer);
  assert.ok(lists.growthBytes(0) < before);
  assert.deepEqual(read(arena, lists, 0).slice(499), [
    [7, 499],
    [8, 1000],
  ]);
});

test('the hash is that of the lists alone, however they came about', () => {
  const content: Pair[][] = [[], [[1, 2]], Array.from({ length: 40 }, (_, n): Pair => [n, n + 100])];
  const hashes = [false, true].map((detour) => {
    const lists = Lists.create(arena);
    lists.grow(content.length);
    for (const [row, pairs] of content.entries()) {
      for (const [other, rating] of pairs) {
        if (detour) lists.append(row, 5, 1_000_000 + rating, reclaimer);
        lists.append(row, other, rating, reclaimer);
      }
      if (detour) for (const [, rating] of pairs) lists.remove(row, 1_000_000 + rating, reclaimer);
      if (detour) reclaimer.collect();
    }
    return lists.hash(kernels, 0n);
  });
  assert.equal(hashes[0], hashes[1]);
});

test('the hash sees every byte, and where one list ends and the next begins', () => {
  const hashOf = (...content: Pair[][]) => {
    const lists = Lists.create(arena);
    lists.grow(content.length);
    for (const [row, pairs] of content.entries()) {
      for (const [other, rating] of pairs) lists.append(row, other, rating, reclaimer);
    }
    return lists.hash(kernels, 0n);
  };
  const hashes = [
    hashOf(),
    hashOf([[0, 0]]),
    hashOf([], [[0, 0]]),
    hashOf([
      [0, 0],
      [0, 1],
    ]),
    hashOf([
      [0, 1],
      [0, 0],
    ]),
    hashOf([[0, 0]], [[0, 1]]),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
  // A list that is empty is as good as none.
  assert.equal(hashOf([], []), hashOf());
  assert.equal(hashOf([[0, 0]], []), hashOf([[0, 0]]));
  const lists = Lists.create(arena);
  lists.grow(1);
  for (let n = 0; n < 9; n++) lists.append(0, n, n, reclaimer);
  const before = lists.hash(kernels, 0n);
  const at = 4 * lists.pairs(0);
  for (let byte = at; byte < at + 72; byte++) {
    arena.u8[byte] ^= 0x80;
    assert.notEqual(lists.hash(kernels, 0n), before);
    arena.u8[byte] ^= 0x80;
  }
});

test('growth asks for no more than it said', () => {
  const batches = fc.array(fc.record({ more: fc.nat(3000), rows: fc.integer({ min: 1, max: 3000 }) }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(batches, (sequence) => {
      const own = Arena.create(2 ** 26);
      const ownReclaimer = new Reclaimer(own);
      const lists = Lists.create(own);
      for (const { more, rows } of sequence) {
        const { usedBytes } = own;
        const bytes = lists.growthBytes(more);
        for (let n = 0; n < more; n++) {
          lists.grow(Math.max(lists.rows, (n % rows) + 1));
          lists.append(n % rows, n, n, ownReclaimer);
        }
        assert.ok(own.usedBytes - usedBytes <= bytes);
      }
    }),
    { numRuns: 20 },
  );
});

test('what does not fit changes nothing', () => {
  const own = Arena.create(2 ** 20);
  const ownReclaimer = new Reclaimer(own);
  const lists = Lists.create(own);
  lists.grow(2);
  for (let rating = 0; rating < 6; rating++) lists.append(0, rating, rating, ownReclaimer);
  lists.reserve(1, ownReclaimer);
  own.allocate(own.freeBytes);
  const before = read(own, lists, 0);
  assert.throws(() => lists.append(0, 8, 8, ownReclaimer), { reason: 'MEMORY_FULL' });
  assert.throws(() => lists.remove(0, 3, ownReclaimer), { reason: 'MEMORY_FULL' });
  assert.deepEqual(read(own, lists, 0), before);
  lists.append(1, 5, 6, ownReclaimer);
  assert.deepEqual(read(own, lists, 1), [[5, 6]]);
});

test('where there is no room, a reader who keeps an old list is waited for', async () => {
  const own = Arena.create(2 ** 20);
  const ownReclaimer = new Reclaimer(own);
  const lists = Lists.create(own);
  lists.grow(1);
  const bell = own.allocate(4);
  for (let rating = 0; rating < 40; rating++) lists.append(0, rating, rating, ownReclaimer);
  lists.remove(0, 0, ownReclaimer);
  ownReclaimer.collect();
  own.allocate(own.freeBytes);
  const thread = await startThread(own, 'stayInside', { bell, ms: 50 });
  Atomics.wait(own.i32, bell >>> 2, 0);
  for (let rating = 1; rating < 30; rating++) lists.remove(0, rating, ownReclaimer);
  await thread.result;
  assert.deepEqual(
    read(own, lists, 0),
    Array.from({ length: 10 }, (_, n): Pair => [30 + n, 30 + n]),
  );
});

test('at every moment a reader sees the list before the step or after it', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const lists = Lists.create(arena);
      const reader = new Lists(arena, lists.descriptor);
      lists.grow(4);
      const expected: Pair[][] = [[], [], [], []];
      for (const [rating, { row, remove, other }] of steps.entries()) {
        const before = expected[row];
        const gone = remove === null ? undefined : before[remove % before.length];
        if (remove !== null && gone === undefined) continue;
        const after = gone ? before.filter((pair) => pair !== gone) : [...before, [other, rating] satisfies Pair];
        lookAtEveryStore(
          () => (gone ? lists.remove(row, gone[1], reclaimer) : lists.append(row, other, rating, reclaimer)),
          () => {
            const seen = read(arena, reader, row);
            assert.deepEqual(seen, seen.length === before.length ? before : after);
          },
        );
        expected[row] = after;
      }
    }),
    { numRuns: 30 },
  );
});

test('another thread sees only lists that were', async () => {
  const own = Arena.create(2 ** 28);
  const ownReclaimer = new Reclaimer(own);
  const lists = Lists.create(own);
  const rows = 3;
  const key = 0x5555;
  lists.grow(rows);
  const thread = await startThread(own, 'readLists', { lists: lists.descriptor, rows, key });
  const random = new Random();
  random.key(17, 0);
  const held: number[][] = [[], [], []];
  for (let rating = 1; rating < 60_000 || thread.seen < 100; rating++) {
    const row = random.below(rows);
    const mine = held[row];
    lists.append(row, (rating ^ row ^ key) >>> 0, rating, ownReclaimer);
    mine.push(rating);
    while (mine.length > random.below(32)) {
      const [gone] = mine.splice(random.below(mine.length), 1);
      lists.remove(row, gone, ownReclaimer);
    }
    if (rating % 16 === 0) ownReclaimer.collect();
  }
  await thread.finish();
  assert.deepEqual(
    held.map((_, row) => read(own, lists, row).map(([, rating]) => rating)),
    held,
  );
});
