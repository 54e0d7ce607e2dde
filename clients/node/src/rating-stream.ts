import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from './calls.ts';
import { AccreteError, lostConnection } from './errors.ts';
import type { Rating } from './gen/accrete/v1/rating.ts';
import type { RateStreamRequest, RateStreamResponse } from './gen/accrete/v1/recommender.ts';
import { type StreamSummary, Window } from './window.ts';

export interface RatingStreamOptions {
  /** Ratings of a batch, at most; 500 by default. */
  readonly batchSize?: number;
  /** Batches that may wait for their answers; 8 by default. */
  readonly maxInFlight?: number;
  /** How long the server may be away while ratings wait for it; 60 s by default. */
  readonly giveUpAfterMs?: number;
  /** Is told of every batch that the server refuses, with its `ratings`. Without it the first one ends the stream. */
  readonly onRefused?: (error: AccreteError) => void;
}

type Open = (requests: AsyncIterable<RateStreamRequest>, options: CallOptions) => AsyncIterable<RateStreamResponse>;

const WAIT_MS = { first: 100, longest: 1000 };

/**
 * Sends ratings in batches. `send` waits while as much as allowed is under way, so that a fast producer does not outrun
 * the server. When the connection breaks, what was not answered is sent again with the same request ids, so that nothing
 * is lost and nothing is learned twice.
 *
 * `await using` waits at the end until all is learned.
 */
export class RatingStream {
  readonly #open: Open;
  readonly #window: Window;
  readonly #giveUpAfterMs: number;
  readonly #onRefused: RatingStreamOptions['onRefused'];
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #error: unknown;
  /** Whether the caller knows of the error: then the end does not tell it again. */
  #wasThrown = false;
  /** Those who wait for something to change. */
  #waiting: (() => void)[] = [];
  #progressAt = Date.now();
  #waitMs = WAIT_MS.first;

  constructor(open: Open, options: RatingStreamOptions = {}) {
    const { batchSize = 500, maxInFlight = 8, giveUpAfterMs = 60_000, onRefused } = options;
    this.#open = open;
    this.#window = new Window(batchSize, maxInFlight);
    this.#giveUpAfterMs = giveUpAfterMs;
    this.#onRefused = onRefused;
    this.#running = this.#run();
  }

  /** What became of the ratings so far. */
  get summary(): StreamSummary {
    return { ...this.#window.summary };
  }

  /** Takes a rating; waits while too much is under way. Rejects with what ended the stream. */
  async send(rating: Parameters<typeof Rating.fromPartial>[0]): Promise<void> {
    if (this.#closing.signal.aborted) throw new Error('The stream is closed');
    await this.#until(() => !this.#window.isFull);
    if (this.#window.isEmpty) this.#progressAt = Date.now();
    this.#window.add(rating);
    this.#change();
  }

  /** Waits until everything that was sent is answered. */
  async flush(): Promise<StreamSummary> {
    await this.#until(() => this.#window.isEmpty);
    return this.summary;
  }

  /** Waits until everything is answered, and ends the stream. */
  async close(): Promise<StreamSummary> {
    try {
      return await this.flush();
    } finally {
      await this.cancel();
    }
  }

  /** Ends the stream; what was not answered may be learned or not. */
  async cancel(): Promise<void> {
    this.#closing.abort();
    this.#change();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#wasThrown) await this.cancel();
    else await this.close();
  }

  get #mustStop(): boolean {
    return this.#closing.signal.aborted || this.#error !== undefined;
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!this.#mustStop && !isTrue()) await this.#changed();
    if (this.#error !== undefined) {
      this.#wasThrown = true;
      throw this.#error;
    }
    if (!isTrue()) throw new Error('The stream is closed');
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #change(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#change();
  }

  async #run(): Promise<void> {
    while (!this.#mustStop) {
      let lost: unknown = lostConnection('the server ended the stream');
      try {
        await this.#followOneConnection();
      } catch (error) {
        if (this.#mustStop) return;
        if (!(error instanceof AccreteError && error.isLostConnection)) return this.#fail(error);
        lost = error;
      }
      const isLong = !this.#window.isEmpty && Date.now() - this.#progressAt > this.#giveUpAfterMs;
      if (isLong && !this.#mustStop) return this.#fail(lost);
      await sleep(this.#waitMs, undefined, { signal: this.#closing.signal }).catch(() => {});
      this.#waitMs = Math.min(2 * this.#waitMs, WAIT_MS.longest);
    }
  }

  async #followOneConnection(): Promise<void> {
    this.#window.connect();
    const ended = new AbortController();
    const { signal } = this.#closing;
    try {
      for await (const response of this.#open(this.#requests(ended.signal), { signal })) {
        const refusal = this.#window.answered(response);
        this.#progressAt = Date.now();
        this.#waitMs = WAIT_MS.first;
        this.#change();
        if (refusal && this.#onRefused) this.#onRefused(refusal);
        else if (refusal) this.#fail(refusal);
      }
    } finally {
      ended.abort();
      this.#change();
    }
  }

  /** What one connection sends, for as long as it lasts. */
  async *#requests(ended: AbortSignal): AsyncGenerator<RateStreamRequest> {
    while (!ended.aborted) {
      if (this.#window.isDue) yield this.#window.next();
      else if (this.#mustStop) return;
      else await this.#changed();
    }
  }
}
