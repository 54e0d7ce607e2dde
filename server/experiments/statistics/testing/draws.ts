import { Random } from '../../../../plugins/contract/index.ts';

/** Draws for simulations: equal seeds, equal draws. */
export class Draws {
  readonly #random = new Random();

  constructor(seed: number) {
    this.#random.key(seed, 0);
  }

  /** From 0 to below 1. */
  uniform(): number {
    return this.#random.next() / 2 ** 32;
  }

  below(n: number): number {
    return this.#random.below(n);
  }

  /** Standard normal (Box & Muller 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** At least 1, with a tail of that power. */
  pareto(power: number, most: number): number {
    return Math.min(most, (1 - this.uniform()) ** (-1 / power));
  }
}
