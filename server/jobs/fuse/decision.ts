import type { Interval } from '../evaluation/bootstrap.ts';

/** What a guard goes by, and what it says. */

export interface GuardTerms {
  /** What is tolerated, as a share of the live model's mean loss: 0 .. 1. */
  readonly margin: number;
  /** What of it the promotions since the last one that was better by itself have spent, as such a share. */
  readonly spent: number;
  /** Of the resamples. */
  readonly seed: number;
}

export type Verdict =
  | 'better' // by itself
  | 'tolerated' // within what is left of the margin
  | 'worse' // surely, and perhaps by more than what is left of the margin
  | 'unsure' // perhaps worse by more than what is left of the margin
  | 'few'; // too few users to say

export interface Decision {
  readonly verdict: Verdict;
  readonly passed: boolean;
  /** In words: why, with the numbers, and what to do. */
  readonly reason: string;
  /** Mean losses. */
  readonly live: number;
  readonly candidate: number;
  /** Mean loss of the candidate minus that of the live model; no interval where one user stands behind it. */
  readonly difference: number;
  readonly interval: Interval | undefined;
  /** Events, and the users that they are of. */
  readonly count: number;
  readonly userCount: number;
  /** What was left of the margin, which the bound was compared with, in the loss's unit. */
  readonly margin: number;
  /** What is left of it once the candidate is promoted; where it did not pass: still. */
  readonly marginLeft: number;
  /** `spent` of the next decision once the candidate is promoted; where it did not pass: as it was. */
  readonly spent: number;
}

/** What is tolerated unless something else is asked for. */
export const MARGIN_DEFAULT = 0.005;
/** Resamples of fewer users are of too few kinds for their spread to mean anything. */
export const USERS_MIN = 10;
