/**
 * Draws for learning. The host keys it before every event by (the model's seed, the model's own event count), so a
 * replay draws the same numbers. Mixing function: lowbias32 (Wellons 2018), over a Weyl sequence.
 */
export class Random {
  #state = 0;

  /** Starts the draws of event number `count` (the model's own, from 0). */
  key(seed: number, count: number): void {
    this.#state = mix(mix(seed | 0) ^ (count | 0)) ^ mix((count / 0x1_0000_0000) | 0);
  }

  /** A whole number, uniform over 0 .. 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0;
    return mix(this.#state) >>> 0;
  }

  /** A whole number, uniform over 0 .. n - 1, for n up to 2^32. */
  below(n: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * n);
  }

  /** All in another order (Fisher & Yates). */
  shuffle(numbers: Uint32Array): void {
    for (let n = 0; n < numbers.length; n++) this.take(numbers, n);
  }

  /** A shuffle as far as it is needed: puts any of the numbers from the n-th on in the n-th place, and returns it. */
  take(numbers: Uint32Array, n: number): number {
    const drawn = n + this.below(numbers.length - n);
    const taken = numbers[drawn];
    numbers[drawn] = numbers[n];
    numbers[n] = taken;
    return taken;
  }
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
  return x ^ (x >>> 15);
}
