import { setTimeout as sleep } from 'node:timers/promises';
import { AccreteError, type PlainError } from '../errors.ts';
import { ANSWER, ASK, type Change, type ChangeAnswer, type Timings } from '../exchange/messages.ts';
import type { Bell, Ring, RingMessage } from '../memory/ring.ts';

const RETRY_MS = 5;

/** A serving thread's way to the learner: requests go in as bytes, answers come back as bytes, in order. */

export type LearnerAnswer =
  /** `response` is a RateResponse, encoded, or a `ChangeAnswer` in JSON. */
  | { readonly type: 'accepted'; readonly response: Buffer; readonly timings: Timings | undefined }
  | { readonly type: 'refused'; readonly refusal: AccreteError; readonly timings: undefined };

export class LearnerQueue {
  readonly #asks: Ring;
  readonly #answers: Ring;
  readonly #bell: Bell;
  readonly #waiting = new Map<number, (answer: LearnerAnswer) => void>();
  #timings: Timings | undefined;
  #calls = 0;
  #closed = false;
  #failure: AccreteError | undefined;

  /** `bell` is the one that the learner rings for `answers`. */
  constructor(asks: Ring, answers: Ring, bell: Bell) {
    this.#asks = asks;
    this.#answers = answers;
    this.#bell = bell;
  }

  /** Requests that were asked and not yet answered. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Hears of every request of ratings before it is asked. */
  onRatings: (request: Uint8Array) => void = () => {};

  /** Asks the learner to learn a RateRequest; false when the queue is full, and then `onAnswer` is never called. */
  ask(request: Uint8Array, traced: boolean, onAnswer: (answer: LearnerAnswer) => void): boolean {
    this.onRatings(request);
    return this.#push(traced ? ASK.tracedRate : ASK.rate, request, onAnswer);
  }

  /** The same for those who can wait: they leave a part of the queue to those who cannot. */
  askPatiently(request: Uint8Array, traced: boolean, onAnswer: (answer: LearnerAnswer) => void): boolean {
    return !this.#asks.isCrowded && this.ask(request, traced, onAnswer);
  }

  /** Asks for a decision. Throws why it cannot be made. */
  change(change: Change): Promise<ChangeAnswer> {
    return this.send(ASK.change, Buffer.from(JSON.stringify(change)));
  }

  /** The same of what has to be said however busy the learner is: waits while the queue is full. */
  async insist(change: Change): Promise<ChangeAnswer> {
    for (;;) {
      try {
        return await this.change(change);
      } catch (error) {
        if (AccreteError.wrap(error).reason !== 'QUEUE_FULL' || this.#closed) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** Asks for anything but ratings; `kind` is one of `ASK`. Throws why it is refused. */
  send(kind: number, payload: Uint8Array): Promise<ChangeAnswer> {
    return new Promise((resolve, reject) => {
      const taken = this.#push(kind, payload, (answer) => {
        if (answer.type === 'accepted') resolve(JSON.parse(answer.response.toString()));
        else reject(answer.refusal);
      });
      if (!taken) reject(queueFull());
    });
  }

  /** The same, for whoever sees to a full queue: false when it is, and then `onAnswer` is never called. */
  offer(kind: number, payload: Uint8Array, onAnswer: (answer: LearnerAnswer) => void): boolean {
    return this.#push(kind, payload, onAnswer);
  }

  #push(kind: number, payload: Uint8Array, onAnswer: (answer: LearnerAnswer) => void): boolean {
    const failure = this.#failure;
    if (failure) {
      queueMicrotask(() => onAnswer(refused(failure)));
      return true;
    }
    const call = this.#calls;
    if (!this.#asks.push(kind, call, 0, payload)) return false;
    this.#calls = (call + 1) >>> 0;
    this.#waiting.set(call, onAnswer);
    return true;
  }

  /** Hands out answers until `close`. */
  async listen(): Promise<void> {
    while (!this.#closed) {
      const state = this.#bell.state();
      for (let message = this.#answers.peek(); message; message = this.#answers.peek()) {
        this.#take(message);
        this.#answers.pop();
      }
      await this.#bell.wait(state);
    }
  }

  close(): void {
    this.#closed = true;
    this.#bell.ring();
  }

  /** The learner is gone: what waits for it is refused, and so is what comes after. */
  fail(failure: AccreteError): void {
    this.#failure = failure;
    for (const onAnswer of this.#waiting.values()) onAnswer(refused(failure));
    this.#waiting.clear();
    this.close();
  }

  #take({ kind, call, payload }: RingMessage): void {
    // The ring's bytes are void after `pop`.
    const bytes = Buffer.from(payload);
    if (kind === ANSWER.timings) {
      this.#timings = JSON.parse(bytes.toString());
      return;
    }
    const onAnswer = this.#waiting.get(call);
    this.#waiting.delete(call);
    onAnswer?.(this.#read(kind, bytes));
    this.#timings = undefined;
  }

  #read(kind: number, bytes: Buffer): LearnerAnswer {
    if (kind === ANSWER.accepted) return { type: 'accepted', response: bytes, timings: this.#timings };
    return refused(AccreteError.from(JSON.parse(bytes.toString()) as PlainError));
  }
}

export function queueFull(): AccreteError {
  return new AccreteError('QUEUE_FULL', 'The queue of requests is full: try again shortly, or raise ring.mib');
}

function refused(refusal: AccreteError): LearnerAnswer {
  return { type: 'refused', refusal, timings: undefined };
}
