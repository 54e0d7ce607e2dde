import type { Arena } from '../arena.ts';
import { Ids, type IdsDescriptor, TextKey } from '../ids.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import type { Reclaimer } from '../readers.ts';
import type { StateTables } from '../table.ts';

/**
 * Texts by number: fields (`categories`, `labels`, `attributes.<name>`) and what stands in them. The same text in two
 * fields is two terms. A term stays when nothing has it any more, until somebody is forgotten. One thread writes, all read.
 *
 * They are ids whose namespace is 0 for a field, and 1 + the field's number for what stands in it. So a text of over
 * `ID_BYTES_MAX` bytes is no term, and a field whose path is longer has none.
 */

const FIELDS = 0;

export class Terms {
  readonly descriptor: IdsDescriptor;
  readonly #u8: Uint8Array;
  readonly #ids: Ids;
  readonly #key = new TextKey();

  constructor(arena: Arena, descriptor: IdsDescriptor) {
    this.descriptor = descriptor;
    this.#u8 = arena.u8;
    this.#ids = new Ids(arena, descriptor);
  }

  static create(arena: Arena, hashSeed: number): Terms {
    return new Terms(arena, Ids.create(arena, hashSeed).descriptor);
  }

  /** How many there are, fields included. */
  get count(): number {
    return this.#ids.rows;
  }

  /** Bytes that a copy of them takes. */
  get copyBytes(): number {
    return this.#ids.copyBytes;
  }

  /** Bytes that `more` new terms may ask for. */
  growthBytes(more: number): number {
    return this.#ids.growthBytes(more);
  }

  /** The number of a field, which is also the term of whatever has a value there; -1: nothing ever had one. */
  findField(path: string): number {
    return this.#find(path, FIELDS);
  }

  /** The number of a text in a field, or -1. */
  find(field: number, text: string): number {
    return field < 0 ? -1 : this.#find(text, 1 + field);
  }

  /** The number of a field, new or not; -1: its path is too long. Throws MEMORY_FULL. */
  obtainField(path: string, reclaimer: Reclaimer): number {
    return this.#obtain(path, FIELDS, reclaimer);
  }

  /** The number of a text in a field, new or not; -1: it is too long. Throws MEMORY_FULL. */
  obtain(field: number, text: string, reclaimer: Reclaimer): number {
    return field < 0 ? -1 : this.#obtain(text, 1 + field, reclaimer);
  }

  /** The field in which a term stands; -1 for a field itself. */
  fieldOf(term: number): number {
    return this.#ids.namespace(term) - 1;
  }

  text(term: number): string {
    return this.#ids.text(term);
  }

  /** Below, equal to or above 0 as a term stands before, at or after a text of these bytes, in the order of code points. */
  compare(term: number, bytes: Uint8Array): number {
    const { address, length } = this.#ids.place(term);
    const shared = Math.min(length, bytes.length);
    for (let n = 0; n < shared; n++) {
      const difference = this.#u8[address + n] - bytes[n];
      if (difference !== 0) return difference;
    }
    return length - bytes.length;
  }

  isRemoved(term: number): boolean {
    return this.#ids.isNobody(term);
  }

  /** Takes a term out that nothing has any more. */
  remove(term: number): void {
    this.#ids.remove(term);
  }

  /** What has to be saved of them. */
  stateTables(): StateTables {
    return this.#ids.stateTables();
  }

  /** Makes the rest anew from restored tables. Throws MEMORY_FULL. */
  rebuild(reclaimer: Reclaimer): void {
    this.#ids.rebuild(reclaimer);
  }

  /** Continues hash `seed` over every term. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#ids.hash(kernels, seed);
  }

  #find(text: string, namespace: number): number {
    return this.#key.set(text, namespace) ? this.#ids.find(this.#key) : -1;
  }

  #obtain(text: string, namespace: number, reclaimer: Reclaimer): number {
    return this.#key.set(text, namespace) ? this.#ids.obtain(this.#key, reclaimer) : -1;
  }
}
