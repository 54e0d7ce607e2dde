import { eachRun, u32 } from '../../../plugins/contract/index.ts';
import type { Arena } from '../arena.ts';
import type { IdsDescriptor } from '../ids.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import type { Reclaimer } from '../readers.ts';
import { prefixed, type StateTables, Table, type TableDescriptor } from '../table.ts';
import { Availability, type AvailabilityDescriptor } from './availability.ts';
import { CHANGES_BYTES, Changes, type ChangesDescriptor } from './changes.ts';
import { EmbeddingLengths, type EmbeddingLengthsDescriptor } from './embedding-lengths.ts';
import {
  allocatedBytesOf,
  blocksBytesMax,
  bytesOf,
  copyBlock,
  type IndexedNumber,
  makeBlock,
  messageBytesOf,
  messageOf,
  termCountOf,
  termsOf,
} from './feature-blocks.ts';
import { type FeatureValues, isList } from './feature-values.ts';
import { Terms } from './terms.ts';

/**
 * What is known of items, or of users, by row: the message as it came, an index of its texts and numbers, and when it
 * may be recommended. Rows beyond the last one that was ever written have nothing. One thread writes, all read; whoever
 * reads blocks does so inside `Reader.run`.
 */

const PLACE = { block: u32() };
/** A checkpoint saves the blocks of a whole segment of places when one of them changed. */
const PLACE_SEGMENT_BYTES = 64 * 1024;
/** Where an attribute's values stand among the terms. */
export const ATTRIBUTES = 'attributes';

export interface FeaturesDescriptor {
  readonly availability: AvailabilityDescriptor;
  readonly places: TableDescriptor<typeof PLACE>;
  readonly terms: IdsDescriptor;
  readonly embeddingLengths: EmbeddingLengthsDescriptor;
  readonly changes: ChangesDescriptor;
}

/** What is to be written. */
export interface FeatureGrowth {
  /** Rows that there will be: those of the ids. */
  readonly rows: number;
  /** How many messages, and all their bytes. */
  readonly messages: number;
  readonly messageBytes: number;
  /** The sum of their `countValues`. */
  readonly values: number;
}

export class Features {
  readonly descriptor: FeaturesDescriptor;
  readonly availability: Availability;
  readonly terms: Terms;
  readonly changes: Changes;
  readonly #arena: Arena;
  readonly #places: Table<typeof PLACE>;
  readonly #embeddingLengths: EmbeddingLengths;
  readonly #blockOf: (row: number) => number;

  constructor(arena: Arena, descriptor: FeaturesDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.availability = new Availability(arena, descriptor.availability);
    this.terms = new Terms(arena, descriptor.terms);
    this.changes = new Changes(arena, descriptor.changes);
    this.#places = new Table(arena, descriptor.places);
    this.#embeddingLengths = new EmbeddingLengths(arena, descriptor.embeddingLengths);
    this.#blockOf = this.#places.column('block');
  }

  static create(arena: Arena, hashSeed: number): Features {
    return new Features(arena, {
      availability: Availability.create(arena).descriptor,
      places: Table.create(arena, PLACE, PLACE_SEGMENT_BYTES).descriptor,
      terms: Terms.create(arena, hashSeed).descriptor,
      embeddingLengths: EmbeddingLengths.create(arena, hashSeed).descriptor,
      changes: Changes.create(arena).descriptor,
    });
  }

  /** Rows up to the last one that was ever written. */
  get rows(): number {
    return this.#places.rows;
  }

