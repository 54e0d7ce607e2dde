import { invalidField } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { ArrivalFields, Arrivals } from '../memory/arrivals.ts';
import { TextKey } from '../memory/ids.ts';
import type { Reader } from '../memory/readers.ts';
import type { World } from '../memory/world.ts';
import { findPagePosition, isNumber, makePageToken, WRONG_TOKEN } from './page-token.ts';

/** The live ratings and events of a user, newest first, page by page. A rating that an event set is listed as that event. */

export interface ListedRating {
  readonly itemId: string;
  /** "" for the rating itself. */
  readonly kind: string;
  /** Absent for an event without one. */
  readonly value: number | undefined;
  readonly weight: number;
  readonly seconds: number;
  readonly nanos: number;
}

export interface RatingPage {
  readonly ratings: readonly ListedRating[];
  /** "" after the last page. */
  readonly nextPageToken: string;
}

interface Found {
  readonly serial: number;
  readonly rating: ListedRating;
}

export class RatingPages {
  readonly #arena: Arena;
  readonly #reader: Reader;
  readonly #world: World;
  readonly #key = new TextKey();

  constructor(arena: Arena, reader: Reader, world: World) {
    this.#arena = arena;
    this.#reader = reader;
    this.#world = world;
  }

  /**
   * An unknown user has an empty page. What arrives between pages is on none of those that follow, and nothing is on two
   * pages, whatever is retracted meanwhile.
   */
  page(userId: string, pageSize: number, pageToken: string): RatingPage {
    const before = pageToken === '' ? Number.POSITIVE_INFINITY : requirePosition(userId, pageToken);
    return this.#reader.run(() => {
      const user = this.#key.set(userId) ? this.#world.users.find(this.#key) : -1;
      return user < 0 ? { ratings: [], nextPageToken: '' } : this.#read(userId, user, pageSize, before);
    });
  }

  /** How many ratings and events of a user are live; one that sets the other counts as two. */
  count(userId: string): number {
    const { users, interactions, events } = this.#world;
    return this.#reader.run(() => {
      const user = this.#key.set(userId) ? users.find(this.#key) : -1;
      return user < 0 ? 0 : interactions.byUser.count(user) + events.byUser.count(user);
    });
  }

  /** `before`: the number of arrival of the last one shown. */
  #read(userId: string, user: number, pageSize: number, before: number): RatingPage {
    const ratings: ListedRating[] = [];
    let last = before;
    for (const { serial, rating } of this.#latest(user, before)) {
      if (ratings.length === pageSize) return { ratings, nextPageToken: makePageToken(scopeOf(userId), last) };
      ratings.push(rating);
      last = serial;
    }
    return { ratings, nextPageToken: '' };
  }

  /** Ratings and events in one order: their numbers of arrival are of one counter. */
  *#latest(user: number, before: number): Generator<Found, undefined> {
    const { interactions, events } = this.#world;
    const ratings = this.#walk(interactions, user, before);
    const others = this.#walk(events, user, before);
    let rating = ratings.next().value;
    let event = others.next().value;
    while (rating || event) {
      if (rating && (!event || rating.serial > event.serial)) {
        // What an event set is listed as the event.
        if (rating.rating.kind === '') yield rating;
        rating = ratings.next().value;
      } else if (event) {
        yield event;
        event = others.next().value;
      }
    }
  }

  /** One of a user's lists from its end, as far as it arrived before number `before`. */
  *#walk<Fields extends ArrivalFields>(
    arrivals: Pick<Arrivals<Fields>, 'byUser' | 'serial' | 'read'>,
    user: number,
    before: number,
  ): Generator<Found, undefined> {
    const pairs = arrivals.byUser.pairs(user);
    const rowAt = (position: number) => this.#arena.u32[pairs + 2 * position + 1];
    let last = before;
    let position = countBelow(before, arrivals.byUser.countAt(pairs), (at) => arrivals.serial(rowAt(at)));
    while (position > 0) {
      const row = rowAt(--position);
      const serial = arrivals.serial(row);
      const rating = this.#describe(arrivals, user, row);
      // The row of one that is being retracted at this moment says something else.
      if (!rating || serial >= last) continue;
      last = serial;
      yield { serial, rating };
    }
    return undefined;
  }

  /** Undefined for what is being retracted at this moment. */
  #describe<Fields extends ArrivalFields>(
    arrivals: Pick<Arrivals<Fields>, 'read'>,
    user: number,
    row: number,
  ): ListedRating | undefined {
    const { items, events } = this.#world;
    const fields: ArrivalFields = { user: 0, item: 0, kind: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };
    arrivals.read(row, fields as Fields);
    if (fields.user !== user || fields.item >= items.rows) return undefined;
    const { item, value, kind, weight, seconds, nanos } = fields;
    return {
      itemId: items.text(item),
      kind: events.kindName(kind),
      value: Number.isNaN(value) ? undefined : value,
      weight,
      seconds,
      nanos,
    };
  }
}

/** How many of the first `count` rising numbers are below `limit`. */
function countBelow(limit: number, count: number, numberAt: (position: number) => number): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (numberAt(middle) < limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

const scopeOf = (userId: string) => ['ratings', userId];

function requirePosition(userId: string, token: string): number {
  const position = findPagePosition(scopeOf(userId), token, isNumber);
  if (position !== undefined) return position;
  throw invalidField('page_token', WRONG_TOKEN);
}
