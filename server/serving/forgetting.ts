import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError } from '../errors.ts';
import type { Erasure, Forgotten } from './erasure.ts';
import { sumRemovals } from './removals.ts';

/**
 * Who is to be forgotten, and when: all who wait at the same time are forgotten together, since it is the same files that are
 * read and written anew, be it for one or for a thousand. What was begun and not finished goes first.
 */

export interface ForgettingParts {
  readonly erasure: Pick<Erasure, 'examine' | 'finishNoted' | 'forget'>;
  /** Hears why somebody is not forgotten yet, unless someone waits who is told. */
  readonly onFailure: (error: unknown) => void;
  /** How long to wait before a forgetting that failed is tried again. */
  readonly retryMs?: number;
}

/** So many at once; whoever comes later waits for the next turn. */
const TOGETHER_MAX = 1000;
/** So many may wait. */
const WAITING_MAX = 10_000;
const RETRY_MS = 60_000;

export class Forgetting {
  readonly #parts: ForgettingParts;
  readonly #stopping = new AbortController();
  readonly #waiting = new Map<string, PromiseWithResolvers<Forgotten>>();
  #isRunning = false;
  /** Whether somebody is not forgotten yet, and whether that is tried again by itself. */
  #isLeft = false;
  #retries = false;

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
  }

  /** Goes on, until it is done, with what was begun and not finished. */
  resume(): void {
    if (!this.#isRunning) void this.#run();
  }

  /** What is begun is not finished by this process; whoever waits for it is told so. */
  stop(reason: unknown): void {
    this.#stopping.abort(reason);
  }

  /** What would be removed. */
  examine(userId: string): Promise<Forgotten> {
    return this.#parts.erasure.examine(userId);
  }

  /**
   * Resolves when all is gone from the disk. It goes on when nobody waits any more. Throws DISK_FULL, CHECKPOINT_FAILED,
   * APPEND_FAILED, JOBS_FULL, DRAINING, STORE_DAMAGED: then it is tried again from time to time, by the next start, and by
   * the next call.
   */
  async forget(userId: string): Promise<Forgotten> {
    this.#stopping.signal.throwIfAborted();
    const waiting = this.#waiting.get(userId);
    if (waiting) return waiting.promise;
    if (this.#waiting.size >= WAITING_MAX) throw tooMany();
    const asked = Promise.withResolvers<Forgotten>();
    this.#waiting.set(userId, asked);
    this.resume();
    return asked.promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#isLeft = false;
    do {
      const asked = [...this.#waiting].slice(0, TOGETHER_MAX);
      for (const [userId] of asked) this.#waiting.delete(userId);
      await this.#turn(new Map(asked));
    } while (this.#waiting.size > 0);
    this.#isRunning = false;
    if (this.#isLeft) this.#resumeLater();
  }

  async #turn(asked: ReadonlyMap<string, PromiseWithResolvers<Forgotten>>): Promise<void> {
    const { erasure, onFailure } = this.#parts;
    const { signal } = this.#stopping;
    const fail = (userId: string, reason: unknown) => {
      const waits = asked.get(userId);
      if (waits) waits.reject(reason);
      else onFailure(reason);
      this.#isLeft = true;
    };
    try {
      signal.throwIfAborted();
      const earlier = await erasure.finishNoted(signal);
      for (const [userId, { reason }] of earlier.failures) fail(userId, reason);
      const left = [...asked.keys()].filter((userId) => !earlier.failures.has(userId));
      const { done, failures } = await erasure.forget(left, signal);
      for (const [userId, { reason }] of failures) fail(userId, reason);
      for (const [userId, forgotten] of done) asked.get(userId)?.resolve(both(earlier.done.get(userId), forgotten));
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
      if (asked.size === 0) onFailure(error);
      this.#isLeft = true;
    }
  }

  /** What failed is tried again together. */
  #resumeLater(): void {
    if (this.#retries) return;
    this.#retries = true;
    const { retryMs = RETRY_MS } = this.#parts;
    void sleep(retryMs, undefined, { ref: false, signal: this.#stopping.signal }).then(
      () => {
        this.#retries = false;
        this.resume();
      },
      () => {},
    );
  }
}

/** Of what was finished now, and of what came of the same id since. */
function both(earlier: Forgotten | undefined, { removals, revision }: Forgotten): Forgotten {
  if (!earlier) return { removals, revision };
  return { removals: sumRemovals([...earlier.removals, ...removals]), revision: revision ?? earlier.revision };
}

/** A server that stops cannot finish a forgetting. */
export function interrupted(): AccreteError {
  return new AccreteError('DRAINING', 'The server is stopping: the next start finishes what was to be forgotten');
}

function tooMany(): AccreteError {
  const message = `There are ${WAITING_MAX} users already who wait to be forgotten: try again when some are`;
  return new AccreteError('JOBS_FULL', message, { metadata: { max: String(WAITING_MAX) } });
}
