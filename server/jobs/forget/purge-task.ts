import type { Effect } from '../../exchange/forgetting.ts';

/** Of whom, and up to where, the files are to be cleaned. */
export interface PurgeTask {
  readonly users: readonly PurgedUser[];
  /** Files of the journal up to this revision are full; it is not before any of the records by which they were forgotten. */
  readonly to: number;
}

export interface PurgedUser {
  readonly userId: string;
  readonly note: string;
  readonly forgotten: Effect;
}
