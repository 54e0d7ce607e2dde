import type { TestContext } from 'node:test';
import { randomNumbers } from '../support/ratings.ts';

/**
 * How much is tried, and by which numbers. `FUZZ_SEED` repeats a run, `FUZZ_ROUNDS` makes a long one longer or shorter.
 */

/** The same in every `npm test`; a long run takes another one each time, and prints it. */
const SEED = 20_261;

export interface Budget {
  readonly seed: number;
  readonly rounds: number;
}

export function budgetOf(t: Pick<TestContext, 'diagnostic'>, rounds: number, isLong: boolean): Budget {
  const seed = Number(process.env.FUZZ_SEED ?? (isLong ? Date.now() % 2 ** 31 : SEED));
  const budget = { seed, rounds: Number((isLong && process.env.FUZZ_ROUNDS) || rounds) };
  t.diagnostic(`FUZZ_SEED=${budget.seed}, ${budget.rounds} rounds`);
  return budget;
}

/** Draws of a fuzzer. */
export class Draws {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  /** 0 up to `count`, without it. */
  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  /** From 1 to `max`; small numbers are as likely as large ones. */
  size(max: number): number {
    return Math.floor(max ** this.#random());
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}
