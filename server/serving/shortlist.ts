import type { Model } from '../models/model.ts';

/** The items that a user's list is made of, if enough of them may be recommended. */
export interface Shortlist {
  readonly model: Model;
  /** As of when, at least. */
  readonly revision: number;
  /** Rows of items, ascending. */
  readonly rows: Uint32Array;
}
