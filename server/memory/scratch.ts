import type { Arena } from './arena.ts';

const LEAST_BYTES = 4096;

/** One thread's memory for what it needs for a moment. It grows by doubling; what it held is void then. */
export class Scratch {
  readonly #arena: Arena;
  #address = 0;
  #bytes = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** At least `bytes` from the address on. Throws MEMORY_FULL. */
  reserve(bytes: number): number {
    if (bytes > this.#bytes) {
      const grown = Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
      const address = this.#arena.allocate(grown);
      this.release();
      this.#address = address;
      this.#bytes = grown;
    }
    return this.#address;
  }

  /** Gives its memory back. */
  release(): void {
    if (this.#bytes > 0) this.#arena.free(this.#address, this.#bytes);
    this.#bytes = 0;
  }
}
