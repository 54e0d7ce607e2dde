import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';

export interface Figures {
  readonly value: number;
  readonly count: number;
}

/** Marks a model's predictions as a client can: first ratings count, edits and retractions do not. */
export class Exam {
  counted = 0;
  edits = 0;
  retractions = 0;
  readonly #live = new Set<string>();
  readonly #errors: number[] = [];

  /** `predictions`: what the model expected of each of `ratings`, which were learned in this order. */
  mark(ratings: readonly Rating[], predictions: readonly number[]): void {
    if (predictions.length !== ratings.length) throw new RangeError('there must be one prediction for each rating');
    for (const [n, { userId, itemId, value = 0, retract }] of ratings.entries()) {
      const pair = JSON.stringify([userId, itemId]);
      if (retract) this.retractions += Number(this.#live.delete(pair));
      else if (this.#live.has(pair)) this.edits++;
      else this.#errors.push(value - predictions[n]);
      if (!retract) this.#live.add(pair);
    }
    this.counted = this.#errors.length;
  }

  /** By `metric window`, as in `rmse total`; `window`: how many of the last errors the sliding figures cover. */
  figures(window: number): Record<string, Figures> {
    const total = this.#errors;
    const latest = total.slice(-window);
    return {
      'rmse total': { value: rootMeanSquare(total), count: total.length },
      'rmse window': { value: rootMeanSquare(latest), count: latest.length },
      'mae total': { value: mean(total.map(Math.abs)), count: total.length },
      'mae window': { value: mean(latest.map(Math.abs)), count: latest.length },
    };
  }
}

function rootMeanSquare(errors: readonly number[]): number {
  return Math.sqrt(mean(errors.map((error) => error * error)));
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
