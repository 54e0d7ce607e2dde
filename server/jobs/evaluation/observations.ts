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
}

/** What a model said of each observation. */
export interface Answers {
  readonly model: string;
  /** Expected ratings on the deployment's scale, clipped to it; undefined when the model does not predict. */
  readonly predicted: Float64Array | undefined;
  /** Places from 1, or RANK_MISS. */
  readonly rank: Uint32Array;
}

/** The row at which the user of each stretch of observations begins, and the count at the end. */
export function userStarts({ count, user }: Observations): number[] {
  const starts: number[] = [];
  for (let n = 0; n < count; n++) if (n === 0 || user[n] !== user[n - 1]) starts.push(n);
  return [...starts, count];
}
