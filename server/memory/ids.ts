import { u32 } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import { hashBytes } from './hash.ts';
import { HashIndex, type HashIndexDescriptor } from './hash-index.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import type { Reclaimer } from './readers.ts';
import { type StateTables, Table, type TableDescriptor } from './table.ts';

/**
 * Ids of one sort (users, or items), numbered by row in order of first appearance. An id is 1..256 bytes of UTF-8
 * within a namespace. One thread writes, all read.
 */

export const ID_BYTES_MAX = 256;
/** The bytes of ids lie one after the other in rows of this many, each id within one segment. */
const TEXT_BYTES = 8;
const TEXT = { bytes: u32(TEXT_BYTES / 4) };

/** What says which id a row is: `start` is its first row of text. */
const IDENTITY = { namespace: u32(), length: u32(), start: u32() };
/** The namespace of a row that is nobody's. */
const NOBODY = 0xffff_ffff;
/** Where the text lies and under which hash the index has it: differs from process to process. */
const PLACE = { address: u32(), hash: u32() };

/** Bytes of an id to look up: a slice of a message. */
export interface IdKey {
  bytes: Uint8Array;
  start: number;
  length: number;
  namespace: number;
}

export interface IdsDescriptor {
  readonly identity: TableDescriptor<typeof IDENTITY>;
  readonly text: TableDescriptor<typeof TEXT>;
  readonly place: TableDescriptor<typeof PLACE>;
  readonly index: HashIndexDescriptor;
  readonly hashSeed: number;
}

export class Ids {
  readonly descriptor: IdsDescriptor;
  readonly #arena: Arena;
  readonly #identity: Table<typeof IDENTITY>;
  readonly #text: Table<typeof TEXT>;
  readonly #place: Table<typeof PLACE>;
  readonly #index: HashIndex;
  readonly #namespaceOf: (row: number) => number;
  readonly #lengthOf: (row: number) => number;
  readonly #startOf: (row: number) => number;
  readonly #textOf: (row: number) => number;
  readonly #addressOf: (row: number) => number;
  readonly #hashOf: (row: number) => number;

  constructor(arena: Arena, descriptor: IdsDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#identity = new Table(arena, descriptor.identity);
    this.#text = new Table(arena, descriptor.text);
    this.#place = new Table(arena, descriptor.place);
    this.#index = new HashIndex(arena, descriptor.index);
    this.#namespaceOf = this.#identity.column('namespace');
    this.#lengthOf = this.#identity.column('length');
    this.#startOf = this.#identity.column('start');
    this.#textOf = this.#text.column('bytes');
    this.#addressOf = this.#place.column('address');
    this.#hashOf = this.#place.column('hash');
  }

  /** `hashSeed` is best drawn anew by each process, so that nobody can send ids that all collide. */
  static create(arena: Arena, hashSeed: number): Ids {
    return new Ids(arena, {
      identity: Table.create(arena, IDENTITY).descriptor,
      text: Table.create(arena, TEXT).descriptor,
      place: Table.create(arena, PLACE).descriptor,
      index: HashIndex.create(arena).descriptor,
      hashSeed,
    });
  }

  /** Ids that have a row. */
  get rows(): number {
    return this.#identity.rows;
  }

  get bytes(): number {
    return this.#identity.bytes + this.#text.bytes + this.#place.bytes;
  }

  /** Bytes that a copy of them takes. */
  get copyBytes(): number {
    return this.#identity.copyBytes + this.#text.copyBytes + this.#place.copyBytes + this.#index.copyBytes;
  }

  /** Bytes that `more` new ids may ask for. */
  growthBytes(more: number): number {
    // Of each segment less than the longest id stays empty.
    const texts = more === 0 ? 0 : (more * ID_BYTES_MAX * 1.002) / TEXT_BYTES + ID_BYTES_MAX;
    return (
      this.#text.growthBytes(Math.ceil(texts)) +
      this.#identity.growthBytes(more) +
      this.#place.growthBytes(more) +
      this.#index.growthBytes(more)
    );
  }

  /** The row of an id, or -1. */
  find(key: IdKey): number {
    return this.#index.find(this.#hash(key), this.#matches, key);
  }

