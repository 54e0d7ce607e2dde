import { type EventHistory, type History, NO_ROW, type Random, type WritableMemory } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { Listed } from '../listed.ts';
import { FOR, type Trials } from './trials.ts';

/** So often is drawn until an item is found that the user had nothing to do with. */
const TRIES = 20;

interface Sources {
  readonly config: MfConfig;
  readonly memory: WritableMemory;
  readonly history: History;
  readonly events: EventHistory;
  readonly random: Random;
}

/** Draws items that somebody chose, and not this user: from all of them, or as the item of any rating or event. */
export class Draws {
  readonly #sources: Sources;
  readonly #listed: Listed;
  readonly #trials: Trials;
  readonly #ratingsOf: (item: number) => number;
  /** Draws below this say which rating or event. */
  readonly #popular: number;
  /** By item: the last user who had an event with it, as far as that was looked for. */
  #marks = new Uint32Array(1024);
  #mark = 0;
  /** The item of what is live, of a part of it all; another one where a refit knows what that is. */
  chosen: (part: number) => number = (part) => this.#itemOfAny(part);
  #user = NO_ROW;
  #item = NO_ROW;

  constructor(sources: Sources, listed: Listed, trials: Trials, ratingsOf: (item: number) => number) {
    const { feedback, objective } = sources.config;
    this.#sources = sources;
    this.#listed = listed;
    this.#trials = trials;
    this.#ratingsOf = ratingsOf;
    this.#popular = objective === 'logistic' ? 0 : feedback.popular * 2 ** 32;
  }

  /** From here on draws are for a user, and other than the item. */
  begin(user: number, item: number): void {
    const { config, events } = this.#sources;
    this.#user = user;
    this.#item = item;
    if (++this.#mark > 0xffff_ffff) {
      this.#marks.fill(0);
      this.#mark = 1;
    }
    const count = events.userCount(user);
    for (let n = Math.max(0, count - config.feedback.window); n < count; n++) {
      const row = events.ofUser(user, n);
      if (this.#trials.ofEventRow(row) === FOR) this.#note(events.item(row));
    }
  }

  /** An item; `NO_ROW` where none is found. */
  next(): number {
    const { random } = this.#sources;
    for (let n = 0; n < TRIES; n++) {
      const draw = random.next();
      const other = draw < this.#popular ? this.chosen(draw / this.#popular) : this.#anyItem(draw);
      if (other !== NO_ROW && other !== this.#item && this.#isFree(other)) return other;
    }
    return NO_ROW;
  }

  #isFree(item: number): boolean {
    const { memory, history } = this.#sources;
    if (memory.u32[this.#ratingsOf(item) >>> 2] === 0) return false;
    if (item < this.#marks.length && this.#marks[item] === this.#mark) return false;
    return this.#trials.ofRatingRow(history.find(this.#user, item)) !== FOR;
  }

  #anyItem(draw: number): number {
    const part = (draw - this.#popular) / (2 ** 32 - this.#popular);
    return this.#listed.count === 0 ? NO_ROW : this.#listed.at(Math.floor(part * this.#listed.count));
  }

  #itemOfAny(part: number): number {
    const { history, events } = this.#sources;
    const place = Math.floor(part * (history.rows + events.rows));
    if (place < history.rows) return this.#trials.ofRatingRow(place) === FOR ? history.item(place) : NO_ROW;
    const row = place - history.rows;
    return row < events.rows && this.#trials.ofEventRow(row) === FOR ? events.item(row) : NO_ROW;
  }

  #note(item: number): void {
    if (item >= this.#marks.length) {
      const marks = new Uint32Array(2 * item);
      marks.set(this.#marks);
      this.#marks = marks;
    }
    this.#marks[item] = this.#mark;
  }
}
