import { u32 } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import type { Reclaimer } from './readers.ts';
import { Table, type TableDescriptor } from './table.ts';

/**
 * A growing list of (other, rating) pairs for every row of users, or of items, in order of arrival: `other` is the
 * item (the user), `rating` the row of the rating. A block is (bytes, used, count, pairs). A pair is written once, at
 * `used`: the last pair leaves by `count` alone, and what else changes a list makes it a new block. So whoever holds a
 * block sees a list as it once was, or longer or shorter at its end. Address 0 serves as the block of an empty list.
 */

const HEAD_BYTES = 12;
const HEAD_WORDS = HEAD_BYTES / 4;
/** Before the pairs: how many words back. */
const BYTES = 3;
const USED = 2;
const COUNT = 1;
const PAIR_BYTES = 8;
const FIRST_BLOCK_BYTES = 64;
/** `pairs` of a list that has no block. */
const NO_PAIRS = HEAD_WORDS;
const NONE = Number.POSITIVE_INFINITY;

const LIST = { block: u32() };

export interface ListsDescriptor {
  readonly lists: TableDescriptor<typeof LIST>;
}

export class Lists {
  readonly descriptor: ListsDescriptor;
  readonly #arena: Arena;
  readonly #lists: Table<typeof LIST>;
  readonly #blockOf: (row: number) => number;
  /** Bytes of all blocks; known to the writer. */
  #bytes = 0;

  constructor(arena: Arena, descriptor: ListsDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#lists = new Table(arena, descriptor.lists);
    this.#blockOf = this.#lists.column('block');
  }

  static create(arena: Arena): Lists {
    return new Lists(arena, { lists: Table.create(arena, LIST).descriptor });
  }

  get rows(): number {
    return this.#lists.rows;
  }

  /** The memory that pairs lie in. */
  get words(): Uint32Array {
    return this.#arena.u32;
  }

  /** Bytes that a copy of them takes. */
  get copyBytes(): number {
    return this.#lists.copyBytes + this.#bytes;
  }

  /** Bytes that `more` pairs may ask for when there are `rows` lists afterwards: as if every block had to be doubled. */
  growthBytes(more: number, rows = this.rows + more): number {
    return this.#lists.growthBytes(rows - this.rows) + 2 * this.#bytes + more * (FIRST_BLOCK_BYTES + 4 * PAIR_BYTES);
  }

  /** Makes lists for rows up to `rows`. */
  grow(rows: number): void {
    this.#lists.grow(rows);
  }

  /** The length of a row's list; 0 for a row that has none. */
  count(row: number): number {
    return this.countAt(this.pairs(row));
  }

