import assert from 'node:assert/strict';
import { type Arena, HEADER } from './arena.ts';

/**
 * How far the journal has come: `issued`, the last record handed to the disk, and `learned`, the last one that every
 * model has learned. The learner writes both; serving threads read, and wait.
 */

const ISSUED = HEADER.revisions / 8;
const LEARNED = ISSUED + 1;
/** A counter that wakes those who wait for `learned`. */
const BELL = HEADER.revisions / 4 + 4;

export const NO_REVISION = 0;

interface Waiting {
  readonly revision: number;
  readonly wake: () => void;
}

export class Revisions {
  readonly #arena: Arena;
  readonly #waiting = new Set<Waiting>();
  #listening = false;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  get issued(): number {
    return Number(Atomics.load(this.#arena.i64, ISSUED));
  }

  set issued(revision: number) {
    Atomics.store(this.#arena.i64, ISSUED, BigInt(revision));
  }

  get learned(): number {
    return Number(Atomics.load(this.#arena.i64, LEARNED));
  }

  /** Set after the models have learned; whoever is woken sees all of it. It never goes back. */
  set learned(revision: number) {
    assert(revision >= this.learned, `revision ${revision} cannot follow ${this.learned}`);
    Atomics.store(this.#arena.i64, LEARNED, BigInt(revision));
    Atomics.add(this.#arena.i32, BELL, 1);
    Atomics.notify(this.#arena.i32, BELL);
  }

  /** Resolves once `revision` is learned; rejects with the signal's reason when that is aborted first. */
  reach(revision: number, signal: AbortSignal): Promise<void> {
    if (revision <= this.learned) return Promise.resolve();
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onWake = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const waiting = { revision, wake: onWake };
      const onAbort = () => {
        this.#waiting.delete(waiting);
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiting);
      this.#listen();
    });
  }

  #listen(): void {
    if (this.#listening || this.#waiting.size === 0) return;
    const rung = Atomics.load(this.#arena.i32, BELL);
    this.#wake();
    if (this.#waiting.size === 0) return;
    const wait = Atomics.waitAsync(this.#arena.i32, BELL, rung);
    this.#listening = true;
    Promise.resolve(wait.value).then(() => {
      this.#listening = false;
      this.#listen();
    });
  }

  #wake(): void {
    const { learned } = this;
    for (const waiting of this.#waiting) {
      if (waiting.revision > learned) continue;
      this.#waiting.delete(waiting);
      waiting.wake();
    }
  }
}

/** A revision as clients see it: 20 digits, so that text sorts as numbers do. */
export function revisionText(revision: number): string {
  return String(revision).padStart(20, '0');
}

/** The number of a revision that a client sent, or undefined when it is none. */
export function findRevision(text: string): number | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const revision = Number(text);
  return Number.isSafeInteger(revision) ? revision : Number.MAX_SAFE_INTEGER;
}
