/** What a search for better settings may try. */

/** Values of a setting: one of these, or one between two bounds. */
export type Choices = readonly unknown[] | Range;

export interface Range {
  readonly min: number;
  readonly max: number;
  /** Drawn evenly by its logarithm: for what acts by how many times larger it is. */
  readonly log?: boolean;
}

/** What is to become better: how ratings are expected, or how items are ranked. */
export type Aim = 'rating' | 'ranking';

/** Settings by their paths (`replay.count`), each with its values. */
export type SearchSpace = Readonly<Record<string, Choices>>;
