import type { Arena } from './arena.ts';
import type { Reclaimer } from './readers.ts';

/**
 * Finds rows by the hash of their key: open addressing with linear probing, deletion by shifting back.
 * One thread writes, all read: a larger slot array is filled first and then swapped in by one store.
 * A slot is (hash, row + 1); the array is preceded by its length in slots.
 */

/** As long as a cache line, so that slots do not straddle two. */
const HEAD_WORDS = 16;

export interface HashIndexDescriptor {
  readonly address: number;
}

export class HashIndex {
  readonly descriptor: HashIndexDescriptor;
  readonly #u32: Uint32Array;
  readonly #arena: Arena;
  readonly #word: number;

  constructor(arena: Arena, descriptor: HashIndexDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#u32 = arena.u32;
    this.#word = descriptor.address >>> 2;
  }

  static create(arena: Arena, slots = 1024): HashIndex {
    const index = new HashIndex(arena, { address: arena.allocate(8) });
    arena.u32[index.#word] = index.#allocate(slots);
    return index;
  }

  /** Keys held. */
  get count(): number {
    return this.#u32[this.#word + 1];
  }

  /** Bytes that a copy of it takes. */
  get copyBytes(): number {
    return blockBytes(this.#slots());
  }

  /** Bytes that the next `more` keys may ask for. */
  growthBytes(more: number): number {
    let bytes = 0;
    for (let slots = this.#slots(); (this.count + more) * 4 > slots * 3; ) {
      slots *= 2;
      bytes += blockBytes(slots);
    }
    return bytes;
  }

  /**
   * The row of the first entry with this hash for which `matches(row, key)` holds, or -1. Bounded by the array's
   * length, so that a reader that meets a writer in mid-shift ends too; in that moment it may miss a key.
   */
  find<Key>(hash: number, matches: (row: number, key: Key) => boolean, key: Key): number {
    const u32 = this.#u32;
    const base = Atomics.load(u32, this.#word) >>> 2;
    const mask = u32[base] - 1;
    hash >>>= 0;
    for (let slot = hash & mask, probes = 0; probes <= mask; slot = (slot + 1) & mask, probes++) {
      const at = base + HEAD_WORDS + 2 * slot;
      const entry = u32[at + 1];
      if (entry === 0) return -1;
      if (u32[at] === hash && matches(entry - 1, key)) return entry - 1;
    }
    return -1;
  }

  /** Empties it, with room for `keys` of them. Throws MEMORY_FULL, and then nothing has changed. */
  rebuild(keys: number, reclaimer: Reclaimer): void {
    const old = this.#u32[this.#word];
    let slots = this.#slots();
    if (this.count === 0 && keys * 4 <= slots * 3) return;
    const bytes = blockBytes(slots);
    while (keys * 4 > slots * 3) slots *= 2;
    Atomics.store(this.#u32, this.#word, this.#allocate(slots));
    this.#u32[this.#word + 1] = 0;
    reclaimer.retire(old, bytes);
  }

  /** Makes room for one more key, so that the next `add` cannot throw. */
  reserve(reclaimer: Reclaimer): void {
    if ((this.count + 1) * 4 > this.#slots() * 3) this.#grow(reclaimer);
  }

  /** Adds a row whose key is not held. Throws MEMORY_FULL, and then nothing has changed. */
  add(hash: number, row: number, reclaimer: Reclaimer): void {
    this.reserve(reclaimer);
    this.#insert(Atomics.load(this.#u32, this.#word) >>> 2, hash >>> 0, row + 1);
    this.#u32[this.#word + 1]++;
  }

  /** Removes the entry of `row` under `hash`, which must be held. */
  remove(hash: number, row: number): void {
    const u32 = this.#u32;
    const base = u32[this.#word] >>> 2;
    const mask = u32[base] - 1;
    let hole = (hash >>> 0) & mask;
    while (u32[base + HEAD_WORDS + 2 * hole + 1] !== row + 1) {
      if (u32[base + HEAD_WORDS + 2 * hole + 1] === 0) throw new RangeError(`row ${row} is not in the index`);
      hole = (hole + 1) & mask;
    }
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const at = base + HEAD_WORDS + 2 * slot;
      if (u32[at + 1] === 0) break;
      const home = u32[at] & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      u32[base + HEAD_WORDS + 2 * hole] = u32[at];
      Atomics.store(u32, base + HEAD_WORDS + 2 * hole + 1, u32[at + 1]);
      hole = slot;
    }
    Atomics.store(u32, base + HEAD_WORDS + 2 * hole + 1, 0);
    u32[this.#word + 1]--;
  }

  #slots(): number {
    return this.#u32[this.#u32[this.#word] >>> 2];
  }

  #allocate(slots: number): number {
    const address = this.#arena.allocate(blockBytes(slots));
    this.#u32[address >>> 2] = slots;
    return address;
  }

  #grow(reclaimer: Reclaimer): void {
    const u32 = this.#u32;
    const old = u32[this.#word];
    const slots = u32[old >>> 2];
    const grown = this.#allocate(2 * slots);
    for (let slot = 0; slot < slots; slot++) {
      const at = (old >>> 2) + HEAD_WORDS + 2 * slot;
      if (u32[at + 1] !== 0) this.#insert(grown >>> 2, u32[at], u32[at + 1]);
    }
    Atomics.store(u32, this.#word, grown);
    reclaimer.retire(old, blockBytes(slots));
  }

  #insert(base: number, hash: number, entry: number): void {
    const u32 = this.#u32;
    const mask = u32[base] - 1;
    let slot = hash & mask;
    while (u32[base + HEAD_WORDS + 2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    u32[base + HEAD_WORDS + 2 * slot] = hash;
    Atomics.store(u32, base + HEAD_WORDS + 2 * slot + 1, entry);
  }
}

function blockBytes(slots: number): number {
  return 4 * HEAD_WORDS + 8 * slots;
}
