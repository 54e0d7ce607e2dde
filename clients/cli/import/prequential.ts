import type { FileRating } from './rating-row.ts';

/** A model's error over the ratings of an import, as the client sees it. */
export interface PrequentialError {
  readonly model: string;
  /** First ratings, which are what is counted. */
  readonly count: number;
  /** On the scale of the ratings; undefined if none was counted. */
  readonly rmse: number | undefined;
  readonly mae: number | undefined;
}

/** Ratings that are followed at most; each takes about 100 bytes of memory. */
export const TALLY_MAX = 10_000_000;

/**
 * Recomputes what the server counts from the predictions that it returned: each first rating of a user and an item
 * against what the model expected just before it learned it (Dawid 1984). Ratings from before the import are not known
 * here: over a store that has some, the server counts fewer.
 */
export class PrequentialTally {
  readonly #model: string;
  readonly #seen = new Set<string>();
  #count = 0;
  #squared = 0;
  #absolute = 0;

  constructor(model: string) {
    this.#model = model;
  }

  /** `predictions` in the order of the ratings. */
  add(ratings: readonly FileRating[], predictions: readonly number[]): void {
    for (const [n, rating] of ratings.entries()) {
      const { value } = rating;
      if (!this.#isFirst(rating) || value === undefined) continue;
      const error = value - predictions[n];
      this.#count++;
      this.#squared += error * error;
      this.#absolute += Math.abs(error);
    }
  }

  /** Ratings that were learned before, and have no predictions now. */
  pass(ratings: readonly FileRating[]): void {
    for (const rating of ratings) this.#isFirst(rating);
  }

  get error(): PrequentialError {
    const mean = (sum: number) => (this.#count > 0 ? sum / this.#count : undefined);
    const meanSquare = mean(this.#squared);
    const rmse = meanSquare === undefined ? undefined : Math.sqrt(meanSquare);
    return { model: this.#model, count: this.#count, rmse, mae: mean(this.#absolute) };
  }

  /** Whether this is a rating where there was none. What was taken back is first again; events of a kind are no ratings. */
  #isFirst({ user, item, kind, retract }: FileRating): boolean {
    if (kind !== '') return false;
    const pair = `${user}\0${item}`;
    if (retract) this.#seen.delete(pair);
    const before = this.#seen.size;
    return !retract && this.#seen.add(pair).size > before;
  }
}
