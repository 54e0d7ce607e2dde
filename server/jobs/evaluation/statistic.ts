import type { ItemFacts } from './catalogue.ts';
import type { Answers, Observations } from './observations.ts';

/**
 * What a metric makes of a model's answers: a figure of the means of some numbers, or a function of everything at once.
 * Either can be had of any sample of users, which is how it gets its interval.
 */
export type Statistic = Means | Whole;

interface Counted {
  /** What is counted: held-out ratings, or lists, of which every user has one. */
  readonly per: 'rating' | 'list';
  /** True of a figure from 0 to 1 that comes out larger, or smaller, of fewer users: then so it does of resamples. */
  readonly isBiased?: true;
  /** Why there may be none of some users, in words that follow the metric's name. */
  readonly none?: string;
}

export interface Means extends Counted {
  /** Of rating n, or of the list of user n. */
  readonly parts: readonly ((n: number) => number)[];
  /** NaN: there is none. */
  readonly figure: (means: readonly number[]) => number;
}

export interface Whole extends Counted {
  /** `weights`: by user, how often each counts. NaN: there is no figure. */
  readonly of: (weights: ArrayLike<number>) => number;
}

/** What a metric of one model is made from. */
export interface Evidence {
  readonly observations: Observations;
  /** `userStarts` of the observations: users are numbered in that order. */
  readonly starts: readonly number[];
  /** Of ratings. */
  readonly scale: { readonly min: number; readonly max: number };
  readonly catalogue: ItemFacts;
  readonly answers: Answers;
}

/** A metric's statistic of a model, or why the model has none, in words that follow its name. */
export type Make = (evidence: Evidence, cutoff: number) => Statistic | string;