  /** The row of an id, made when there is none. Throws MEMORY_FULL, and then there is still none. */
  obtain(key: IdKey, reclaimer: Reclaimer): number {
    const hash = this.#hash(key);
    const found = this.#index.find(hash, this.#matches, key);
    if (found >= 0) return found;
    const { u8, u32: words } = this.#arena;
    const row = this.rows;
    this.#index.reserve(reclaimer);
    this.#place.reserve(row + 1);
    this.#identity.reserve(row + 1);
    const start = this.#makeText(key.length);
    const address = this.#textOf(start);
    for (let i = 0; i < key.length; i++) u8[address + i] = key.bytes[key.start + i];
    words[this.#startOf(row) >>> 2] = start;
    words[this.#addressOf(row) >>> 2] = address;
    words[this.#hashOf(row) >>> 2] = hash;
    words[this.#namespaceOf(row) >>> 2] = key.namespace;
    words[this.#lengthOf(row) >>> 2] = key.length;
    this.#place.grow(row + 1);
    this.#identity.grow(row + 1);
    this.#index.add(hash, row, reclaimer);
    return row;
  }

  /** Takes an id out: its row stays and is nobody's from now on. */
  remove(row: number): void {
    const { u32: words } = this.#arena;
    const length = words[this.#lengthOf(row) >>> 2];
    const start = words[this.#startOf(row) >>> 2];
    this.#index.remove(words[this.#hashOf(row) >>> 2], row);
    this.#identity.clear(row);
    words[this.#namespaceOf(row) >>> 2] = NOBODY;
    for (let n = 0; n < Math.ceil(length / TEXT_BYTES); n++) this.#text.clear(start + n);
  }

  /** A row that is nobody's, in the place of one whose id was taken out. Throws MEMORY_FULL, and then nothing has changed. */
  addNobody(): number {
    const row = this.rows;
    this.#place.reserve(row + 1);
    this.#identity.reserve(row + 1);
    this.#arena.u32[this.#namespaceOf(row) >>> 2] = NOBODY;
    this.#place.grow(row + 1);
    this.#identity.grow(row + 1);
    return row;
  }

  /** Whether a row is nobody's: its text is empty. */
  isNobody(row: number): boolean {
    return this.namespace(row) === NOBODY;
  }

  /** Whether there is such a row, and it is somebody's. */
  isSomebody(row: number): boolean {
    return row >= 0 && row < this.rows && !this.isNobody(row);
  }

  /** The id of a row, as text. */
  text(row: number): string {
    const { u32: words, u8 } = this.#arena;
    const length = Math.min(words[this.#lengthOf(row) >>> 2], ID_BYTES_MAX);
    const address = words[this.#addressOf(row) >>> 2];
    return Buffer.prototype.utf8Slice.call(u8, address, address + length);
  }

  /** The namespace of a row's id. */
  namespace(row: number): number {
    return this.#arena.u32[this.#namespaceOf(row) >>> 2];
  }

  /** Where the bytes of a row's id lie, for kernels: address and length. */
  place(row: number): { address: number; length: number } {
    const { u32: words } = this.#arena;
    return { address: words[this.#addressOf(row) >>> 2], length: words[this.#lengthOf(row) >>> 2] };
  }

  /** Continues hash `seed` over every id: its number, namespace and bytes. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#text.hash(kernels, this.#identity.hash(kernels, seed));
  }

  /** What has to be saved of them. */
  stateTables(): StateTables {
    return { identity: this.#identity, text: this.#text };
  }

  /** Makes the rest anew from restored tables. Throws MEMORY_FULL. */
  rebuild(reclaimer: Reclaimer): void {
    const { u32: words, u8 } = this.#arena;
    this.#place.grow(this.rows);
    this.#index.rebuild(this.rows, reclaimer);
    for (let row = 0; row < this.rows; row++) {
      if (this.isNobody(row)) continue;
      words[this.#addressOf(row) >>> 2] = this.#textOf(words[this.#startOf(row) >>> 2]);
      const { address: start, length } = this.place(row);
      const hash = this.#hash({ bytes: u8, start, length, namespace: this.namespace(row) });
      words[this.#hashOf(row) >>> 2] = hash;
      this.#index.add(hash, row, reclaimer);
    }
  }

  #hash(key: IdKey): number {
    return hashBytes(key.bytes, key.start, key.length, this.descriptor.hashSeed ^ key.namespace);
  }

  readonly #matches = (row: number, key: IdKey): boolean => {
    const { u32: words, u8 } = this.#arena;
    if (words[this.#lengthOf(row) >>> 2] !== key.length) return false;
    if (words[this.#namespaceOf(row) >>> 2] !== key.namespace) return false;
    const address = words[this.#addressOf(row) >>> 2];
    for (let i = 0; i < key.length; i++) {
      if (u8[address + i] !== key.bytes[key.start + i]) return false;
    }
    return true;
  };

  /** Rows of text for an id, in one segment; returns the first. */
  #makeText(length: number): number {
    const { rows, segmentRows } = this.#text;
    const count = Math.ceil(length / TEXT_BYTES);
    const left = segmentRows - (rows & (segmentRows - 1));
    const start = count > left ? rows + left : rows;
    this.#text.grow(start + count);
    return start;
  }
}

const encoder = new TextEncoder();

/** A reusable key for looking up ids given as text. */
export class TextKey implements IdKey {
  bytes = new Uint8Array(ID_BYTES_MAX);
  readonly start = 0;
  length = 0;
  namespace = 0;

  /** False when the text is longer than an id may be. */
  set(id: string, namespace = 0): boolean {
    const { read, written } = encoder.encodeInto(id, this.bytes);
    this.length = written;
    this.namespace = namespace;
    return read === id.length;
  }
}
