import type { Bounds } from './boundary.ts';
import { Moments } from './moments.ts';
import { normalQuantile } from './normal.ts';

/** One item that was shown at one place, and what came of it. */
export interface Shown {
  /** The probability with which it was shown there; above 0. */
  readonly propensity: number;
  /** The probability with which the policy that is asked about would have shown it there. */
  readonly target: number;
  readonly reward: number;
  /** What a model of rewards expects of it, and of what the policy would have shown: Σ over items of target × expected. */
  readonly expected: number;
  readonly expectedOfTarget: number;
}

export interface OffPolicyFigure {
  readonly value: number;
  readonly bounds: Bounds | undefined;
}

export interface OffPolicyFigures {
  readonly ips: OffPolicyFigure;
  readonly snips: OffPolicyFigure;
  readonly doublyRobust: OffPolicyFigure;
  /** (Σ w)²/Σ w² (Kish 1965): of equally weighted observations that would say as much. */
  readonly effectiveSize: number;
  /** The share of observations whose weight was cut. */
  readonly clippedShare: number;
  /** The mean weight, 1 in expectation where the logging policy can show all that the other would, and nothing was cut. */
  readonly meanWeight: number;
  readonly count: number;
  readonly units: number;
}

/**
 * What another policy would have earned by place, from a log that tells with which probability everything was shown.
 *
 * With weights w = target/propensity, cut at `clip` (Ionides 2008; a small bias for much less variance):
 * - IPS: mean of w r (Horvitz & Thompson 1952; of recommendations Strehl et al. 2010).
 * - SNIPS: Σ w r/Σ w (Swaminathan & Joachims 2015): no larger than the largest reward; a bias that falls as 1/n.
 * - doubly robust: mean of (what is expected of the policy) + w (r - what is expected of what was shown) (Dudík et al. 2011):
 *   right if either the propensities or the expectations are.
 * Bounds are of one look, 95%, by linearisation over units. Places count as independent of each other: it is not told what a
 * policy that shows other items beside them would earn. Where a policy shows what the log never did, nothing is known of it.
 */
export class OffPolicy {
  readonly #clip: number;
  readonly #ips = new Moments();
  readonly #snips = new Moments();
  readonly #robust = new Moments();
  #count = 0;
  #clipped = 0;
  #weights = 0;
  #squares = 0;

  constructor(clip: number) {
    this.#clip = clip;
  }

  /** All that one unit was shown. */
  add(shown: Iterable<Shown>): void {
    let [count, rewards, weights, robust] = [0, 0, 0, 0];
    for (const { propensity, target, reward, expected, expectedOfTarget } of shown) {
      const whole = target / propensity;
      const weight = Math.min(whole, this.#clip);
      if (whole > this.#clip) this.#clipped++;
      count++;
      weights += weight;
      rewards += weight * reward;
      robust += expectedOfTarget + weight * (reward - expected);
      this.#squares += weight * weight;
    }
    if (count === 0) return;
    this.#count += count;
    this.#weights += weights;
    const before = { sumBefore: 0, countBefore: 0 };
    this.#ips.add({ sum: rewards, count, ...before });
    this.#snips.add({ sum: rewards, count: weights, ...before });
    this.#robust.add({ sum: robust, count, ...before });
  }

  get figures(): OffPolicyFigures {
    const count = this.#count;
    return {
      ips: figureOf(this.#ips),
      snips: figureOf(this.#snips),
      doublyRobust: figureOf(this.#robust),
      effectiveSize: this.#squares > 0 ? this.#weights ** 2 / this.#squares : 0,
      clippedShare: count > 0 ? this.#clipped / count : 0,
      meanWeight: count > 0 ? this.#weights / count : 0,
      count,
      units: this.#ips.units,
    };
  }
}

const Z = normalQuantile(0.975);

function figureOf(moments: Moments): OffPolicyFigure {
  const { units, sum, count } = moments;
  if (!(count > 0)) return { value: Number.NaN, bounds: undefined };
  const value = sum / count;
  if (units < 2) return { value, bounds: undefined };
  const square = Math.max(0, moments.product([0, 1, -value, 0, 0], [0, 1, -value, 0, 0]));
  const radius = (Z * Math.sqrt((units / (units - 1)) * square)) / count;
  return { value, bounds: { lower: value - radius, upper: value + radius } };
}
