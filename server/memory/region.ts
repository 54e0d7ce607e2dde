import { Arena, UNIT_BYTES } from './arena.ts';
import type { Reclaimer } from './readers.ts';

/**
 * A part of a shared memory that is given back as a whole: for a world beside the main one. Its blocks lie in extents at the
 * upper end; larger ones in extents of their own. One thread allocates.
 */

export const EXTENT_BYTES = 2 ** 20;
/** Larger blocks lie alone. */
const SHARED_MAX = EXTENT_BYTES / 4;
/** They are multiples of this. */
const ALONE_UNIT = EXTENT_BYTES / 16;
/** Extents that are looked at for room. */
const OPEN_MAX = 8;

interface Extent {
  next: number;
  readonly end: number;
}

export class Region extends Arena {
  readonly #arena: Arena;
  /** What it holds of the memory: addresses and bytes. */
  readonly #held = new Map<number, number>();
  /** The latest first. */
  #open: readonly Extent[] = [];
  readonly #freed = new Map<number, number[]>();

  /** `arena`: of the thread that allocates. */
  constructor(arena: Arena) {
    super(arena.memory, arena.setting);
    this.#arena = arena;
  }

  /** About what it holds of the memory for blocks of so many bytes together, most of them small. */
  static heldBytes(bytes: number): number {
    return roundUp(bytes, EXTENT_BYTES);
  }

  /** At most what it asks the memory for when blocks of so many bytes together are allocated. */
  static growthBytes(bytes: number): number {
    return bytes === 0 ? 0 : Math.ceil((bytes * EXTENT_BYTES) / (EXTENT_BYTES - SHARED_MAX)) + EXTENT_BYTES;
  }

  /** Bytes that it holds of the memory. */
  get bytes(): number {
    return [...this.#held.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  override allocate(bytes: number): number {
    const size = roundUp(bytes, UNIT_BYTES);
    if (size > SHARED_MAX) return this.#take(roundUp(size, ALONE_UNIT));
    const reused = this.#freed.get(size)?.pop();
    if (reused !== undefined) {
      // Bytes of a shared memory would be zeroed one by one.
      this.f64.fill(0, reused / 8, (reused + size) / 8);
      return reused;
    }
    const extent = this.#open.find(({ next, end }) => next + size <= end) ?? this.#extend();
    const address = extent.next;
    extent.next += size;
    return address;
  }

  override free(address: number, bytes: number): void {
    const size = roundUp(bytes, UNIT_BYTES);
    if (size > SHARED_MAX) {
      this.#arena.free(address, this.#held.get(address) ?? 0);
      this.#held.delete(address);
      return;
    }
    const list = this.#freed.get(size);
    if (list) list.push(address);
    else this.#freed.set(size, [address]);
  }

  /** Gives all of it back, by way of a reclaimer of the memory itself. Nothing of it may be written any more. */
  drop(reclaimer: Reclaimer): void {
    for (const [address, bytes] of this.#held) reclaimer.retireState(address, bytes);
    this.#held.clear();
    this.#freed.clear();
    this.#open = [];
  }

  #extend(): Extent {
    const next = this.#take(EXTENT_BYTES);
    const extent = { next, end: next + EXTENT_BYTES };
    this.#open = [extent, ...this.#open].slice(0, OPEN_MAX);
    return extent;
  }

  #take(bytes: number): number {
    const address = this.#arena.allocateExtents(bytes);
    this.#held.set(address, bytes);
    return address;
  }
}

function roundUp(bytes: number, unit: number): number {
  return Math.max(unit, Math.ceil(bytes / unit) * unit);
}
