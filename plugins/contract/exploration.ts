import type { WritableAddress } from './address.ts';
import type { Query } from './query.ts';

/**
 * How a model explores: its lists are drawn, and the host says of each item how likely it was to get its place. It draws by the
 * id of the recommendation, so that the same state and id give the same list.
 */
export type Exploration = EpsilonGreedy | PosteriorSampling;

/** The best first by `score`, but each place goes by chance to any of the items that are left, all as likely. */
export interface EpsilonGreedy {
  readonly by: 'epsilon';
  /** The chance of that, 0..1. */
  readonly epsilon: number;
}

/** Thompson sampling: of every item a score is drawn from what is believed of it; the best drawn scores come first. */
export interface PosteriorSampling {
  readonly by: 'posterior';
  /**
   * Scores of items that exist, at quantiles of what is believed of each: those of the standard normal numbers `z`, which rise.
   * Those of item n go to `out` from `n * z.length` on; they rise too, or stay.
   */
  quantiles(query: Query, items: Uint32Array, z: Float64Array, out: Float64Array): void;
  /** Scores as `Scorer.score` does, by the quantile at `HOPE`: only the best by that are drawn. */
  hope(query: Query, spans: Uint32Array, spanCount: number, out: WritableAddress): void;
}

/** What an item may be at best is looked at here: so many standard deviations above the middle. */
export const HOPE = 2;
