export interface PurgeTask {
  readonly userId: string;
  readonly note: string;
  /** The record by which they were forgotten, and the row that they had; -1: none. */
  readonly forgotten: { readonly revision: number; readonly user: number };
  /** Files of the journal up to this revision are full; it is not before that record. */
  readonly to: number;
}
