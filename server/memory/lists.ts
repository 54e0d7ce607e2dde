import { u32 } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import type { Reclaimer } from './readers.ts';
import { Table, type TableDescriptor } from './table.ts';

/**
 * A growing list of (other, rating) pairs for every row of users, or of items, in order of arrival: `other` is the
 * item (the user), `rating` the row of the rating. A block is (capacity, count, pairs); a full one is copied to one of
 * twice the size, and a shorter list is always a new block. So whoever holds a block sees a list as it once was, or as
 * it grew since. Address 0 serves as the block of an empty list.
 */

const HEAD_BYTES = 8;
const HEAD_WORDS = HEAD_BYTES / 4;
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
    if (row >= this.rows) return HEAD_BYTES >>> 2;
    return (Atomics.load(this.#arena.u32, this.#blockOf(row) >>> 2) + HEAD_BYTES) >>> 2;
  }

  /** How many pairs are at `pairs(row)`. */
  countAt(pairs: number): number {
    return Atomics.load(this.#arena.u32, pairs - 1);
  }

  /** Makes room for one more pair, so that the next `append` cannot throw. */
  reserve(row: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const pairs = this.pairs(row);
    const capacity = words[pairs - HEAD_WORDS];
    if (words[pairs - 1] < capacity) return;
    this.#replace(row, pairs === NO_PAIRS ? FIRST_BLOCK_BYTES : 2 * blockBytes(capacity), NONE, reclaimer);
  }

  /** Throws MEMORY_FULL, and then nothing has changed. */
  append(row: number, other: number, rating: number, reclaimer: Reclaimer): void {
    this.reserve(row, reclaimer);
    const { u32: words } = this.#arena;
    const pairs = this.pairs(row);
    const count = words[pairs - 1];
    words[pairs + 2 * count] = other;
    words[pairs + 2 * count + 1] = rating;
    Atomics.store(words, pairs - 1, count + 1);
  }

  /** Takes the pair of rating `rating` out of a row's list; what came after it moves up. Throws as `append` does. */
  remove(row: number, rating: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const pairs = this.pairs(row);
    const count = words[pairs - 1];
    let n = 0;
    while (n < count && words[pairs + 2 * n + 1] !== rating) n++;
    if (n === count) throw new RangeError(`rating ${rating} is not in the list of row ${row}`);
    this.#replace(row, blockBytes(words[pairs - HEAD_WORDS]), n, reclaimer);
  }

  /** Takes the pairs of several ratings out of a row's list, with one copy of it. Throws as `append` does. */
  removeAll(row: number, ratings: ReadonlySet<number>, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const old = this.pairs(row);
    const bytes = blockBytes(words[old - HEAD_WORDS]);
    const block = this.#arena.allocate(bytes);
    const pairs = (block + HEAD_BYTES) >>> 2;
    const end = old + 2 * words[old - 1];
    let to = pairs;
    for (let from = old; from < end; from += 2) {
      if (ratings.has(words[from + 1])) continue;
      words[to++] = words[from];
      words[to++] = words[from + 1];
    }
    this.#publish(row, block, bytes, (to - pairs) / 2, reclaimer);
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
      let bytes = FIRST_BLOCK_BYTES;
      while (bytes < blockBytes(lengths[row])) bytes *= 2;
      const block = this.#arena.allocate(bytes);
      words[block >>> 2] = (bytes - HEAD_BYTES) / PAIR_BYTES;
      words[(block >>> 2) + 1] = lengths[row];
      words[this.#blockOf(row) >>> 2] = block;
      ends[row] = (block + HEAD_BYTES) >>> 2;
      this.#bytes += bytes;
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
    const old = this.pairs(row);
    const count = words[old - 1];
    const kept = Math.min(without, count);
    const block = this.#arena.allocate(bytes);
    const pairs = (block + HEAD_BYTES) >>> 2;
    words.copyWithin(pairs, old, old + 2 * kept);
    words.copyWithin(pairs + 2 * kept, old + 2 * kept + 2, old + 2 * count);
    this.#publish(row, block, bytes, without === NONE ? count : count - 1, reclaimer);
  }

  /** Makes a block of `bytes` that holds `count` pairs the list of a row. */
  #publish(row: number, block: number, bytes: number, count: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const old = this.pairs(row);
    words[block >>> 2] = (bytes - HEAD_BYTES) / PAIR_BYTES;
    words[(block >>> 2) + 1] = count;
    Atomics.store(words, this.#blockOf(row) >>> 2, block);
    this.#bytes += bytes;
    if (old === NO_PAIRS) return;
    const oldBytes = blockBytes(words[old - HEAD_WORDS]);
    this.#bytes -= oldBytes;
    reclaimer.retire(4 * (old - HEAD_WORDS), oldBytes);
  }
}

function blockBytes(capacity: number): number {
  return HEAD_BYTES + PAIR_BYTES * capacity;
}
