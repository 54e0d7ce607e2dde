/** What is found, and what is removed, when someone is forgotten. */

/** Where a user stands in the journal. */
export interface Trace {
  /** Records that name the user, and what they say: ratings and features. */
  readonly records: number;
  readonly entries: number;
  /** Those whose request may still be remembered. */
  readonly requests: readonly number[];
}

/** What was removed from one place: see `Removal` of the wire. */
export interface Removal {
  readonly place: string;
  readonly count: number;
}
