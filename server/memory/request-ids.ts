import assert from 'node:assert/strict';
import { f64, u32 } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import { hashBytes } from './hash.ts';
import { HashIndex } from './hash-index.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import type { Reclaimer } from './readers.ts';
import { type StateTables, Table } from './table.ts';

/**
 * The last `request_id`s and what became of them, so that a retry is answered as the first call was. Only the learner
 * reads and writes it. A ring: the row of entry number n is n modulo the maximum. All of it is set aside at the start, so
 * that remembering never asks for memory.
 */

export const REQUEST_IDS_MAX = 1_000_000;
/** The part of a memory budget that request ids may take. */
const BUDGET_PART = 1 / 16;
/** Of one entry and its places in the index. */
const ENTRY_BYTES = 128;
export const REQUEST_ID_BYTES_MAX = 36;
export const REQUEST_ID_AGE_MAX_MS = 24 * 3600 * 1000;
export const DIGEST_BYTES = 16;

const ENTRY = {
  id: u32(REQUEST_ID_BYTES_MAX / 4),
  digest: u32(DIGEST_BYTES / 4),
  revision: f64(),
  receivedAtMs: f64(),
  namespace: u32(),
  length: u32(),
  accepted: u32(),
};
/** `entries` there ever were; `max` that are kept. */
const STATE = { entries: f64(), max: f64() };

export interface RequestKey {
  readonly id: Uint8Array;
  readonly namespace: number;
}

export interface RequestEntry extends RequestKey {
  /** Of the ratings of the request's body. */
  readonly digest: Uint8Array;
  readonly revision: number;
  readonly accepted: number;
  readonly receivedAtMs: number;
}

export class RequestIds {
  readonly #arena: Arena;
  readonly #entries: Table<typeof ENTRY>;
  readonly #state: Table<typeof STATE>;
  readonly #index: HashIndex;
  readonly #hashSeed: number;
  readonly #max: number;
  readonly #at: { readonly [Name in keyof typeof ENTRY]: (row: number) => number };

  constructor(arena: Arena, hashSeed: number, max = requestIdsMax(arena.budgetBytes)) {
    const entries = Table.create(arena, ENTRY);
    this.#arena = arena;
    this.#entries = entries;
    this.#state = Table.create(arena, STATE);
    this.#state.grow(1);
    this.#index = HashIndex.create(arena, 2 ** Math.ceil(Math.log2(2 * max)));
    entries.reserve(max);
    this.#hashSeed = hashSeed;
    this.#max = max;
    arena.f64[this.#state.column('max')(0) >>> 3] = max;
    this.#at = {
      id: entries.column('id'),
      digest: entries.column('digest'),
      revision: entries.column('revision'),
      receivedAtMs: entries.column('receivedAtMs'),
      namespace: entries.column('namespace'),
      length: entries.column('length'),
      accepted: entries.column('accepted'),
    };
  }

  get bytes(): number {
    return this.#entries.bytes;
  }

  /** Bytes of those that remember none. */
  get emptyBytes(): number {
    const segmentBytes =
      this.#entries.segmentRows * this.#entries.stride + this.#state.segmentRows * this.#state.stride;
    return this.#entries.headBytes + this.#state.headBytes + segmentBytes;
  }

