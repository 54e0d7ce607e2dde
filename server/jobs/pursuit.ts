import { AccreteError } from '../errors.ts';
import type { Rendezvous } from '../memory/rendezvous.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Past } from './past.ts';

/** When what arrived meanwhile is learned in so short a time, the learner can wait for the rest. */
const CLOSE_MS = 20;
const WAIT_MS = 5;

/** A model of the past on its way to the present. Throws MODEL_FAILED when nobody waits for it any more. */
export class Pursuit {
  readonly #name: string;
  readonly #past: Past;
  readonly #revisions: Revisions;
  readonly #meeting: Rendezvous;

  constructor(name: string, past: Past, revisions: Revisions, meeting: Rendezvous) {
    this.#name = name;
    this.#past = past;
    this.#revisions = revisions;
    this.#meeting = meeting;
  }

  /** Learns until it is close to the learner. */
  catchUp(): void {
    let passMs = Number.POSITIVE_INFINITY;
    while (passMs > CLOSE_MS) {
      const startMs = performance.now();
      this.#follow(this.#revisions.learned);
      passMs = performance.now() - startMs;
    }
  }

  /** Stays close until it may go on. */
  waitForLeave(): void {
    while (!this.#meeting.isAllowed) this.#wait();
  }

  /** Stays close until the learner names a place, and goes there; `reach` then says that the model stands there. */
  goToMeeting(): void {
    while (this.#meeting.target === 0) this.#wait();
    this.#follow(this.#meeting.target);
  }

  #wait(): void {
    this.#meeting.wait(WAIT_MS);
    this.requireWaiting();
    this.#follow(this.#meeting.target || this.#revisions.learned);
  }

  #follow(last: number): void {
    this.#past.follow(last, () => this.requireWaiting());
  }

  requireWaiting(): void {
    if (!this.#meeting.gaveUp) return;
    throw new AccreteError('MODEL_FAILED', `Nobody waits for model ${this.#name} any more`);
  }
}
