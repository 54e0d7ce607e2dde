/** What is found, and what is removed, when someone is forgotten. */

/** What was removed from one place: see `Removal` of the wire. */
export interface Removal {
  readonly place: string;
  readonly count: number;
}

/** Where users stand in the store, in the order in which they were asked for. */
export interface Traced {
  readonly users: readonly Trace[];
  /** The last record that was looked at. */
  readonly to: number;
}

/** Where one of them does. */
export interface Trace {
  /** Ratings, events and features of theirs. */
  readonly entries: number;
  /** Records whose request may still be remembered. */
  readonly requests: readonly number[];
  /** The record by which the earlier forgetting took effect; what comes after it is of somebody new. */
  readonly forgotten: Effect | undefined;
  /** Files of checkpoints, and those of versions that may know the user. */
  readonly files: readonly Removal[];
  /** Imported model files that name the user. */
  readonly imports: readonly Removal[];
}

/** The record by which someone is forgotten, and the row that they had; -1: none. */
export interface Effect {
  readonly revision: number;
  readonly user: number;
}
