import type { Address } from '../contract/index.ts';
import type { Step } from './optimiser.ts';

/** How the vectors of one side, users or items, move toward a rating. */
export interface SideRule {
  readonly eta: number;
  readonly l2: number;
  /** c in error/(1 + c eta |other|²). */
  readonly normalise: number;
  /** What a step adds up to: more than 1 where momentum repeats it. */
  readonly carry: number;
  readonly step: Step;
}

export class Side {
  readonly #rule: SideRule;

  constructor(rule: SideRule) {
    this.#rule = rule;
  }

  /** What part of the error a whole step takes away, to first order; `square` is |other|². */
  reach(square: number): number {
    const { eta, l2, carry } = this.#rule;
    return carry * eta * (this.#damping(square) * square + l2);
  }

  /** Takes `scale` of a step; a negative one goes back. */
  move(row: number, other: Address, square: number, scale: number, error: number): void {
    const { eta, step } = this.#rule;
    step(row, other, scale * eta, this.#damping(square) * error);
  }

  #damping(square: number): number {
    const { normalise, eta } = this.#rule;
    return 1 / (1 + normalise * eta * square);
  }
}
