/** How many findings are kept, the latest. */
export const DRIFTS_KEPT = 16;

/** What was found, and what it was found by. */
export interface Drift {
  /** 1 for the first one of the model. */
  readonly number: number;
  /** The record of the journal with which it was detected, and its event time, seconds since 1970. */
  readonly revision: number;
  readonly time: number;
  /** First ratings since it began, by the test. */
  readonly ratings: number;
  /** S, and what it exceeded. */
  readonly statistic: number;
  readonly threshold: number;
  /** Means of y: squared errors by those usual at their users' positions, and what items' errors have in common; before, and since it began. */
  readonly before: number;
  readonly after: number;
  /** What the model did, in a word; "": nothing. */
  readonly action: string;
}