  /** Bytes that a copy of them takes. */
  get copyBytes(): number {
    const { availability, terms } = this;
    let bytes = availability.copyBytes + this.#places.copyBytes + terms.copyBytes + this.#embeddingLengths.copyBytes;
    for (let row = 0; row < this.rows; row++) {
      const block = this.block(row);
      if (block !== 0) bytes += allocatedBytesOf(this.#arena.u32, block);
    }
    return bytes + CHANGES_BYTES;
  }

  /** Bytes that writing this may ask for, at most. */
  growthBytes({ rows, messages, messageBytes, values }: FeatureGrowth): number {
    const more = Math.max(0, rows - this.rows);
    return (
      this.availability.growthBytes(more) +
      this.#places.growthBytes(more) +
      this.terms.growthBytes(values) +
      this.#embeddingLengths.growthBytes(values) +
      blocksBytesMax(messages, messageBytes, values)
    );
  }

  /** The message of a row, or undefined. Inside `Reader.run`. */
  message(row: number): Uint8Array | undefined {
    const block = this.block(row);
    if (block === 0) return undefined;
    const { u32: words, u8 } = this.#arena;
    const at = messageOf(words, block);
    return u8.slice(at, at + messageBytesOf(words, block));
  }

  /** The block of a row, as `feature-blocks.ts` reads it; 0, an empty one, for a row of which nothing is known. */
  block(row: number): number {
    return row < this.rows ? Atomics.load(this.#arena.u32, this.#blockOf(row) >>> 2) >>> 2 : 0;
  }

  /**
   * Calls `visit` with each stretch of rows from .. to - 1 for the kernels that look into blocks: where the addresses of
   * its blocks begin, how many bytes apart they lie, the first row and how many. A row beyond the last one is in none.
   */
  eachPlaces(
    from: number,
    to: number,
    visit: (places: number, stride: number, row: number, count: number) => void,
  ): void {
    const { stride } = this.#places;
    eachRun(this.#places, from, Math.min(to, this.rows), (row, count) => visit(this.#blockOf(row), stride, row, count));
  }

  /** Whether a row was deleted and not written since. */
  isDeleted(row: number): boolean {
    return this.availability.isDeleted(row);
  }

  /** How long embeddings of this name are; undefined: there is none yet. */
  embeddingLength(name: string): number | undefined {
    return this.#embeddingLengths.find(name);
  }

  /**
   * Replaces all that is known of a row; a deleted one is back. Embeddings must have the length of their name. Throws
   * MEMORY_FULL, and then nothing has changed but that some terms may have a number, and some names of
   * embeddings a length.
   */
  write(row: number, values: FeatureValues, reclaimer: Reclaimer): void {
    this.#reserve(row + 1);
    for (const [name, length] of values.embeddings) this.#embeddingLengths.fix(name, length, reclaimer);
    const { terms, numbers } = this.#index(values, reclaimer);
    const address = makeBlock(this.#arena, values.message, numbers, terms);
    this.#grow(row + 1);
    this.#swap(row, address, reclaimer);
    this.availability.set(row, values);
    this.changes.add(row);
  }

  /** Forgets all that is known of a row, and marks it deleted. Throws MEMORY_FULL, and then nothing has changed. */
  remove(row: number, reclaimer: Reclaimer): void {
    this.#reserve(row + 1);
    this.#grow(row + 1);
    this.availability.delete(row);
    this.#swap(row, 0, reclaimer);
    this.changes.add(row);
  }

  /** What has to be saved of them, besides the blocks that `places` name. */
  stateTables(): StateTables {
    return {
      ...prefixed('availability', this.availability.stateTables()),
      ...prefixed('terms', this.terms.stateTables()),
      ...prefixed('embeddings', this.#embeddingLengths.stateTables()),
    };
  }

  /** By row the address of its block, or 0. */
  get places(): Table {
    return this.#places;
  }

  /** Makes a row's block anew from its bytes. Throws MEMORY_FULL. */
  restoreBlock(row: number, bytes: Uint8Array): void {
    this.#arena.u32[this.#blockOf(row) >>> 2] = copyBlock(this.#arena, bytes);
  }

  /** Gives rows without blocks those that other features have. Throws MEMORY_FULL. */
  copyBlocks(from: Features): void {
    this.#places.grow(from.rows);
    const { u32: words, u8 } = from.#arena;
    for (let row = 0; row < from.rows; row++) {
      const block = from.block(row);
      if (block === 0) continue;
      this.#places.touch(row);
      this.restoreBlock(row, u8.subarray(4 * block, 4 * block + bytesOf(words, block)));
    }
  }

  /** Makes the rest anew from restored tables. Throws MEMORY_FULL. */
  rebuild(reclaimer: Reclaimer): void {
    this.availability.rebuild();
    this.terms.rebuild(reclaimer);
    this.#embeddingLengths.rebuild(reclaimer);
  }

  /**
   * Forgets a row as if it had never been told of, and with it every term that no row has any more: also what the row said
   * before it was written anew.
   */
  forget(row: number, reclaimer: Reclaimer): void {
    if (row >= this.rows) return;
    this.availability.clear(row);
    if (this.block(row) === 0) return;
    this.#swap(row, 0, reclaimer);
    this.changes.add(row);
    this.#sweepTerms();
  }

  #sweepTerms(): void {
    const { u32: words } = this.#arena;
    const used = new Uint8Array(this.terms.count);
    for (let row = 0; row < this.rows; row++) {
      const block = this.block(row);
      const start = termsOf(words, block);
      for (let n = 0; n < termCountOf(words, block); n++) used[words[start + n]] = 1;
    }
    for (let term = 0; term < used.length; term++)
      if (used[term] === 0 && !this.terms.isRemoved(term)) this.terms.remove(term);
  }

  /** Continues hash `seed` over every byte that is known: of rows, terms, and lengths of embeddings. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    let hash = this.availability.hash(kernels, seed);
    hash = this.#embeddingLengths.hash(kernels, this.terms.hash(kernels, hash));
    for (let row = 0; row < this.rows; row++) {
      const block = this.block(row);
      hash = kernels.xxh64(4 * block, bytesOf(this.#arena.u32, block), hash);
    }
    return hash;
  }

  #reserve(rows: number): void {
    this.availability.reserve(rows);
    this.#places.reserve(rows);
  }

  #grow(rows: number): void {
    this.availability.grow(rows);
    this.#places.grow(rows);
  }

  #swap(row: number, address: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const at = this.#blockOf(row) >>> 2;
    const old = words[at];
    this.#places.touch(row);
    Atomics.store(words, at, address);
    if (old !== 0) reclaimer.retireState(old, allocatedBytesOf(words, old >>> 2));
  }

  /** Each term once; of a list, all that stands in it. Truth values are the texts "true" and "false". */
  #index(values: FeatureValues, reclaimer: Reclaimer): { terms: number[]; numbers: IndexedNumber[] } {
    const terms = new Set<number>();
    const numbers: IndexedNumber[] = [];
    const add = (path: string, members: readonly (string | number | boolean)[]) => {
      const field = this.terms.obtainField(path, reclaimer);
      if (field < 0) return;
      terms.add(field);
      for (const value of members) {
        if (typeof value === 'number') numbers.push({ field, value });
        else terms.add(this.terms.obtain(field, String(value), reclaimer));
      }
    };
    for (const path of ['categories', 'labels'] as const) if (values[path].length > 0) add(path, values[path]);
    for (const [name, value] of values.attributes) add(`${ATTRIBUTES}.${name}`, isList(value) ? value : [value]);
    terms.delete(-1);
    return { terms: [...terms], numbers };
  }
}
