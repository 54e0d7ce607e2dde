/** The ratings that are held out, in columns, ordered by user, then by event time. */
export interface Observations {
  readonly count: number;
  /** Rows of the world of all ratings. */
  readonly user: Uint32Array;
  readonly item: Uint32Array;
  /** On the deployment's scale. */
  readonly value: Float64Array;
  /** Event time, seconds since 1970. */
  readonly time: Float64Array;
  /** Live ratings that the user has in the training part. */
  readonly history: Uint32Array;
  /** The smallest difference between two ratings, of those that are learned too; 0 when all are alike. */
  readonly step: number;
}

/** What a model would show: one list a user, as of the first of the user's observations. */
export interface Lists {
  /** Places in a list. */
  readonly length: number;
  /** Of user n from `n * length` on, best first: rows of the trained world, and NO_ROW where there are no more. */
  readonly items: Uint32Array;
}

/** What a model said of each observation. */
export interface Answers {
  readonly model: string;
  /** Expected ratings on the deployment's scale, clipped to it; undefined when the model does not predict. */
  readonly predicted: Float64Array | undefined;
  /** Places from 1, or RANK_MISS. */
  readonly rank: Uint32Array;
  /** How many items each was ranked among, itself included; 0 for one that the model does not know. */
  readonly candidates: Uint32Array;
  /** Undefined when no metric asks for lists. */
  readonly lists: Lists | undefined;
}

/** The row at which the user of each stretch of observations begins, and the count at the end. */
export function userStarts({ count, user }: Observations): number[] {
  const starts: number[] = [];
  for (let n = 0; n < count; n++) if (n === 0 || user[n] !== user[n - 1]) starts.push(n);
  return [...starts, count];
}
