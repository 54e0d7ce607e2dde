import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import type { Arena } from '../arena.ts';
import { messageBytesOf, messageOf, termCountOf, termsOf } from '../features/feature-blocks.ts';
import { Features, type FeaturesDescriptor } from '../features/features.ts';
import { hashPair } from '../hash.ts';
import { HashIndex, type HashIndexDescriptor } from '../hash-index.ts';
import { Ids, type IdsDescriptor } from '../ids.ts';
import { Lists, type ListsDescriptor } from '../lists.ts';
import { Reader } from '../readers.ts';
import { Revisions } from '../revisions.ts';
import { Bell, Ring, type RingDescriptor } from '../ring.ts';
import { Table, type TableDescriptor } from '../table.ts';
import { UndoRows } from '../undo-rows.ts';
import { patternOf } from './patterns.ts';

/** What other threads do while a test's thread writes: once, or for as long as the test goes on. */

/** Says how much was seen so far; true when the test is over. */
type IsOver = (seen: number) => boolean;

/** Takes blocks once the word at `bell` is set, and says where. */
export function takeBlocks(
  arena: Arena,
  data: { readonly bell: number; readonly count: number; readonly bytes: number },
): number[] {
  Atomics.wait(arena.i32, data.bell >>> 2, 0);
  return Array.from({ length: data.count }, () => arena.allocate(data.bytes));
}

/** Follows a pointer to a block whose words are all equal. */
export function followPointer(
  arena: Arena,
  data: { readonly pointer: number; readonly words: number },
  isOver: IsOver,
): void {
  const reader = new Reader(arena, 0);
  for (let looks = 0; !isOver(looks); looks++) {
    reader.run(() => {
      const block = Atomics.load(arena.u32, data.pointer >>> 2) >>> 2;
      const first = arena.u32[block];
      for (let n = 0; n < 20 * data.words; n++) {
        assert.equal(arena.u32[block + (n % data.words)], first, 'the block was reused');
      }
    });
  }
}

/** Is inside for some time, from when it sets the word at `bell`. */
export function stayInside(arena: Arena, data: { readonly bell: number; readonly ms: number }): void {
  new Reader(arena, 0).run(() => {
    Atomics.store(arena.i32, data.bell >>> 2, 1);
    Atomics.notify(arena.i32, data.bell >>> 2);
    Atomics.wait(arena.i32, data.bell >>> 2, 1, data.ms);
  });
}

/** Looks for keys 0 .. count - 1, each kept under `hashPair(key, 0)`. */
export function findKeys(
  arena: Arena,
  data: { readonly index: HashIndexDescriptor; readonly count: number },
  isOver: IsOver,
): void {
  const reader = new Reader(arena, 0);
  const index = new HashIndex(arena, data.index);
  for (let rounds = 0; !isOver(rounds); rounds++) {
    for (let key = 0; key < data.count; key++) {
      const found = reader.run(() => index.find(hashPair(key, 0), (row, wanted) => row === wanted, key));
      assert.equal(found, key, `key ${key} was missed`);
    }
  }
}

/** Reads the newest id, which must be `id <row>`; what counts as seen is different ones. */
export function readNewestId(arena: Arena, data: { readonly ids: IdsDescriptor }, isOver: IsOver): void {
  const ids = new Ids(arena, data.ids);
  let last = -1;
  for (let met = 0; !isOver(met); ) {
    const row = ids.rows - 1;
    if (row === last) continue;
    assert.equal(ids.text(row), `id ${row}`);
    last = row;
    met++;
  }
}

/**
 * Reads lists whose pairs are (r XOR row XOR key, r) for a rating r: no list may have another pair, and their order
 * must be that of arrival, which is rising r. What counts as seen is changes of a list's end.
 */
export function readLists(
  arena: Arena,
  data: { readonly lists: ListsDescriptor; readonly rows: number; readonly key: number },
  isOver: IsOver,
): void {
  const reader = new Reader(arena, 1);
  const lists = new Lists(arena, data.lists);
  const { u32: words } = arena;
  const ends = new Uint32Array(data.rows);
  for (let changes = 0, row = 0; !isOver(changes); row = (row + 1) % data.rows) {
    reader.run(() => {
      const pairs = lists.pairs(row);
      const end = pairs + 2 * lists.countAt(pairs);
      let last = 0;
      for (let pair = pairs; pair < end; pair += 2) {
        const rating = words[pair + 1];
        assert.equal(words[pair], (rating ^ row ^ data.key) >>> 0, `row ${row} has pair (${words[pair]}, ${rating})`);
        assert.ok(rating > last, `row ${row} has ${rating} after ${last}`);
        last = rating;
      }
      if (last !== ends[row]) changes++;
      ends[row] = last;
    });
  }
}