  /** What is remembered of a request at time `nowMs`; nothing when it is over 24 h old. */
  find(key: RequestKey, nowMs: number): RequestEntry | undefined {
    const row = this.#index.find(this.#hash(key), this.#matches, key);
    if (row < 0) return undefined;
    if (nowMs - this.#arena.f64[this.#at.receivedAtMs(row) >>> 3] > REQUEST_ID_AGE_MAX_MS) return undefined;
    return this.#entryOf(row);
  }

  /**
   * Remembers a request; an older entry of the same id, or the oldest of all when full, is forgotten.
   * Throws MEMORY_FULL, and then nothing has changed.
   */
  add(entry: RequestEntry, reclaimer: Reclaimer): void {
    assert(entry.id.length >= 1 && entry.id.length <= REQUEST_ID_BYTES_MAX, `a request id of ${entry.id.length} bytes`);
    const { f64: doubles, u32: words, u8 } = this.#arena;
    const total = this.#state.column('entries')(0) >>> 3;
    const row = doubles[total] % this.#max;
    this.#index.reserve(reclaimer);
    this.#entries.grow(row + 1);
    this.#forget(this.#index.find(this.#hash(entry), this.#matches, entry));
    this.#forget(row);
    this.#entries.touch(row);
    this.#state.touch(0);
    const id = this.#at.id(row);
    u8.set(entry.id, id);
    u8.set(entry.digest, this.#at.digest(row));
    doubles[this.#at.revision(row) >>> 3] = entry.revision;
    doubles[this.#at.receivedAtMs(row) >>> 3] = entry.receivedAtMs;
    words[this.#at.namespace(row) >>> 2] = entry.namespace;
    words[this.#at.length(row) >>> 2] = entry.id.length;
    words[this.#at.accepted(row) >>> 2] = entry.accepted;
    this.#index.add(this.#hash(entry), row, reclaimer);
    doubles[total]++;
  }

  /** Which of these records have requests that are remembered. */
  remembered(revisions: ReadonlySet<number>): number[] {
    return Array.from(this.#rowsOf(revisions), (row) => this.#arena.f64[this.#at.revision(row) >>> 3]);
  }

  /** Which records before number `before` have requests that are remembered, and have a text in their id. */
  naming(text: string, before: number): number[] {
    const { f64: doubles, u32: words, u8 } = this.#arena;
    const revisions: number[] = [];
    for (let row = 0; before > 1 && row < this.#entries.rows; row++) {
      const revision = doubles[this.#at.revision(row) >>> 3];
      const length = words[this.#at.length(row) >>> 2];
      if (revision >= before || length === 0) continue;
      const id = Buffer.from(u8.buffer, this.#at.id(row), length);
      if (id.includes(text)) revisions.push(revision);
    }
    return revisions;
  }

  /** Forgets the requests of these records. */
  forget(revisions: ReadonlySet<number>): void {
    for (const row of this.#rowsOf(revisions)) this.#forget(row);
  }

  *#rowsOf(revisions: ReadonlySet<number>): Generator<number> {
    for (let row = 0; revisions.size > 0 && row < this.#entries.rows; row++) {
      if (revisions.has(this.#arena.f64[this.#at.revision(row) >>> 3])) yield row;
    }
  }

  /** What has to be saved of them. */
  stateTables(): StateTables {
    return { entries: this.#entries, state: this.#state };
  }

  /** Makes the index anew from restored tables. Of another maximum than it has now the latest entries are kept. */
  rebuild(reclaimer: Reclaimer): void {
    const max = this.#arena.f64[this.#state.column('max')(0) >>> 3];
    if (max !== this.#max) this.#remember(max, reclaimer);
    else for (let row = 0; row < this.#entries.rows; row++) this.#find(row, reclaimer);
  }

  /** Continues hash `seed` over every entry. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#entries.hash(kernels, this.#state.hash(kernels, seed));
  }

  /** Takes an entry out of the index; its row is zeroed. A length of 0 says that it is out already. */
  #forget(row: number): void {
    const key = row < 0 ? undefined : this.#keyOf(row);
    if (!key) return;
    this.#index.remove(this.#hash(key), row);
    this.#entries.clear(row);
  }

  /** Lets an entry be found. */
  #find(row: number, reclaimer: Reclaimer): void {
    const key = this.#keyOf(row);
    if (key) this.#index.add(this.#hash(key), row, reclaimer);
  }

  /** Remembers again, in their order, the entries of a ring of `max`. */
  #remember(max: number, reclaimer: Reclaimer): void {
    const { f64: doubles } = this.#arena;
    const total = this.#state.column('entries')(0) >>> 3;
    const rows = Math.min(doubles[total], max, this.#entries.rows);
    const first = doubles[total] - rows;
    const entries = Array.from({ length: rows }, (_, n) => this.#entryOf((first + n) % max)).filter(
      (entry) => entry !== undefined,
    );
    for (let row = 0; row < this.#entries.rows; row++) this.#entries.clear(row);
    this.#state.touch(0);
    doubles[this.#state.column('max')(0) >>> 3] = this.#max;
    doubles[total] = 0;
    for (const entry of entries) this.add(entry, reclaimer);
  }

  #entryOf(row: number): RequestEntry | undefined {
    const key = this.#keyOf(row);
    if (!key) return undefined;
    const { f64: doubles, u32: words, u8 } = this.#arena;
    const digest = this.#at.digest(row);
    return {
      ...key,
      digest: u8.slice(digest, digest + DIGEST_BYTES),
      revision: doubles[this.#at.revision(row) >>> 3],
      accepted: words[this.#at.accepted(row) >>> 2],
      receivedAtMs: doubles[this.#at.receivedAtMs(row) >>> 3],
    };
  }

  #keyOf(row: number): RequestKey | undefined {
    const { u32: words, u8 } = this.#arena;
    const length = words[this.#at.length(row) >>> 2];
    if (length === 0) return undefined;
    const id = this.#at.id(row);
    return { id: u8.slice(id, id + length), namespace: words[this.#at.namespace(row) >>> 2] };
  }

  readonly #matches = (row: number, key: RequestKey): boolean => {
    const { u32: words, u8 } = this.#arena;
    if (words[this.#at.length(row) >>> 2] !== key.id.length) return false;
    if (words[this.#at.namespace(row) >>> 2] !== key.namespace) return false;
    const id = this.#at.id(row);
    return key.id.every((byte, i) => u8[id + i] === byte);
  };

  #hash(key: RequestKey): number {
    return hashBytes(key.id, 0, key.id.length, this.#hashSeed ^ key.namespace);
  }
}

/** As many as fit into their part of a memory budget, up to REQUEST_IDS_MAX. */
export function requestIdsMax(budgetBytes: number): number {
  return Math.min(REQUEST_IDS_MAX, Math.floor((budgetBytes * BUDGET_PART) / ENTRY_BYTES));
}
