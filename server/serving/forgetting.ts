import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError } from '../errors.ts';
import type { Effect, Removal, Trace } from '../exchange/forgetting.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { LearnerQueue } from './learner-queue.ts';
import { sumRemovals } from './removals.ts';
import type { Retractions } from './retractions.ts';

/**
 * Forgetting someone. What they rated is taken back by ordinary retractions, a few at a time, so that the stream goes on;
 * one record then removes the rest, the id and the row: what comes after it is of somebody new. A checkpoint without them
 * is saved and all earlier ones are removed; versions and the files of the journal are rewritten. A note says until the end
 * that this is to be done, and whoever finds one goes on with it. One at a time.
 */

export interface Forgotten {
  readonly removals: readonly Removal[];
  /** The revision that holds it; undefined: there was nobody to forget. */
  readonly revision: number | undefined;
}

/** Says until the end that someone is to be forgotten. */
interface Note {
  readonly id: string;
  readonly userId: string;
}

export interface ForgettingParts {
  readonly queue: LearnerQueue;
  readonly retractions: Retractions;
  readonly checkpoints: Checkpoints;
  /** Looks for a user from record `from` on, up to the one that has this note. */
  readonly trace: (task: { userId: string; note: string | undefined; from: number }) => Promise<Trace>;
  readonly purge: (task: {
    userId: string;
    note: string;
    forgotten: Effect;
    to: number;
  }) => Promise<readonly Removal[]>;
  readonly notes: {
    list(): readonly Note[];
    find(userId: string): Note | undefined;
    write(userId: string): Promise<Note>;
    remove(note: Note): Promise<void>;
  };
  /** What is in the memory of a user besides ratings and events. */
  readonly known: (userId: string) => { readonly ids: number; readonly features: number };
  readonly onFailure: (error: unknown) => void;
  /** How long to wait before a forgetting that failed is tried again. */
  readonly retryMs?: number;
}

/** Requests that one record forgets. */
const REQUESTS_MAX = 10_000;
const RETRY_MS = 60_000;

export class Forgetting {
  readonly #parts: ForgettingParts;
  readonly #stopping = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
  }

  /** Goes on, until it is done, with what was begun and not finished. */
  resume(): void {
    const { notes, onFailure } = this.#parts;
    for (const note of notes.list()) {
      this.#inTurn(() => this.#finishNoted(note)).catch((error) => {
        onFailure(error);
        this.#resumeLater();
      });
    }
  }

  /** What is begun is not finished by this process; whoever waits for it is told so. */
  stop(reason: unknown): void {
    this.#stopping.abort(reason);
  }

  /** What would be removed. */
  async examine(userId: string): Promise<Forgotten> {
    const { trace, retractions, known, notes } = this.#parts;
    const { entries, requests, files } = await trace({ userId, note: notes.find(userId)?.id, from: 1 });
    const { ids, features } = known(userId);
    if (entries === 0 && ids === 0) return { removals: [], revision: undefined };
    const removals = sumRemovals([
      { place: 'journal', count: entries },
      { place: 'interactions', count: retractions.count(userId) },
      { place: 'request_ids', count: requests.length },
      { place: 'features', count: features },
      { place: 'ids', count: ids },
      ...files,
    ]);
    return { removals, revision: undefined };
  }

  /**
   * Resolves when all is gone from the disk. It goes on when nobody waits any more. Throws DISK_FULL, CHECKPOINT_FAILED,
   * APPEND_FAILED, JOBS_FULL, DRAINING: then it is tried again from time to time, by the next start, and by the next call.
   */
  async forget(userId: string): Promise<Forgotten> {
    try {
      return await this.#inTurn(() => this.#forget(userId));
    } catch (error) {
      this.#resumeLater();
      throw error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => {
      this.#stopping.signal.throwIfAborted();
      return work();
    });
    this.#last = done.catch(() => {});
    return done;
  }

  #resumeLater(): void {
    const { retryMs = RETRY_MS } = this.#parts;
    void sleep(retryMs, undefined, { ref: false, signal: this.#stopping.signal }).then(
      () => this.resume(),
      () => {},
    );
  }

  async #forget(userId: string): Promise<Forgotten> {
    const { trace, notes, known } = this.#parts;
    const before = notes.find(userId);
    const earlier = before && (await this.#finishNoted(before));
    const found = await trace({ userId, note: undefined, from: 1 });
    if (found.entries === 0 && known(userId).ids === 0) return earlier ?? { removals: [], revision: undefined };
    const { removals, revision } = await this.#finish(await notes.write(userId), found);
    return { removals: sumRemovals([...(earlier?.removals ?? []), ...removals]), revision };
  }

  async #finishNoted(note: Note): Promise<Forgotten | undefined> {
    // Somebody else has finished it, while this was waiting.
    if (!this.#parts.notes.find(note.userId)) return undefined;
    return this.#finish(note, await this.#parts.trace({ userId: note.userId, note: note.id, from: 1 }));
  }

  /** Does what is not done yet. */
  async #finish(note: Note, found: Trace): Promise<Forgotten> {
    const { queue, checkpoints, purge, notes } = this.#parts;
    const removals: Removal[] = [...found.files.filter(({ place }) => place === 'checkpoints')];
    const { effect, requests } = await this.#takeEffect(note, found, removals);
    removals.push({ place: 'request_ids', count: await this.#forgetRequests(requests) });
    const { sealedTo } = await queue.change({ type: 'seal' });
    if (sealedTo === undefined) throw new Error('the learner did not say how far the journal is sealed');
    await checkpoints.create({ alone: true });
    removals.push(...(await purge({ userId: note.userId, note: note.id, forgotten: effect, to: sealedTo })));
    await notes.remove(note);
    return { removals: sumRemovals(removals), revision: effect.revision };
  }

  /** Takes back what they rated and writes the record, unless that is done. */
  async #takeEffect({ id, userId }: Note, found: Trace, removals: Removal[]) {
    if (found.forgotten) return { effect: found.forgotten, requests: found.requests };
    const { queue, trace } = this.#parts;
    const { live, retractions } = await this.#parts.retractions.takeBackAll(userId, this.#stopping.signal);
    const { revision, forgotten } = await queue.change({ type: 'forget', userId, note: id });
    if (!forgotten) throw new Error('the learner did not say what it has forgotten');
    const { user, counts } = forgotten;
    removals.push(
      // What it wrote itself, to be removed again, was nothing of theirs.
      { place: 'journal', count: -retractions },
      { place: 'interactions', count: live + counts.interactions },
      { place: 'features', count: counts.features },
      { place: 'ids', count: counts.ids },
    );
    const effect = { revision: Number(revision), user };
    const since = await trace({ userId, note: id, from: found.to + 1 });
    return { effect, requests: [...found.requests, ...since.requests] };
  }

  async #forgetRequests(requests: readonly number[]): Promise<number> {
    let count = 0;
    for (let from = 0; from < requests.length; from += REQUESTS_MAX) {
      const some = requests.slice(from, from + REQUESTS_MAX);
      const { requestsForgotten = 0 } = await this.#parts.queue.change({ type: 'forgetRequests', requests: some });
      count += requestsForgotten;
    }
    return count;
  }
}

/** A server that stops cannot finish a forgetting. */
export function interrupted(): AccreteError {
  return new AccreteError('DRAINING', 'The server is stopping: the next start finishes what was to be forgotten');
}
