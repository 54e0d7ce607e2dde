/**
 * How a model explores: its lists are drawn, and the host says of each item how likely it was to get its place. It draws by the
 * id of the recommendation, so that the same state and id give the same list.
 */

/** The best first by `score`, but each place goes by chance to any of the items that are left, all as likely. */
export interface EpsilonGreedy {
  readonly by: 'epsilon';
  /** The chance of that, 0..1. */
  readonly epsilon: number;
}

export type Exploration = EpsilonGreedy;
