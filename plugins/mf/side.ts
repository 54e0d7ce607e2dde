import type { Address, Column, WritableAddress, WritableMemory } from '../contract/index.ts';
import type { Step, WritableTable } from './optimiser.ts';

/** How the rows of one side, users or items, move toward a rating. */
export interface Rule {
  /** The bias's step as a part of the error, after so many ratings. */
  readonly biasStep: (ratings: number) => number;
  readonly eta: number;
  readonly l2: number;
  /** c in error/(1 + c eta |other|²). */
  readonly normalise: number;
  /** What a step adds up to: more than 1 where momentum repeats it. */
  readonly carry: number;
  readonly step: Step;
}

/** As for the length of vectors: far beyond what ratings of 1 to 5 need. */
const BIAS_MAX = 10;

export const boundBias = (bias: number) => Math.min(BIAS_MAX, Math.max(-BIAS_MAX, bias));

export class Side {
  readonly #rule: Rule;
  readonly #memory: WritableMemory;
  readonly #biasOf: Column<WritableAddress>;
  readonly #ratingsOf: Column<WritableAddress>;

  constructor(memory: WritableMemory, table: WritableTable, rule: Rule) {
    this.#rule = rule;
    this.#memory = memory;
    this.#biasOf = table.column('bias');
    this.#ratingsOf = table.column('ratings');
  }

  /** What part of the error a whole step of `row` takes away, to first order; `square` is |other|². */
  reach(row: number, square: number): number {
    const { eta, l2, carry } = this.#rule;
    return this.#biasStep(row) + carry * eta * (this.#damping(square) * square + l2);
  }

  /** Takes `scale` of a step; a negative one goes back. */
  move(row: number, other: Address, square: number, scale: number, error: number): void {
    const { eta, step } = this.#rule;
    const bias = this.#biasOf(row) >>> 2;
    this.#memory.f32[bias] = boundBias(this.#memory.f32[bias] + scale * this.#biasStep(row) * error);
    step(row, other, scale * eta, this.#damping(square) * error);
  }

  #biasStep(row: number): number {
    return this.#rule.biasStep(this.#memory.u32[this.#ratingsOf(row) >>> 2]);
  }

  #damping(square: number): number {
    const { normalise, eta } = this.#rule;
    return 1 / (1 + normalise * eta * square);
  }
}
