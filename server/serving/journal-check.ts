import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError } from '../errors.ts';

/**
 * Looks beside the stream whether the records of the journal are still what was written: first those that the start had no
 * need to read, then all of them once a week, at a bounded pace.
 */

export interface JournalCheckParts {
  /** 0: it never looks. */
  readonly bytesPerSecond: number;
  /** The last record that may be read. */
  readonly learned: () => number;
  /** Reads the records up to one, a part after the other: how many bytes each has. Throws STORE_DAMAGED. */
  readonly read: (to: number, signal: AbortSignal) => AsyncIterable<number>;
  /** Hears that all was whole: how many bytes that were, and how long it took. */
  readonly onComplete: (bytes: number, ms: number) => void;
  /** Once it resolves nothing is added to the journal any more. */
  readonly onDamage: (damage: AccreteError) => Promise<void>;
  /** Hears why the records could not be looked at; it is tried again with the next. */
  readonly onFailure: (failure: AccreteError) => void;
}

/** What has come of it so far. */
export interface Checked {
  /** Of all records that were read. */
  readonly bytes: number;
  /** When all had been read for the last time, in milliseconds since 1970; undefined: never yet. */
  readonly completeMs: number | undefined;
  readonly damage: AccreteError | undefined;
}

const AGAIN_MS = 7 * 24 * 60 * 60 * 1000;

export class JournalCheck {
  readonly #parts: JournalCheckParts;
  readonly #closing = new AbortController();
  #checked: Checked = { bytes: 0, completeMs: undefined, damage: undefined };

  constructor(parts: JournalCheckParts) {
    this.#parts = parts;
  }

  get checked(): Checked {
    return this.#checked;
  }

  /** From now on it looks by itself; `unread`: the last record that the start did not read, 0: it read all. */
  begin(unread: number): void {
    if (this.#parts.bytesPerSecond > 0) void this.#run(unread);
  }

  stop(): void {
    this.#closing.abort(new AccreteError('DRAINING', 'The server is stopping'));
  }

  async #run(unread: number): Promise<void> {
    const { signal } = this.#closing;
    let to = unread;
    try {
      while (!this.#checked.damage) {
        await this.#readAll(to);
        await sleep(AGAIN_MS, undefined, { signal, ref: false });
        to = this.#parts.learned();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #readAll(to: number): Promise<void> {
    const { read, bytesPerSecond, onComplete, onDamage, onFailure } = this.#parts;
    const { signal } = this.#closing;
    const startMs = performance.now();
    let bytes = 0;
    try {
      for await (const part of to > 0 ? read(to, signal) : []) {
        bytes += part;
        this.#checked = { ...this.#checked, bytes: this.#checked.bytes + part };
        const earlyMs = startMs + (1000 * bytes) / bytesPerSecond - performance.now();
        // Timers take whole milliseconds, and would cut off the rest.
        if (earlyMs > 0) await sleep(Math.ceil(earlyMs), undefined, { signal, ref: false });
      }
      this.#checked = { ...this.#checked, completeMs: Date.now() };
      if (to > 0) onComplete(bytes, performance.now() - startMs);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = AccreteError.wrap(error);
      if (failure.reason !== 'STORE_DAMAGED') return onFailure(failure);
      await onDamage(failure);
      this.#checked = { ...this.#checked, damage: failure };
    }
  }
}
