import { type Input, Random, VECTOR_WIDTH_MAX, type WritableAddress } from '../contract/index.ts';
import type { BanditConfig } from './config.ts';

/**
 * Vectors of items as a bandit takes them: of length 1, and of `width` numbers. Longer ones are looked at in that many
 * directions with drawn signs, which nearly keeps angles (Achlioptas 2003).
 */
export class Directions {
  readonly #config: BanditConfig;
  readonly #input: Input;
  readonly #floats: Float32Array;
  readonly #from: WritableAddress;
  /** Direction by direction, a sign for each number of the longer vector. */
  #signs = new Int8Array();

  constructor(config: BanditConfig, input: Input, floats: Float32Array, scratch: (bytes: number) => WritableAddress) {
    this.#config = config;
    this.#input = input;
    this.#floats = floats;
    this.#from = scratch(4 * VECTOR_WIDTH_MAX);
  }

  /** Writes the vector of an item; where its model has none, what is there stays. */
  copy(item: number, to: WritableAddress): void {
    const floats = this.#floats;
    const { width } = this.#config;
    const length = this.#input.vector(item, this.#from);
    if (length === 0) return;
    const [from, into] = [this.#from >>> 2, to >>> 2];
    const signs = length > width ? this.#signsFor(length) : undefined;
    let square = 0;
    for (let a = 0; a < width; a++) {
      let value = signs || a >= length ? 0 : floats[from + a];
      if (signs) for (let b = 0; b < length; b++) value += signs[a * length + b] * floats[from + b];
      floats[into + a] = value;
      square += floats[into + a] ** 2;
    }
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let a = 0; a < width; a++) floats[into + a] *= scale;
  }

  #signsFor(length: number): Int8Array {
    const { width, seed } = this.#config;
    if (this.#signs.length !== length * width) {
      const random = new Random();
      random.key(seed, length);
      this.#signs = Int8Array.from({ length: length * width }, () => (random.next() >>> 31 === 0 ? 1 : -1));
    }
    return this.#signs;
  }
}
