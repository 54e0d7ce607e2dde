import { type EventHistory, type History, NO_ROW } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import { FOR, type Trials } from './trials.ts';

interface Sources {
  readonly config: MfConfig;
  readonly history: History;
  readonly events: EventHistory;
}

/** What speaks for items: for which a user's ratings and latest events do, and for which any rating or event does. */
export class Met {
  readonly #sources: Sources;
  readonly #trials: Trials;
  /** By item: the last user who had an event with it, as far as that was looked for. */
  #marks = new Uint32Array(1024);
  #mark = 0;

  constructor(sources: Sources, trials: Trials) {
    this.#sources = sources;
    this.#trials = trials;
  }

  /** From here on it is of a user. */
  begin(user: number): void {
    const { config, events } = this.#sources;
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

  has(user: number, item: number): boolean {
    if (item < this.#marks.length && this.#marks[item] === this.#mark) return true;
    return this.#trials.ofRatingRow(this.#sources.history.find(user, item)) === FOR;
  }

  /** The item of any rating or event, of a part of them all. */
  itemAt(part: number): number {
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
