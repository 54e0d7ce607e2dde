/**
 * What of a memory nobody was given yet, in units: from `low` to `high`, which meet when it is full. Any thread takes at the
 * low end, which never comes back; one thread takes at the high end, and gives back there. Both are one word of 64 bits.
 */

const HIGH_SHIFT = 32n;
const LOW_MASK = 2n ** HIGH_SHIFT - 1n;
export const BOUNDS_BYTES = 8;

export class Bounds {
  readonly #words: BigUint64Array;
  readonly #at: number;
  readonly #u32: Uint32Array;

  /** At `address`, a multiple of 8 in a memory whose word there was zero at first. */
  constructor(memory: WebAssembly.Memory, address: number) {
    this.#words = new BigUint64Array(memory.buffer);
    this.#u32 = new Uint32Array(memory.buffer);
    this.#at = address / BOUNDS_BYTES;
  }

  get low(): number {
    return Atomics.load(this.#u32, 2 * this.#at);
  }

  get high(): number {
    return Atomics.load(this.#u32, 2 * this.#at + 1);
  }

  /** Before any other thread is there. */
  begin(low: number, high: number): void {
    Atomics.store(this.#words, this.#at, pack(low, high));
  }

  /** The first of so many units from the low end, or undefined. */
  takeLow(units: number): number | undefined {
    for (;;) {
      const before = Atomics.load(this.#words, this.#at);
      const [low, high] = unpack(before);
      if (low + units > high) return undefined;
      if (this.#exchange(before, pack(low + units, high))) return low;
    }
  }

  /** The first of so many units from the high end, or undefined. */
  takeHigh(units: number): number | undefined {
    for (;;) {
      const before = Atomics.load(this.#words, this.#at);
      const [low, high] = unpack(before);
      if (low + units > high) return undefined;
      if (this.#exchange(before, pack(low, high - units))) return high - units;
    }
  }

  /** So many units at the high end are nobody's again. */
  giveHigh(units: number): void {
    for (;;) {
      const before = Atomics.load(this.#words, this.#at);
      const [low, high] = unpack(before);
      if (this.#exchange(before, pack(low, high + units))) return;
    }
  }

  #exchange(before: bigint, after: bigint): boolean {
    return Atomics.compareExchange(this.#words, this.#at, before, after) === before;
  }
}

function pack(low: number, high: number): bigint {
  return (BigInt(high) << HIGH_SHIFT) | BigInt(low);
}

function unpack(word: bigint): [low: number, high: number] {
  return [Number(word & LOW_MASK), Number(word >> HIGH_SHIFT)];
}
