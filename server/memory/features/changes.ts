import type { Arena } from '../arena.ts';

/**
 * Which rows changed last, so that what a reader keeps of them can be brought up to date. One thread writes, all read.
 * It is no state: nothing depends on it but how fast a reader is.
 */

/** The most changes that a reader can make up for. */
export const CHANGES_KEPT = 16_384;
/** The number of changes, and the rows. */
export const CHANGES_BYTES = 4 + 4 * CHANGES_KEPT;

export interface ChangesDescriptor {
  readonly address: number;
}

export class Changes {
  readonly descriptor: ChangesDescriptor;
  readonly #words: Uint32Array;
  readonly #serial: number;
  readonly #rows: number;

  constructor(arena: Arena, descriptor: ChangesDescriptor) {
    this.descriptor = descriptor;
    this.#words = arena.u32;
    this.#serial = descriptor.address >>> 2;
    this.#rows = this.#serial + 1;
  }

  static create(arena: Arena): Changes {
    return new Changes(arena, { address: arena.allocate(CHANGES_BYTES) });
  }

  /** Another number after every change. It wraps at 2^32; differences do not. */
  get serial(): number {
    return Atomics.load(this.#words, this.#serial);
  }

  /** Says that a row has changed; called after the change. */
  add(row: number): void {
    const serial = this.#words[this.#serial];
    Atomics.store(this.#words, this.#rows + (serial % CHANGES_KEPT), row);
    Atomics.store(this.#words, this.#serial, serial + 1);
  }

  /**
   * The rows of all changes after `serial`, some perhaps twice; undefined when there were too many. Whoever reads the
   * rows next sees them at least as they were when `serial` was read.
   */
  since(serial: number): Uint32Array | undefined {
    const words = this.#words;
    const count = (this.serial - serial) >>> 0;
    if (count >= CHANGES_KEPT) return undefined;
    const rows = new Uint32Array(count);
    for (let n = 0; n < count; n++) rows[n] = Atomics.load(words, this.#rows + ((serial + n) % CHANGES_KEPT));
    // The writer may have come round meanwhile, and be about to overwrite one more.
    return (this.serial - serial) >>> 0 < CHANGES_KEPT ? rows : undefined;
  }
}
