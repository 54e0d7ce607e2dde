import { boundsOf, type Confidence } from './statistics/boundary.ts';
import { differenceOf } from './statistics/figures.ts';
import { Moments } from './statistics/moments.ts';

/** How the answers of arms were served, as this process saw it: how long they took, and how many failed. No state. */

/** Upper bounds of the buckets grow by this factor, from 10 µs on. */
const FACTOR = 1.1;
const FIRST_MS = 0.01;
const BUCKETS = 160;
/** Answers of either arm before anything is said of its slowest hundredth. */
const ANSWERS_MIN = 1000;
const SLOW = 0.01;

export class ServedArm {
  readonly #buckets = new Uint32Array(BUCKETS);
  answers = 0;
  failures = 0;

  record(ms: number, isFailure: boolean): void {
    this.answers++;
    if (isFailure) this.failures++;
    this.#buckets[bucketOf(ms)]++;
  }

  /** The bucket that has a quantile. */
  bucketAt(quantile: number): number {
    let left = quantile * this.answers;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#buckets[bucket];
      if (left <= 0) return bucket;
    }
    return BUCKETS - 1;
  }

  /** Answers of later buckets. */
  countAbove(bucket: number): number {
    let count = 0;
    for (let n = bucket + 1; n < BUCKETS; n++) count += this.#buckets[n];
    return count;
  }
}

/** Milliseconds at the end of a bucket. */
function msOf(bucket: number): number {
  return FIRST_MS * FACTOR ** bucket;
}

/**
 * Whether more than a hundredth of an arm's answers surely take longer than `1 + harmMax` times what the control's slowest
 * hundredth begins at (its upper bound, by the binomial's three standard errors).
 */
export function isSlower(arm: ServedArm, control: ServedArm, harmMax: number, confidence: Confidence): boolean {
  if (Math.min(arm.answers, control.answers) < ANSWERS_MIN) return false;
  const quantile = 1 - SLOW + 3 * Math.sqrt((SLOW * (1 - SLOW)) / control.answers);
  const limitMs = (1 + harmMax) * msOf(control.bucketAt(Math.min(1, quantile)));
  const slow = arm.countAbove(bucketOf(limitMs));
  const share = slow / arm.answers;
  // Of one answer; where all or none are slow it is that of what is expected.
  const spread = Math.max(share * (1 - share), SLOW * (1 - SLOW));
  const units = arm.answers - 1;
  const estimate = { value: share - SLOW, variance: spread / arm.answers, clock: arm.answers, units };
  const bounds = boundsOf(estimate, confidence);
  return bounds !== undefined && bounds.lower > 0;
}

/** Whether an arm surely fails more often than `1 + harmMax` times as often as the control. */
export function failsMore(arm: ServedArm, control: ServedArm, harmMax: number, confidence: Confidence): boolean {
  const estimate = differenceOf(sumsOf(arm), sumsOf(control), { factor: 1 + harmMax });
  const bounds = estimate && boundsOf(estimate, confidence);
  return bounds !== undefined && bounds.lower > 0;
}

/** Each answer as one unit. */
function sumsOf({ answers, failures }: ServedArm) {
  const moments = new Moments();
  moments.add({ sum: 1, count: 1, sumBefore: 0, countBefore: 0 }, failures);
  moments.add({ sum: 0, count: 1, sumBefore: 0, countBefore: 0 }, answers - failures);
  return { moments, events: { count: answers, sum: failures, squares: failures } };
}

function bucketOf(ms: number): number {
  if (!(ms > FIRST_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / LOG_FACTOR));
}

const LOG_FACTOR = Math.log(FACTOR);
