import type { EventHistory, History } from '../../contract/index.ts';

/** How much ratings and events weigh as positives; 0: they are none. */
export interface Weighing {
  ratingRow(row: number): number;
  eventRow(row: number): number;
}

export type SideName = 'users' | 'items';
/** Hears of a positive, whose other side is `other`: the item of a user, the user of an item. */
export type Visit = (other: number, weight: number, isRating: boolean) => void;

/**
 * So many of the latest ratings and events are looked through for positives, unless all are wanted: there may be any number
 * that are none, exposures above all.
 */
export const LOOKED_MAX = 4096;

/** The positives of a user or of an item: ratings and events in one list, the latest first. */
export class Positives {
  readonly #ratings: Cursor;
  readonly #events: Cursor;

  constructor(history: History, events: EventHistory, weighing: Weighing) {
    this.#ratings = new Cursor(history, weighing.ratingRow);
    this.#events = new Cursor(events, weighing.eventRow);
  }

  /** Visits `most` of them, as far as they are found; a rating whose other side is `but` is passed over. */
  visit(side: SideName, row: number, most: number, but: number, visit: Visit): void {
    const [ratings, events] = [this.#ratings, this.#events];
    ratings.start(side, row);
    events.start(side, row);
    const looked = most === Number.POSITIVE_INFINITY ? most : LOOKED_MAX;
    for (let left = most, n = 0; left > 0 && n < looked && (ratings.has || events.has); n++) {
      const isRating = ratings.has && (!events.has || ratings.order > events.order);
      const from = isRating ? ratings : events;
      const { weight, other } = from;
      if (weight > 0 && !(isRating && other === but)) {
        visit(other, weight, isRating);
        left--;
      }
      from.next();
    }
  }
}

type Lists = Pick<History, 'userCount' | 'itemCount' | 'ofUser' | 'ofItem' | 'order' | 'user' | 'item'>;

/** One list of a row, from its end on. */
class Cursor {
  readonly #lists: Lists;
  readonly #weigh: (row: number) => number;
  #isUser = true;
  #owner = 0;
  #left = 0;
  #row = 0;

  constructor(lists: Lists, weigh: (row: number) => number) {
    this.#lists = lists;
    this.#weigh = weigh;
  }

  start(side: SideName, owner: number): void {
    this.#isUser = side === 'users';
    this.#owner = owner;
    this.#left = this.#isUser ? this.#lists.userCount(owner) : this.#lists.itemCount(owner);
    this.#find();
  }

  get has(): boolean {
    return this.#left > 0;
  }

  next(): void {
    this.#left--;
    this.#find();
  }

  get order(): number {
    return this.#lists.order(this.#row);
  }

  get other(): number {
    return this.#isUser ? this.#lists.item(this.#row) : this.#lists.user(this.#row);
  }

  get weight(): number {
    return this.#weigh(this.#row);
  }

  #find(): void {
    if (this.#left === 0) return;
    const n = this.#left - 1;
    this.#row = this.#isUser ? this.#lists.ofUser(this.#owner, n) : this.#lists.ofItem(this.#owner, n);
  }
}
