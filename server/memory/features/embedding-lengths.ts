import assert from 'node:assert/strict';
import { u32 } from '../../../plugins/contract/index.ts';
import type { Arena } from '../arena.ts';
import { Ids, type IdsDescriptor, TextKey } from '../ids.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import type { Reclaimer } from '../readers.ts';
import { prefixed, type StateTables, Table, type TableDescriptor } from '../table.ts';

/** How long the embeddings of each name are: the first one says it for all. One thread writes, all read. */

const LENGTH = { length: u32() };

export interface EmbeddingLengthsDescriptor {
  readonly names: IdsDescriptor;
  readonly lengths: TableDescriptor<typeof LENGTH>;
}

export class EmbeddingLengths {
  readonly descriptor: EmbeddingLengthsDescriptor;
  readonly #arena: Arena;
  readonly #names: Ids;
  readonly #lengths: Table<typeof LENGTH>;
  readonly #lengthOf: (row: number) => number;
  readonly #key = new TextKey();

  constructor(arena: Arena, descriptor: EmbeddingLengthsDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#names = new Ids(arena, descriptor.names);
    this.#lengths = new Table(arena, descriptor.lengths);
    this.#lengthOf = this.#lengths.column('length');
  }

  static create(arena: Arena, hashSeed: number): EmbeddingLengths {
    return new EmbeddingLengths(arena, {
      names: Ids.create(arena, hashSeed).descriptor,
      lengths: Table.create(arena, LENGTH).descriptor,
    });
  }

  /** Bytes that a copy of them takes. */
  get copyBytes(): number {
    return this.#names.copyBytes + this.#lengths.copyBytes;
  }

  /** Bytes that `more` new names may ask for. */
  growthBytes(more: number): number {
    return this.#names.growthBytes(more) + this.#lengths.growthBytes(more);
  }

  /** The length of the embeddings of this name; undefined: there is none yet. */
  find(name: string): number | undefined {
    const row = this.#key.set(name) ? this.#names.find(this.#key) : -1;
    return row < 0 ? undefined : this.#arena.u32[this.#lengthOf(row) >>> 2];
  }

  /** Fixes the length of a name that is new; others must have this one. Throws MEMORY_FULL, and then nothing has changed. */
  fix(name: string, length: number, reclaimer: Reclaimer): void {
    const known = this.find(name);
    if (known === undefined) {
      assert(this.#key.set(name), `the name of an embedding is too long: ${name}`);
      const row = this.#names.rows;
      this.#lengths.reserve(row + 1);
      this.#arena.u32[this.#lengthOf(row) >>> 2] = length;
      this.#names.obtain(this.#key, reclaimer);
      this.#lengths.grow(row + 1);
    } else {
      assert.equal(length, known, `embeddings ${name} have another length`);
    }
  }

  /** What has to be saved of them. */
  stateTables(): StateTables {
    return { ...prefixed('names', this.#names.stateTables()), lengths: this.#lengths };
  }

  /** Makes the rest anew from restored tables. Throws MEMORY_FULL. */
  rebuild(reclaimer: Reclaimer): void {
    this.#names.rebuild(reclaimer);
  }

  /** Continues hash `seed` over every name and its length. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#lengths.hash(kernels, this.#names.hash(kernels, seed));
  }
}
