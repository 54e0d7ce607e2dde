import { logGamma } from './log-gamma.ts';

/** Units that came while the arms' shares were what they were: whoever comes again is not counted again. */
export interface Arrivals {
  readonly units: readonly number[];
  /** What each arm is assigned; need not sum to 1. */
  readonly shares: readonly number[];
}

/** How close to the shares the split is expected if something is wrong: as if that many units had been seen. */
const CONCENTRATION = 100;

/**
 * The always-valid p-value of "units come to arms as their shares say": Lindon & Malek 2022, "Anytime-valid inference for
 * multinomial count data". The inverse of the Bayes factor of shares drawn about the right ones (Dirichlet) against the
 * right ones; of stretches with different shares the factors multiply. Below .001, assignment, exposures or the log are
 * broken in some way that goes by arm, and no figure can be trusted. It does not say which.
 */
export function sampleRatioP(stretches: readonly Arrivals[]): number {
  const logFactor = stretches.reduce((sum, stretch) => sum + logFactorOf(stretch), 0);
  return Math.min(1, Math.exp(-logFactor));
}

function logFactorOf({ units, shares }: Arrivals): number {
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const total = units.reduce((sum, count) => sum + count, 0);
  // A unit in an arm without a share cannot be by chance.
  if (units.some((count, arm) => count > 0 && !(shares[arm] > 0))) return Number.POSITIVE_INFINITY;
  const terms = units.map((count, arm) => {
    const share = shares[arm] / whole;
    if (count === 0) return 0;
    const prior = CONCENTRATION * share;
    return logGamma(prior + count) - logGamma(prior) - count * Math.log(share);
  });
  const sum = terms.reduce((sum, term) => sum + term, 0);
  return sum + logGamma(CONCENTRATION) - logGamma(CONCENTRATION + total);
}
