import type { Bounds } from './boundary.ts';
import { skewedRatio } from './skewed-ratio.ts';

/** What was shown, place by place, as columns of one length. */
export interface Log {
  /** From 0 on, without gaps: who it was shown to. */
  readonly unit: Uint32Array;
  /** The probability with which the item was shown at its place; above 0. */
  readonly propensity: Float64Array;
  /** What came of it. */
  readonly reward: Float64Array;
}

/** Of a policy that is asked about, in the order of a log. */
export interface Target {
  /** The probability with which it would have shown the item at that place. */
  readonly probability: Float64Array;
  /** What a model of rewards expects of what was shown, and of what the policy would have shown there. */
  readonly expected: Float64Array;
  readonly expectedOfTarget: Float64Array;
}

export interface OffPolicyFigure {
  readonly value: number;
  readonly bounds: Bounds | undefined;
}

export interface OffPolicyFigures {
  readonly ips: OffPolicyFigure;
  readonly snips: OffPolicyFigure;
  readonly doublyRobust: OffPolicyFigure;
  /** (Σ w)²/Σ w² (Kish 1965): of equally weighted places that would say as much. */
  readonly effectiveSize: number;
  /** The share of places whose weight was cut. */
  readonly clippedShare: number;
  /** 1 in expectation, if the log can show all that the policy would and no weight is cut. */
  readonly meanWeight: number;
  readonly places: number;
  readonly units: number;
}

/**
 * What another policy would have earned by place, from a log that tells with which probability everything was shown.
 *
 * With weights w = probability/propensity, cut at `clip` (by default the root of the number of places: Ionides 2008, "Truncated
 * importance sampling"; a small bias for much less variance):
 * - IPS: mean of w r (Horvitz & Thompson 1952; of recommendations Strehl et al. 2010).
 * - SNIPS: Σ w r/Σ w (Swaminathan & Joachims 2015): never beyond the rewards; its bias falls as 1/n.
 * - doubly robust: mean of (what is expected of the policy) + w (r - what is expected of what was shown) (Dudík et al. 2011):
 *   right if either the propensities or the expectations are.
 * Places count as independent of each other: it is not told what a policy that shows other items beside them would earn.
 * Where a policy shows what the log hardly ever did, little is known, and the effective size says so.
 */
export function offPolicyFigures(log: Log, target: Target, clip?: number): OffPolicyFigures {
  const places = log.unit.length;
  const most = clip ?? Math.sqrt(places);
  const units = log.unit.reduce((last, unit) => Math.max(last, unit + 1), 0);
  const [counts, weights, rewards, robust] = Array.from({ length: 4 }, () => new Float64Array(units));
  let [sum, squares, clipped] = [0, 0, 0];
  for (let n = 0; n < places; n++) {
    const whole = target.probability[n] / log.propensity[n];
    const weight = Math.min(whole, most);
    const unit = log.unit[n];
    if (whole > most) clipped++;
    sum += weight;
    squares += weight * weight;
    counts[unit]++;
    weights[unit] += weight;
    rewards[unit] += weight * log.reward[n];
    robust[unit] += target.expectedOfTarget[n] + weight * (log.reward[n] - target.expected[n]);
  }
  return {
    ips: skewedRatio(rewards, counts),
    snips: skewedRatio(rewards, weights),
    doublyRobust: skewedRatio(robust, counts),
    effectiveSize: squares > 0 ? (sum * sum) / squares : 0,
    clippedShare: places > 0 ? clipped / places : 0,
    meanWeight: places > 0 ? sum / places : 0,
    places,
    units,
  };
}
