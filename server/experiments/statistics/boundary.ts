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
}

export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** 95%, and tightest at about 2,000 observations. */
export const CONFIDENCE: Confidence = { alpha: 0.05, target: 2000 };

/** Bounds that hold at all looks together; undefined while nothing can be said. */
export function boundsOf({ value, variance, clock }: Estimate, confidence: Confidence): Bounds | undefined {
  if (!(variance > 0 && clock > 0)) return undefined;
  const radius = radiusAt(clock, confidence) * Math.sqrt(variance);
  return { lower: value - radius, upper: value + radius };
}

/** Half the width of an interval, in standard errors. */
export function radiusAt(clock: number, { alpha, target }: Confidence): number {
  const share = clock / rhoOf(alpha, target);
  return Math.sqrt((1 + 1 / share) * (Math.log1p(share) + 2 * Math.log(1 / alpha)));
}

/** The always-valid p-value of "it is 0": below α exactly where the bounds of that α leave 0 out. */
export function pValueOf({ value, variance, clock }: Estimate, { alpha, target }: Confidence): number {
  if (!(variance > 0 && clock > 0)) return 1;
  const share = clock / rhoOf(alpha, target);
  const exponent = ((value * value) / variance) * (share / (1 + share));
  return Math.min(1, Math.exp((Math.log1p(share) - exponent) / 2));
}

/** The ρ with which the boundary is least at `target`, by x = 2 ln(1/α) + ln(1 + x) with x = target/ρ (Howard et al. 2021). */
function rhoOf(alpha: number, target: number): number {
  let x = 2 * Math.log(1 / alpha);
  for (let n = 0; n < 20; n++) x = 2 * Math.log(1 / alpha) + Math.log1p(x);
  return target / x;
}
