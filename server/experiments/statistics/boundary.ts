/**
 * Where a sum that is looked at again and again may stand if nothing is the matter.
 *
 * The boundary of the normal mixture (Robbins 1970; as a test: the mSPRT of Johari et al. 2017; for any sums to which the
 * central limit theorem applies: Waudby-Smith et al. 2024, "Time-uniform central limit theory and asymptotic confidence
 * sequences"): a Brownian motion B leaves ±√((V + ρ) ln((V + ρ)/(ρα²))) at any of the times V, however many, with
 * probability α at most. Bounds hold at all looks together, so that one may look at any time and stop when one likes.
 *
 * V is here the `clock` of an estimate. It only sets how wide the boundary is in standard errors, by its logarithm.
 */
export interface Confidence {
  /** The chance that any interval, at any look, misses. */
  readonly alpha: number;
  /** The clock at which intervals shall be tightest; they stay nearly so from a third of it to ten times it. */
  readonly target: number;
}

/** An estimate that moves as data come in. */
export interface Estimate {
  readonly value: number;
  /** Of `value`. */
  readonly variance: number;
  /** The variance of the sum behind it, in observations: what never runs backwards, and begins at 0. */
  readonly clock: number;
  /** The degrees of freedom of `variance`. */
  readonly units: number;
}

export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** 95%, and tightest at about 10,000 observations. */
export const CONFIDENCE: Confidence = { alpha: 0.05, target: 10_000 };

/** Bounds that hold at all looks together; undefined while nothing can be said. */
export function boundsOf(estimate: Estimate, confidence: Confidence): Bounds | undefined {
  const { value, variance, clock, units } = estimate;
  if (!isKnown(estimate)) return undefined;
  const width = widened(radiusAt(clock, confidence), units) * Math.sqrt(variance);
  return { lower: value - width, upper: value + width };
}

/** Half the width of an interval, in standard errors, of many units. */
export function radiusAt(clock: number, { alpha, target }: Confidence): number {
  const share = clock / rhoOf(alpha, target);
  return Math.sqrt((1 + 1 / share) * (Math.log1p(share) + 2 * Math.log(1 / alpha)));
}

const isKnown = ({ variance, clock }: Estimate) => variance > 0 && clock > 0 && clock < Number.POSITIVE_INFINITY;

/** The quantile of Student's t over that of the normal, to first order (Cornish & Fisher 1938). */
function widened(z: number, units: number): number {
  return z * (1 + (z * z + 1) / (4 * units));
}

/** The ρ with which the boundary is least at `target`, by x = 2 ln(1/α) + ln(1 + x) with x = target/ρ (Howard et al. 2021). */
function rhoOf(alpha: number, target: number): number {
  let x = 2 * Math.log(1 / alpha);
  for (let n = 0; n < 20; n++) x = 2 * Math.log(1 / alpha) + Math.log1p(x);
  return target / x;
}
