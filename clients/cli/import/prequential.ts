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
  /** What set the rating of a user and an item: a kind of event, or "". */
  readonly #kinds = new Map<string, string>();
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

  /**
   * Whether this is a rating where there was none: an event that carries a value is one too. What was taken back is first
   * again; taking back the events of a kind takes the rating that one of them set.
   */
  #isFirst({ user, item, value, kind, retract }: FileRating): boolean {
    const pair = `${user}\0${item}`;
    const before = this.#kinds.get(pair);
    if (retract) {
      if (kind === '' || kind === before) this.#kinds.delete(pair);
      return false;
    }
    if (value !== undefined) this.#kinds.set(pair, kind);
    return value !== undefined && before === undefined;
  }
}
