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

/** Where a page ended: the position of its last rating in the user's list, and that rating's row. */
interface Mark {
  readonly position: number;
  readonly rating: number;
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

  /** An unknown user has an empty page. Ratings that arrive between pages are on none of those that follow. */
  page(userId: string, pageSize: number, pageToken: string): RatingPage {
    const mark = pageToken === '' ? undefined : parseToken(userId, pageToken);
    return this.#reader.run(() => {
      const user = this.#key.set(userId) ? this.#world.users.find(this.#key) : -1;
      return user < 0 ? { ratings: [], nextPageToken: '' } : this.#read(userId, user, pageSize, mark);
    });
  }

  #read(userId: string, user: number, pageSize: number, mark: Mark | undefined): RatingPage {
    const { byUser } = this.#world.interactions;
    const { u32: words } = this.#arena;
    const pairs = byUser.pairs(user);
    const count = byUser.countAt(pairs);
    const ratings: ListedRating[] = [];
    let position = mark === undefined ? count : this.#after(mark, pairs, count);
    let last = 0;
    while (position > 0 && ratings.length < pageSize) {
      position--;
      last = words[pairs + 2 * position + 1];
      const rating = this.#describe(user, last);
      if (rating) ratings.push(rating);
    }
    return { ratings, nextPageToken: position > 0 ? makeToken(userId, { position, rating: last }) : '' };
  }

  /** Where to go on: retractions may have moved the last rating shown toward the front, or taken it away. */
  #after(mark: Mark, pairs: number, count: number): number {
    const { u32: words } = this.#arena;
    for (let position = Math.min(mark.position, count - 1); position >= 0; position--) {
      if (words[pairs + 2 * position + 1] === mark.rating) return position;
    }
    return Math.min(mark.position, count);
  }

  /** Undefined for a rating that is being retracted at this moment. */
  #describe(user: number, row: number): ListedRating | undefined {
    const fields: RatingFields = { user: 0, item: 0, value: 0, weight: 0, seconds: 0, nanos: 0, revision: 0 };
    this.#world.interactions.read(row, fields);
    if (fields.user !== user || fields.item >= this.#world.items.rows) return undefined;
    const { item, value, weight, seconds, nanos } = fields;
    return { itemId: this.#world.items.text(item), value, weight, seconds, nanos };
  }
}

function makeToken(userId: string, { position, rating }: Mark): string {
  return Buffer.from(JSON.stringify(['ratings', userId, position, rating])).toString('base64url');
}

function parseToken(userId: string, token: string): Mark {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (Array.isArray(parts) && parts[0] === 'ratings' && parts[1] === userId) {
    const [, , position, rating] = parts;
    if (Number.isSafeInteger(position) && Number.isSafeInteger(rating) && position >= 0) return { position, rating };
  }
  const description = 'is not one that this call gave for this user: leave it empty for the first page';
  throw new AccreteError('INVALID_FIELD', `page_token ${description}`, {
    violations: [{ field: 'page_token', description }],
  });
}
