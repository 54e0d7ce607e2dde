import { Arena } from './arena.ts';
import type { Reclaimer } from './readers.ts';

/**
 * A part of a shared memory that is given back as a whole: for a world beside the main one. Blocks lie in extents of one
 * size, which fit whoever takes the next one; larger blocks are taken as they are. One thread allocates.
 */

export const EXTENT_BYTES = 2 ** 20;
/** Larger blocks lie alone, so that less than this stays unused at the end of an extent. */
const SHARED_MAX = EXTENT_BYTES / 4;
const UNIT_BYTES = 64;

export class Region extends Arena {
  readonly #extents: number[] = [];
  /** Of blocks that lie alone, by address. */
  readonly #alone = new Map<number, number>();
  readonly #freed = new Map<number, number[]>();
  #next = 0;
  #end = 0;

  constructor({ memory, setting }: Arena) {
    super(memory, setting);
  }

  /** At most what it asks the memory for when blocks of so many bytes together are allocated. */
  static growthBytes(bytes: number): number {
    return bytes === 0 ? 0 : Math.ceil((bytes * EXTENT_BYTES) / (EXTENT_BYTES - SHARED_MAX)) + EXTENT_BYTES;
  }

  /** Bytes that it holds of the memory. */
  get bytes(): number {
    return [...this.#alone.values()].reduce((sum, bytes) => sum + bytes, EXTENT_BYTES * this.#extents.length);
  }

  override allocate(bytes: number): number {
    const size = roundUp(bytes);
    if (size > SHARED_MAX) {
      const address = super.allocate(size);
      this.#alone.set(address, size);
      return address;
    }
    const reused = this.#freed.get(size)?.pop();
    if (reused !== undefined) {
      // Bytes of a shared memory would be zeroed one by one.
      this.f64.fill(0, reused / 8, (reused + size) / 8);
      return reused;
    }
    if (this.#next + size > this.#end) this.#extend();
    const address = this.#next;
    this.#next += size;
    return address;
  }

  override free(address: number, bytes: number): void {
    const size = roundUp(bytes);
    if (this.#alone.delete(address)) {
      super.free(address, size);
      return;
    }
    const list = this.#freed.get(size);
    if (list) list.push(address);
    else this.#freed.set(size, [address]);
  }

  /** Gives all of it back, by way of a reclaimer of the memory itself. Nothing of it may be written any more. */
  drop(reclaimer: Reclaimer): void {
    for (const [address, bytes] of this.#alone) reclaimer.retireState(address, bytes);
    for (const address of this.#extents) reclaimer.retireState(address, EXTENT_BYTES);
    this.#alone.clear();
    this.#freed.clear();
    this.#extents.length = 0;
    this.#next = this.#end = 0;
  }

  #extend(): void {
    const address = super.allocate(EXTENT_BYTES);
    this.#extents.push(address);
    this.#next = address;
    this.#end = address + EXTENT_BYTES;
  }
}

function roundUp(bytes: number): number {
  return Math.max(UNIT_BYTES, Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES);
}
