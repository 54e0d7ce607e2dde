import { AccreteError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import { TextKey } from '../memory/ids.ts';
import type { RatingFields } from '../memory/interactions.ts';
import type { Reader } from '../memory/readers.ts';
import type { World } from '../memory/world.ts';

/** The live ratings of a user, newest first, page by page. */

export interface ListedRating {
  readonly itemId: string;
  readonly value: number;
  readonly weight: number;
  readonly seconds: number;
  readonly nanos: number;
}

export interface RatingPage {
  readonly ratings: readonly ListedRating[];
  /** "" after the last page. */
  readonly nextPageToken: string;
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
   * An unknown user has an empty page. Ratings that arrive between pages are on none of those that follow,
   * and none is on two pages, whatever is retracted meanwhile.
   */
  page(userId: string, pageSize: number, pageToken: string): RatingPage {
    const before = pageToken === '' ? Number.POSITIVE_INFINITY : parseToken(userId, pageToken);
    return this.#reader.run(() => {
      const user = this.#key.set(userId) ? this.#world.users.find(this.#key) : -1;
      return user < 0 ? { ratings: [], nextPageToken: '' } : this.#read(userId, user, pageSize, before);
    });
  }

  /** `before`: the number of arrival of the last rating shown; a user's list is in that order. */
  #read(userId: string, user: number, pageSize: number, before: number): RatingPage {
    const { byUser } = this.#world.interactions;
    const pairs = byUser.pairs(user);
    const ratings: ListedRating[] = [];
    let position = this.#countBefore(before, pairs, byUser.countAt(pairs));
    let last = before;
    while (position > 0 && ratings.length < pageSize) {
      position--;
      const row = this.#ratingAt(pairs, position);
      const rating = this.#describe(user, row);
      if (!rating) continue;
      last = this.#world.interactions.serial(row);
      ratings.push(rating);
    }
    return { ratings, nextPageToken: position > 0 ? makeToken(userId, last) : '' };
  }

  /** How many ratings of a list arrived before number `before`. */
  #countBefore(before: number, pairs: number, count: number): number {
    let from = 0;
    let to = count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#world.interactions.serial(this.#ratingAt(pairs, middle)) < before) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #ratingAt(pairs: number, position: number): number {
    return this.#arena.u32[pairs + 2 * position + 1];
  }

  /** Undefined for a rating that is being retracted at this moment. */
  #describe(user: number, row: number): ListedRating | undefined {
    const fields: RatingFields = { user: 0, item: 0, value: 0, weight: 0, seconds: 0, nanos: 0 };
    this.#world.interactions.read(row, fields);
    if (fields.user !== user || fields.item >= this.#world.items.rows) return undefined;
    const { item, value, weight, seconds, nanos } = fields;
    return { itemId: this.#world.items.text(item), value, weight, seconds, nanos };
  }
}

function makeToken(userId: string, serial: number): string {
  return Buffer.from(JSON.stringify(['ratings', userId, serial])).toString('base64url');
}

function parseToken(userId: string, token: string): number {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (Array.isArray(parts) && parts[0] === 'ratings' && parts[1] === userId && Number.isSafeInteger(parts[2])) {
    return parts[2];
  }
  const description = 'is not one that this call gave for this user: leave it empty for the first page';
  throw new AccreteError('INVALID_FIELD', `page_token ${description}`, {
    violations: [{ field: 'page_token', description }],
  });
}
