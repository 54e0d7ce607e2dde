/** What stands beside the factors in a prediction: r^ = base + <p_u, q_i>. */
export interface Base {
  /** Of the next rating of a user for an item, each of them a row or `NO_ROW`. */
  expect(user: number, item: number, time: number): number;
  /** Of a past rating, as far as that can be said by what is known now. */
  past(user: number, item: number, time: number): number;
}

/** Whose rows learn. */
export type Sides = 'both' | 'users' | 'items';
/** `live`: a rating that is new, or learned as if it were. The others are learned once more. */
export type Rule = 'live' | 'replayed' | 'relearned';

/** A rating, and how it is met. */
export interface Step {
  user: number;
  item: number;
  value: number;
  weight: number;
  /** r - r^ */
  error: number;
  /** What part of the error a whole step of the factors takes away, to first order. */
  reach: number;
}

export interface LearningBase extends Base {
  /**
   * Learns a rating, and returns by how much the step of the factors is to be multiplied, so that all together take away
   * no more than the whole error. A live rating's `error` is that of the last call of `expect`, or for items alone, `past`.
   */
  learn(sides: Sides, rule: Rule, step: Step): number;
  /**
   * Makes the row of a user or an item as unsure of itself as it was before its first rating: what it learned may be no longer
   * so, and an item may have moved. `moved`: the mean square of what items have moved by.
   */
  reopen(half: 'users' | 'items', row: number, moved: number): void;
  /** Notes that a first rating has come, before it is counted. */
  arrive(sides: Sides, user: number, item: number, time: number): void;
  /** Forgets what a refit learns anew from all ratings in turn; false where there is nothing of the kind. */
  begin(users: number, items: number): boolean;
  /** What part of the error a step of a refit takes away by unit of its rate, beside the factors. */
  readonly fitReach: number;
  /** Moves along with the factors in a refit. */
  fit(user: number, item: number, rate: number, error: number, l2: number): void;
}
