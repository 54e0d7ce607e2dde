/**
 * Large blocks that any thread has freed, for any thread to use again: a stack for each size, through the blocks
 * themselves (Treiber 1986). A head is the block's number and a count of changes, so that a block which came back
 * meanwhile is not taken for the same. Nothing is locked: a thread may be ended at any moment.
 */

/** One head and one size take so much, and there are so many. */
const SLOT_BYTES = 16;
const SLOTS = 63;
export const FREE_BLOCKS_BYTES = SLOT_BYTES * SLOTS;

const COUNT_STEP = 1n << 32n;
const BLOCK_MASK = COUNT_STEP - 1n;

export class FreeBlocks {
  readonly #u32: Uint32Array;
  readonly #i64: BigInt64Array;
  readonly #address: number;
  readonly #unitBytes: number;

  /** At `address`, `FREE_BLOCKS_BYTES` zeroed bytes. Blocks are multiples of `unitBytes`; none is at address 0. */
  constructor(memory: WebAssembly.Memory, address: number, unitBytes: number) {
    this.#u32 = new Uint32Array(memory.buffer);
    this.#i64 = new BigInt64Array(memory.buffer);
    this.#address = address;
    this.#unitBytes = unitBytes;
  }

  /** A block of exactly this size, or undefined. */
  take(bytes: number): number | undefined {
    const head = this.#findHead(bytes, false);
    if (head === undefined) return undefined;
    for (;;) {
      const old = Atomics.load(this.#i64, head);
      const block = Number(old & BLOCK_MASK) * this.#unitBytes;
      if (block === 0) return undefined;
      // Another thread may have taken it and written here: then the exchange fails.
      const next = BigInt(Atomics.load(this.#u32, block >>> 2));
      if (this.#exchange(head, old, next)) return block;
    }
  }

  /** Keeps a block that nobody uses; false when there are too many sizes. */
  put(address: number, bytes: number): boolean {
    const head = this.#findHead(bytes, true);
    if (head === undefined) return false;
    for (;;) {
      const old = Atomics.load(this.#i64, head);
      Atomics.store(this.#u32, address >>> 2, Number(old & BLOCK_MASK));
      if (this.#exchange(head, old, BigInt(address / this.#unitBytes))) return true;
    }
  }

  #exchange(head: number, old: bigint, block: bigint): boolean {
    const changed = BigInt.asIntN(64, ((old + COUNT_STEP) & ~BLOCK_MASK) | block);
    return Atomics.compareExchange(this.#i64, head, old, changed) === old;
  }

  /** The head's index among the words of 64 bits, made when `claim` says so. */
  #findHead(bytes: number, claim: boolean): number | undefined {
    const size = bytes / this.#unitBytes;
    for (let slot = 0; slot < SLOTS; slot++) {
      const at = this.#address + SLOT_BYTES * slot;
      const word = (at + 8) >>> 2;
      const known = claim ? Atomics.compareExchange(this.#u32, word, 0, size) || size : Atomics.load(this.#u32, word);
      if (known === size) return at >>> 3;
      if (known === 0) return undefined;
    }
    return undefined;
  }
}
