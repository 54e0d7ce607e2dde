/** Whose list is to be ranked, or whose rating is to be predicted. */
export interface Query {
  /** The user's row, or `NO_ROW`. */
  readonly user: number;
  /** The time of the request (of the rating, before it is learned), seconds since 1970. */
  readonly time: number;
}
