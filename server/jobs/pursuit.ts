import { AccreteError } from '../errors.ts';
import type { Rendezvous } from '../memory/rendezvous.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Past } from './past.ts';

/** When what arrived meanwhile is learned in so short a time, the learner can wait for the rest. */
const CLOSE_MS = 20;
const WAIT_MS = 5;
/** So long it tries to come closer; then the stream is taken to be faster. */
const STRIVE_MS = 60_000;
/** What counts as closer between two passes: so much of what was missing at best. */
const CLOSER = 0.9;

/** A model of the past on its way to the present. Throws MODEL_FAILED when nobody waits for it any more. */
export class Pursuit {
  readonly #name: string;
  readonly #past: Pick<Past, 'reached' | 'follow'>;
  readonly #revisions: Pick<Revisions, 'learned'>;
  readonly #meeting: Rendezvous;
  readonly #now: () => number;

  constructor(
    name: string,
    past: Pick<Past, 'reached' | 'follow'>,
    revisions: Pick<Revisions, 'learned'>,
    meeting: Rendezvous,
    now = () => performance.now(),
  ) {
    this.#name = name;
    this.#past = past;
    this.#revisions = revisions;
    this.#meeting = meeting;
    this.#now = now;
  }

  /** Learns until it is close to the learner. Throws MODEL_FAILED when the stream is faster. */
  catchUp(): void {
    const best = { passMs: Number.POSITIVE_INFINITY, sinceMs: this.#now() };
    for (;;) {
      const startMs = this.#now();
      this.#strive(this.#revisions.learned);
      const endMs = this.#now();
      const passMs = endMs - startMs;
      if (passMs <= CLOSE_MS) return;
      // What is learned in one pass arrived in the one before: passes become shorter where the stream is slower.
      if (passMs < CLOSER * best.passMs) Object.assign(best, { passMs, sinceMs: endMs });
      else if (endMs - best.sinceMs > STRIVE_MS) throw this.#tooFast();
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

  requireWaiting(): void {
    if (!this.#meeting.gaveUp) return;
    throw new AccreteError('MODEL_FAILED', `Nobody waits for model ${this.#name} any more`);
  }

  #wait(): void {
    this.#meeting.wait(WAIT_MS);
    this.requireWaiting();
    this.#follow(this.#meeting.target || this.#revisions.learned);
  }

  /** One pass. It may be long, and what comes meanwhile more than it learns: then the next one would be longer still. */
  #strive(last: number): void {
    let since = { ms: this.#now(), behind: this.#behind };
    this.#past.follow(last, () => {
      this.requireWaiting();
      const ms = this.#now();
      if (ms - since.ms <= STRIVE_MS) return;
      const behind = this.#behind;
      if (behind >= since.behind) throw this.#tooFast();
      since = { ms, behind };
    });
  }

  get #behind(): number {
    return this.#revisions.learned - this.#past.reached;
  }

  #follow(last: number): void {
    this.#past.follow(last, () => this.requireWaiting());
  }

  #tooFast(): AccreteError {
    const behind = this.#behind;
    const message =
      `Model ${this.#name} does not catch up with the stream: for ${STRIVE_MS / 1000} s it has come no closer, and it is ` +
      `${behind} records behind; try again when fewer ratings come`;
    return new AccreteError('MODEL_FAILED', message, { metadata: { model: this.#name, behind: String(behind) } });
  }
}
