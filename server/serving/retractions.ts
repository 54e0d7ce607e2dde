import { setTimeout as sleep } from 'node:timers/promises';
import type { LearnerQueue } from './learner-queue.ts';
import type { ListedRating, RatingPages } from './rating-pages.ts';

/** Takes back all that a user has rated and done, by ordinary requests, so many at a time that others hardly wait. */

export interface RetractionsParts {
  readonly queue: LearnerQueue;
  readonly pages: RatingPages;
  /** Encodes a RateRequest that takes these back. */
  readonly encode: (userId: string, ratings: readonly ListedRating[]) => Uint8Array;
}

/** A batch shall be durable, learned and answered in about this time. */
const BATCH_MS = 8;
const BATCH_MIN = 4;
const BATCH_MAX = 500;
const FIRST_BATCH = 32;
const QUEUE_FULL_MS = 20;

export interface TakenBack {
  readonly live: number;
  readonly retractions: number;
}

export class Retractions {
  readonly #parts: RetractionsParts;

  constructor(parts: RetractionsParts) {
    this.#parts = parts;
  }

  /** How many ratings and events there are now. */
  count(userId: string): number {
    return this.#parts.pages.count(userId);
  }

  /**
   * All that were there when it began, and what came meanwhile as far as it was met; what comes faster than this goes is
   * left. The newest go first: they are at the end of their list. Returns how many there were, and how many retractions it
   * took. Throws what a request is refused with.
   */
  async takeBackAll(userId: string, signal: AbortSignal): Promise<TakenBack> {
    const { pages, encode } = this.#parts;
    const live = this.count(userId);
    let size = FIRST_BATCH;
    let retractions = 0;
    while (retractions < 2 * live + BATCH_MAX) {
      signal.throwIfAborted();
      const { ratings, nextPageToken } = pages.page(userId, size, '');
      if (ratings.length === 0) break;
      const startMs = performance.now();
      await this.#learn(encode(userId, ratings), signal);
      retractions += ratings.length;
      if (nextPageToken === '') break;
      const ms = performance.now() - startMs;
      size = Math.round(Math.min(BATCH_MAX, 2 * size, Math.max(BATCH_MIN, (size * BATCH_MS) / ms)));
    }
    return { live, retractions };
  }

  /** Waits while the queue is full: others go first. */
  async #learn(request: Uint8Array, signal: AbortSignal): Promise<void> {
    for (;;) {
      const learned = await new Promise<boolean>((resolve, reject) => {
        const taken = this.#parts.queue.ask(request, false, (answer) => {
          if (answer.type === 'accepted') resolve(true);
          else if (answer.refusal.reason === 'QUEUE_FULL') resolve(false);
          else reject(answer.refusal);
        });
        if (!taken) resolve(false);
      });
      if (learned) return;
      await sleep(QUEUE_FULL_MS, undefined, { signal });
    }
  }
}
