import type { Interval } from '../evaluation/bootstrap.ts';
import type { Meter } from '../meter.ts';
import { type Decision, type GuardTerms, USERS_MIN, type Verdict } from './decision.ts';
import { PairedMeans, type PairedScores } from './paired-means.ts';
import { reasonOf } from './reason.ts';

/**
 * Decides whether a candidate takes the place of the live model, from what both lost on the events of a window, each
 * predicted before either learned it. `losses`: more is worse, and none is below 0.
 *
 * The candidate passes when the upper bound of the 95% interval of its mean loss minus the live model's (percentile
 * bootstrap: Efron 1979; over users, as clusters: Field & Welsh 2007) is at most what is left of the margin. It is better
 * by itself when that bound is below 0.
 *
 * The margin is spent, not renewed, or a row of candidates that are each a little worse would walk away with the model.
 * A promotion spends the upper bound, what it may have lost, and not the difference that was found: of candidates that are
 * worse by less than can be seen those pass that chance flatters, so that what was found of them is too little, often
 * below 0, and its sum stays small while the model gets worse without end (guard.test.ts shows both). Hence a candidate
 * that seems better, but not surely, gives nothing back; one that surely is gives back all that was spent, and no more.
 * One that is exactly as good, with a bound of 0, gives back nothing: copies of the live model would renew the margin.
 *
 * What was spent is kept as a share of the live model's loss, since windows differ in how hard they are, and metrics in
 * unit.
 */
export function decide(losses: PairedScores, terms: GuardTerms, meter: Meter): Decision {
  const means = new PairedMeans(losses, terms.seed, meter);
  const { live, candidate, count, userCount } = means;
  const { value: difference, interval } = means.estimate((ofLive, ofCandidate) => ofCandidate - ofLive);
  const margin = left(terms, terms.spent) * live;
  const verdict = userCount < USERS_MIN || !interval ? 'few' : verdictOf(interval, margin);
  const passed = verdict === 'better' || verdict === 'tolerated';
  const spent = spentAfter(verdict, terms.spent, interval, live);
  const marginLeft = left(terms, spent) * live;
  const known = { verdict, passed, live, candidate, difference, interval, count, userCount, margin, marginLeft, spent };
  return { ...known, reason: reasonOf(known, terms) };
}

const left = ({ margin }: GuardTerms, spent: number) => Math.max(0, margin - spent);

function verdictOf({ lower, upper }: Interval, margin: number): Verdict {
  if (upper < 0) return 'better';
  if (upper <= margin) return 'tolerated';
  return lower > 0 ? 'worse' : 'unsure';
}

function spentAfter(verdict: Verdict, spent: number, interval: Interval | undefined, live: number): number {
  if (verdict === 'better') return 0;
  // Of a live model without any loss nothing is tolerated, so nothing is spent.
  if (verdict !== 'tolerated' || !interval || live === 0) return spent;
  return spent + interval.upper / live;
}
