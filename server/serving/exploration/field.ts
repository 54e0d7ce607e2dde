/** What a list is drawn from, and what is drawn. */

/** Items with their scores; what is left out scores -Infinity. */
export interface Field {
  readonly scores: Float32Array;
  /** The best, in order; of equal scores the earlier position first. */
  best(count: number): Ticket[];
  /** The item at a position. */
  rowOf(position: number): number;
}

export interface Ticket {
  readonly position: number;
  readonly score: number;
}

export interface Drawn extends Ticket {
  /** The chance that it got this place, above 0: worth working out for what is shown. */
  readonly chance: () => number;
}
