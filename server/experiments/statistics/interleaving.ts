import type { Estimate } from './boundary.ts';
import { type ArmSums, figureOf } from './figures.ts';
import { Moments } from './moments.ts';

/** Clicks of one unit on items that either team put into the lists. */
export interface Credits {
  readonly control: number;
  readonly arm: number;
}

/**
 * Team draft interleaving (Radlinski et al. 2008, "How does clickthrough data reflect retrieval quality?"): the preference for
 * the arm, (its clicks - the control's)/(all clicks), between -1 and 1; 0 if users like the two alike. Clustered by unit and
 * always valid like any figure. It says whose items are preferred in one list, not how much more would be earned by showing
 * one model's lists.
 */
export class Preference {
  readonly #moments = new Moments();
  readonly #events = { count: 0, sum: 0, squares: 0 };

  add({ control, arm }: Credits, times = 1): void {
    const [sum, count] = [arm - control, arm + control];
    if (count === 0) return;
    this.#moments.add({ sum, count, sumBefore: 0, countBefore: 0 }, times);
    this.#events.count += times * count;
    this.#events.sum += times * sum;
    this.#events.squares += times * count;
  }

  get sums(): ArmSums {
    return { moments: this.#moments, events: this.#events };
  }

  get estimate(): Estimate | undefined {
    return figureOf(this.sums);
  }
}
