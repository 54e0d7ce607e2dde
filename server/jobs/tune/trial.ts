/** What came of a candidate's replay. */
export interface Trial {
  /** Mean loss, by which candidates of a rung are compared; undefined: it failed. */
  readonly loss: number | undefined;
  readonly figures: readonly TrialFigure[];
  /** Why it failed; "": it did not. */
  readonly failure: string;
}

export interface TrialFigure {
  readonly metric: string;
  readonly value: number;
  readonly count: number;
}

/** The number of the live settings among the candidates; the others follow. */
export const LIVE = 0;