/** Reads rows 0 to 2, whose messages are one byte over and over, and whose last term is that byte. */
export function readFeatures(arena: Arena, data: { readonly features: FeaturesDescriptor }, isOver: IsOver): void {
  const reader = new Reader(arena, 2);
  const features = new Features(arena, data.features);
  const { u32: words, u8 } = arena;
  let last = -1;
  for (let changes = 0, row = 0; !isOver(changes); row = (row + 1) % 3) {
    reader.run(() => {
      const block = features.block(row);
      if (block === 0) return;
      const message = messageOf(words, block);
      const byte = u8[message];
      for (let n = 0; n < messageBytesOf(words, block); n++) assert.equal(u8[message + n], byte);
      const term = words[termsOf(words, block) + termCountOf(words, block) - 1];
      assert.equal(features.terms.text(term), `${byte}`);
      if (byte !== last) changes++;
      last = byte;
    });
  }
}

/** Takes `count` messages off a ring, each as `patternOf` makes them, sleeping whenever it is empty. */
export async function takeMessages(
  arena: Arena,
  data: { readonly ring: RingDescriptor; readonly count: number },
): Promise<void> {
  const ring = new Ring(arena, data.ring);
  const bell = new Bell(arena, data.ring.bell);
  for (let n = 0; n < data.count; ) {
    const state = bell.state();
    const message = ring.peek();
    if (message === undefined) {
      await bell.wait(state);
      continue;
    }
    const { kind, call, stamp, payload } = patternOf(n);
    const same = message.kind === kind && message.call === call && message.stamp === stamp;
    assert.ok(same && Buffer.compare(message.payload, payload) === 0, `message ${n}`);
    ring.pop();
    n++;
  }
}

/** Sends each message back, until one of kind 0 comes; both sides sleep in between. */
export async function echoMessages(
  arena: Arena,
  data: { readonly from: RingDescriptor; readonly to: RingDescriptor },
): Promise<void> {
  const from = new Ring(arena, data.from);
  const to = new Ring(arena, data.to);
  const bell = new Bell(arena, data.from.bell);
  for (;;) {
    const state = bell.state();
    const message = from.peek();
    if (message === undefined) {
      await bell.wait(state);
      continue;
    }
    if (message.kind === 0) return;
    assert.ok(to.push(message.kind, message.call, message.stamp, message.payload));
    from.pop();
  }
}

/** Learns each revision as soon as it is issued, up to `last`. */
export function learnRevisions(arena: Arena, data: { readonly last: number }): void {
  const revisions = new Revisions(arena);
  for (let revision = 1; revision <= data.last; revision++) {
    while (revisions.issued < revision);
    revisions.learned = revision;
  }
}

/** Puts `count` messages on a ring, each as `patternOf` makes them. */
export function sendMessages(arena: Arena, data: { readonly ring: RingDescriptor; readonly count: number }): void {
  const ring = new Ring(arena, data.ring);
  for (let n = 0; n < data.count; ) {
    const { kind, call, stamp, payload } = patternOf(n);
    if (ring.push(kind, call, stamp, payload)) n++;
  }
}

/** Puts the same row into the log `count` times, under rising numbers, as long as somebody saves; says how often it did. */
export function keepRows(
  arena: Arena,
  data: { readonly address: number; readonly bytes: number; readonly count: number },
): number {
  for (let row = 0; row < data.count; row++) {
    if (!arena.undo.keep(1, row, data.address, data.bytes)) return row;
  }
  return data.count;
}

/**
 * Saves a table again and again, as often as the word at `bell` rises, and says each time at the next word which round that
 * was. Of a saved table the checksum must be that at the third word, when it has as many rows as the fourth one says.
 */
export function saveTable(
  arena: Arena,
  data: { readonly table: TableDescriptor; readonly bell: number },
  isOver: IsOver,
): void {
  const table = new Table(arena, data.table);
  const word = data.bell >>> 2;
  let image = Buffer.alloc(0);
  for (let round = 0; !isOver(round); ) {
    if (Atomics.load(arena.i32, word) === round) continue;
    round++;
    const rows = arena.u32[word + 3];
    const larger = Buffer.alloc(rows * table.stride);
    larger.set(image);
    image = larger;
    const undo = new UndoRows(arena.undo, 1000);
    for (let segment = 0; segment < table.segmentCount(rows); segment++) {
      const at = segment * table.segmentRows * table.stride;
      table.save(segment, image.subarray(at, at + table.segmentBytes(segment, rows)), undo);
      undo.take();
    }
    arena.undo.close();
    assert.equal(crc32(image), arena.u32[word + 2], `round ${round}`);
    Atomics.store(arena.i32, word + 1, round);
  }
}

/** Says of each row of a table that it is about to change. */
export function touchRows(arena: Arena, data: { readonly table: TableDescriptor; readonly rows: number }): void {
  const table = new Table(arena, data.table);
  for (let row = 0; row < data.rows; row++) table.touch(row);
}