  /** The index into the u32 view of the pairs of a row's list; pair n is at `pairs + 2 n`. A row without list has none. */
  pairs(row: number): number {
    if (row >= this.rows) return NO_PAIRS;
    return (Atomics.load(this.#arena.u32, this.#blockOf(row) >>> 2) + HEAD_BYTES) >>> 2;
  }

  /** How many pairs are at `pairs(row)`. */
  countAt(pairs: number): number {
    return Atomics.load(this.#arena.u32, pairs - COUNT);
  }

  /** Makes room for one more pair, so that the next `append` cannot throw. */
  reserve(row: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const pairs = this.pairs(row);
    const count = words[pairs - COUNT];
    if (words[pairs - USED] === count && HEAD_BYTES + PAIR_BYTES * (count + 1) <= words[pairs - BYTES]) return;
    this.#replace(row, blockBytes(count + 1), NONE, reclaimer);
  }

  /** Throws MEMORY_FULL, and then nothing has changed. */
  append(row: number, other: number, rating: number, reclaimer: Reclaimer): void {
    this.reserve(row, reclaimer);
    const { u32: words } = this.#arena;
    const pairs = this.pairs(row);
    const count = words[pairs - COUNT];
    words[pairs + 2 * count] = other;
    words[pairs + 2 * count + 1] = rating;
    words[pairs - USED] = count + 1;
    Atomics.store(words, pairs - COUNT, count + 1);
  }

  /**
   * Takes the pair of rating `rating` out of a row's list; what came after it moves up. The last pairs are found first,
   * and the very last leaves without a copy: so everything leaves best from the end. Throws as `append` does.
   */
  remove(row: number, rating: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const pairs = this.pairs(row);
    const last = words[pairs - COUNT] - 1;
    let n = last;
    while (n >= 0 && words[pairs + 2 * n + 1] !== rating) n--;
    if (n < 0) throw new RangeError(`rating ${rating} is not in the list of row ${row}`);
    if (n === last) Atomics.store(words, pairs - COUNT, last);
    else this.#replace(row, words[pairs - BYTES], n, reclaimer);
  }

  /** Takes the pairs of several ratings out of a row's list, with one copy of it, or none from its end. Throws as `append` does. */
  removeAll(row: number, ratings: ReadonlySet<number>, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const old = this.pairs(row);
    const count = words[old - COUNT];
    let first = count;
    let found = 0;
    for (let n = count - 1; n >= 0 && found < ratings.size; n--) {
      if (!ratings.has(words[old + 2 * n + 1])) continue;
      first = n;
      found++;
    }
    if (found === 0) return;
    if (found === count - first) {
      Atomics.store(words, old - COUNT, first);
      return;
    }
    const bytes = words[old - BYTES];
    const block = this.#allocate(bytes, reclaimer);
    const pairs = (block + HEAD_BYTES) >>> 2;
    words.copyWithin(pairs, old, old + 2 * first);
    let to = pairs + 2 * first;
    for (let from = old + 2 * first; from < old + 2 * count; from += 2) {
      if (ratings.has(words[from + 1])) continue;
      words[to++] = words[from];
      words[to++] = words[from + 1];
    }
    this.#publish(row, block, bytes, count - found, reclaimer);
  }

  /**
   * Fills lists that are all empty with pairs in order: number n is of list `rows[n]`, with `others[n]` and `ratings[n]`.
   * Throws MEMORY_FULL.
   */
  rebuild(rows: Uint32Array, others: Uint32Array, ratings: Uint32Array): void {
    const { u32: words } = this.#arena;
    const lengths = new Uint32Array(this.rows);
    for (let n = 0; n < rows.length; n++) lengths[rows[n]]++;
    // Where the next pair of each list goes.
    const ends = new Uint32Array(this.rows);
    for (let row = 0; row < lengths.length; row++) {
      if (lengths[row] === 0) continue;
      const bytes = blockBytes(lengths[row]);
      const block = this.#arena.allocate(bytes);
      ends[row] = this.#begin(block, bytes, lengths[row]);
      words[this.#blockOf(row) >>> 2] = block;
    }
    for (let n = 0; n < rows.length; n++) {
      const at = ends[rows[n]];
      words[at] = others[n];
      words[at + 1] = ratings[n];
      ends[rows[n]] = at + 2;
    }
  }

  /** Continues hash `seed` over every list that is not empty: its row and its pairs, and by that its length. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    let hash = seed;
    for (let row = 0; row < this.rows; row++) {
      const pairs = this.pairs(row);
      const count = this.countAt(pairs);
      if (count > 0) hash = kernels.xxh64(4 * pairs, PAIR_BYTES * count, hash ^ BigInt(row));
    }
    return hash;
  }

  /** Puts a list, less pair number `without`, into a new block of `bytes`. */
  #replace(row: number, bytes: number, without: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const block = this.#allocate(bytes, reclaimer);
    const pairs = (block + HEAD_BYTES) >>> 2;
    const old = this.pairs(row);
    const count = words[old - COUNT];
    const kept = Math.min(without, count);
    words.copyWithin(pairs, old, old + 2 * kept);
    words.copyWithin(pairs + 2 * kept, old + 2 * kept + 2, old + 2 * count);
    this.#publish(row, block, bytes, without === NONE ? count : count - 1, reclaimer);
  }

  /** Where there is no room, readers are waited for who keep retired blocks: a list may change faster than they read. */
  #allocate(bytes: number, reclaimer: Reclaimer): number {
    try {
      return this.#arena.allocate(bytes);
    } catch {
      reclaimer.drain();
      return this.#arena.allocate(bytes);
    }
  }

  /** Makes a block of `bytes` that holds `count` pairs the list of a row. */
  #publish(row: number, block: number, bytes: number, count: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const old = this.pairs(row);
    this.#begin(block, bytes, count);
    Atomics.store(words, this.#blockOf(row) >>> 2, block);
    if (old === NO_PAIRS) return;
    const oldBytes = words[old - BYTES];
    this.#bytes -= oldBytes;
    reclaimer.retire(4 * (old - HEAD_WORDS), oldBytes);
  }

  /** Writes the head of a block that is to be published. Returns the index of its pairs. */
  #begin(block: number, bytes: number, count: number): number {
    const { u32: words } = this.#arena;
    const pairs = (block + HEAD_BYTES) >>> 2;
    words[pairs - BYTES] = bytes;
    words[pairs - USED] = count;
    words[pairs - COUNT] = count;
    this.#bytes += bytes;
    return pairs;
  }
}

/** Of a block that has room for so many pairs: a power of two. */
function blockBytes(pairs: number): number {
  let bytes = FIRST_BLOCK_BYTES;
  while (bytes < HEAD_BYTES + PAIR_BYTES * pairs) bytes *= 2;
  return bytes;
}
