import type { AccreteError } from '../errors.ts';
import { ASK } from '../exchange/messages.ts';
import { encodeShownItems, type ShownItems } from '../store/shown-codec.ts';
import type { LearnerQueue } from './learner-queue.ts';

/**
 * What an exploring model showed, as events of the kind that is configured for it: they go to the learner as a client's would,
 * off the hot path. What is rated after an answer does not overtake it, unless the queue is full.
 */

const FLUSH_MS = 50;
/** Of one request. */
const EVENTS_MAX = 1000;
/** While the learner takes none, so many wait; what comes then is counted as lost. */
const WAITING_MAX = 65_536;
/** What is further down was hardly seen. */
const PLACES_MAX = 100;
const RETRY_MS = 5;
const TELL_EVERY_MS = 10_000;

export interface AnswerEventsParts {
  readonly queue: Pick<LearnerQueue, 'offer'>;
  /** Of the events; undefined: what is shown is not learned. */
  readonly kind: string | undefined;
  /** Whether the memory has room for what is less important than ratings. */
  readonly hasRoom: () => boolean;
  /** Hears of events that are not learned; without a reason: there was no room. */
  readonly onLost: (events: number, why: AccreteError | undefined) => void;
}

export class AnswerEvents {
  readonly #parts: AnswerEventsParts;
  #waiting: ShownItems[] = [];
  #events = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Requests that were not answered yet, and who waits for that. */
  #sending = 0;
  readonly #idle: (() => void)[] = [];
  #lost = 0;
  #toldMs = 0;

  constructor(parts: AnswerEventsParts) {
    this.#parts = parts;
  }

  /** A user was shown these, best first, at a time in milliseconds since 1970. */
  show(userId: string, itemIds: readonly string[], atMs: number): void {
    if (this.#parts.kind === undefined || itemIds.length === 0) return;
    const shown = itemIds.slice(0, PLACES_MAX);
    if (!this.#parts.hasRoom() || this.#events + shown.length > WAITING_MAX) {
      this.#lose(shown.length, undefined);
      return;
    }
    this.#waiting.push({ userId, itemIds: shown, atMs });
    this.#events += shown.length;
    if (this.#events >= EVENTS_MAX) this.flush();
    else this.#schedule(FLUSH_MS);
  }

  /** Sends all that waits, as far as the queue takes it. */
  flush(): void {
    const { queue, kind = '' } = this.#parts;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0) {
      const [answers, events] = this.#next();
      const isTaken = queue.offer(ASK.rate, encodeShownItems(kind, answers), (answer) => {
        this.#sending--;
        if (answer.type === 'refused') this.#lose(events, answer.refusal);
        this.#wake();
      });
      if (!isTaken) return void this.#schedule(RETRY_MS);
      this.#sending++;
      this.#drop(answers.length, events);
    }
  }

  /** Lets go of what these users were shown, who are to be forgotten, as far as it did not go out. */
  forget(userIds: readonly string[]): void {
    this.#waiting = this.#waiting.filter(({ userId }) => !userIds.includes(userId));
    this.#events = this.#waiting.reduce((sum, { itemIds }) => sum + itemIds.length, 0);
  }

  /** Sends all that waits; resolves when the learner has answered. */
  async close(): Promise<void> {
    this.flush();
    while (this.#waiting.length > 0 || this.#sending > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Whole answers, as many as fit into one request; how many events they are. */
  #next(): [answers: readonly ShownItems[], events: number] {
    let count = 0;
    let events = 0;
    for (const { itemIds } of this.#waiting) {
      if (events + itemIds.length > EVENTS_MAX) break;
      events += itemIds.length;
      count++;
    }
    return [this.#waiting.slice(0, count), events];
  }

  #drop(answers: number, events: number): void {
    this.#waiting.splice(0, answers);
    this.#events -= events;
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => this.flush(), ms);
  }

  #wake(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Told now and then, as long as it lasts. */
  #lose(events: number, why: AccreteError | undefined): void {
    this.#lost += events;
    const nowMs = Date.now();
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#parts.onLost(this.#lost, why);
    this.#lost = 0;
    this.#toldMs = nowMs;
  }
}
