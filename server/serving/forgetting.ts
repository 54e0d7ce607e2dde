import { AccreteError } from '../errors.ts';
import type { Removal, Trace } from '../exchange/forgetting.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { LearnerQueue } from './learner-queue.ts';
import type { ListedRating, RatingPages } from './rating-pages.ts';

/**
 * Forgetting someone. What they rated is taken back by ordinary retractions, a few at a time, so that the stream goes on;
 * one record then removes the rest, the id and the row. A checkpoint without them is saved and all earlier ones are
 * removed; the files of the journal and of versions are rewritten. A note says until the end that this is to be done: a
 * start goes on with it. One at a time.
 */

export interface Forgotten {
  readonly removals: readonly Removal[];
  /** The revision that holds it; undefined: nothing had to be learned. */
  readonly revision: number | undefined;
}

export interface ForgettingParts {
  readonly queue: LearnerQueue;
  readonly pages: RatingPages;
  readonly checkpoints: Checkpoints;
  /** Encodes a RateRequest that takes these back. */
  readonly retraction: (userId: string, ratings: readonly ListedRating[]) => Uint8Array;
  readonly trace: (userId: string) => Promise<Trace>;
  readonly purge: (task: { userId: string; user: number; to: number }) => Promise<readonly Removal[]>;
  readonly note: (userId: string) => Promise<string>;
  readonly end: (note: string) => Promise<void>;
  /** Ids of those who are noted. */
  readonly noted: () => readonly string[];
  /** Whether anything is known of a user besides ratings and events. */
  readonly isKnown: (userId: string) => boolean;
  readonly onFailure: (error: unknown) => void;
}

/** Retractions that are learned at once. */
const BATCH = 200;

export class Forgetting {
  readonly #parts: ForgettingParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
  }

  /** Goes on with what an earlier process had begun. */
  resume(): void {
    for (const userId of this.#parts.noted()) this.forget(userId).catch(this.#parts.onFailure);
  }

  /** What would be removed. */
  async examine(userId: string): Promise<Forgotten> {
    const { trace, pages, isKnown } = this.#parts;
    const { entries, requests } = await trace(userId);
    let interactions = 0;
    for (let token = ''; ; ) {
      const page = pages.page(userId, BATCH, token);
      interactions += page.ratings.length;
      token = page.nextPageToken;
      if (token === '') break;
    }
    const removals = [
      { place: 'journal', count: entries },
      { place: 'interactions', count: interactions },
      { place: 'request_ids', count: requests.length },
      { place: 'ids', count: isKnown(userId) ? 1 : 0 },
    ];
    return { removals: removals.filter(({ count }) => count > 0), revision: undefined };
  }

  /** Resolves when all is gone from the disk. Throws DISK_FULL, CHECKPOINT_FAILED, APPEND_FAILED: then again finishes it. */
  forget(userId: string): Promise<Forgotten> {
    const forgotten = this.#last.then(() => this.#forget(userId));
    this.#last = forgotten.catch(() => {});
    return forgotten;
  }

  async #forget(userId: string): Promise<Forgotten> {
    const { queue, checkpoints, trace, purge, note, end, isKnown } = this.#parts;
    const { entries, requests } = await trace(userId);
    const noted = this.#parts.noted().includes(userId);
    if (entries === 0 && !isKnown(userId) && !noted) return { removals: [], revision: undefined };
    const path = await note(userId);
    const interactions = await this.#retractAll(userId);
    const { revision, forgotten } = await queue.change({ type: 'forget', userId, requests });
    if (!forgotten) throw new Error('the learner did not say what it has forgotten');
    const { user, lastRevision, counts } = forgotten;
    await checkpoints.create({ alone: true });
    const purged = await purge({ userId, user, to: lastRevision });
    await end(path);
    const removals = [
      ...purged,
      { place: 'interactions', count: interactions + counts.interactions },
      { place: 'request_ids', count: counts.requestIds },
      { place: 'features', count: counts.features },
      { place: 'ids', count: counts.ids },
      { place: 'checkpoints', count: 1 },
    ];
    return { removals: removals.filter(({ count }) => count > 0), revision: Number(revision) || undefined };
  }

  /** Takes back what is live, a page at a time. */
  async #retractAll(userId: string): Promise<number> {
    const { pages, retraction } = this.#parts;
    let count = 0;
    for (;;) {
      const { ratings } = pages.page(userId, BATCH, '');
      if (ratings.length === 0) return count;
      await this.#learn(retraction(userId, ratings));
      count += ratings.length;
    }
  }

  #learn(request: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const taken = this.#parts.queue.ask(request, false, (answer) => {
        if (answer.type === 'accepted') resolve();
        else reject(answer.refusal);
      });
      if (!taken) reject(new AccreteError('QUEUE_FULL', 'The queue of requests is full: forget again shortly'));
    });
  }
}
