import { decodeItems, decodeUsers } from '../feature-codec.ts';
import type { JournalEntry } from '../journal.ts';
import { RETRACT } from '../rating-batch.ts';
import { decodeRateRequest } from '../rating-codec.ts';
import { decodeRecord } from '../record.ts';
import { UserSearch } from './user-search.ts';

/**
 * What is left in the journal of someone who is forgotten. Rows are numbered by first appearance, so whoever learns the
 * journal again must meet a row where that user had their first one, and items that nobody had named before. A *place* is
 * a rating (or a user to be told of) without a user's id; `retract` says that the user's own row was made there.
 */

/** Bits of what is left of an entry. */
export const NO_PLACE = 0;
export const PLACE_OF_USER = 1;
export const PLACE_OF_ITEM = 2;

/** Reads records of the journal, from the first one on. */
export type ReadRecords = () => Iterable<JournalEntry>;

export class Places {
  /** By revision, and by number in its record. */
  readonly #places = new Map<number, Map<number, number>>();

  /** Which places records of a journal leave; `read` gives all that may name the user, and is called twice. */
  static find(userId: string, read: ReadRecords): Places {
    const places = new Places();
    const search = new UserSearch(userId);
    const items = namedBy(search, read);
    if (items) new Finder(userId, search, items, places).run(read);
    return places;
  }

  at(revision: number, n: number): number {
    return this.#places.get(revision)?.get(n) ?? NO_PLACE;
  }

  add(revision: number, n: number, place: number): void {
    if (place === NO_PLACE) return;
    const ofRecord = this.#places.get(revision) ?? new Map<number, number>();
    this.#places.set(revision, ofRecord.set(n, place));
  }
}

/** Items that the user has named; undefined: the user is in no record. */
function namedBy(search: UserSearch, read: ReadRecords): Set<string> | undefined {
  const { batch } = search;
  const items = new Set<string>();
  let isKnown = false;
  for (const { revision, record } of read()) {
    if (!search.find(revision, record)) continue;
    isKnown = true;
    if (decodeRecord(record, revision).type !== 'ratings') continue;
    for (let n = 0; n < batch.count; n++) {
      if (search.isTheirs(n)) items.add(batch.text(batch.itemStart[n], batch.itemLength[n]));
    }
  }
  return isKnown ? items : undefined;
}

/** Goes through the journal until the user, and every item that they named, has a row. */
class Finder {
  readonly #userId: string;
  readonly #search: UserSearch;
  readonly #places: Places;
  /** Items that the user names somewhere, and nobody has named yet. */
  readonly #unnamed: Set<string>;
  #isKnown = false;

  constructor(userId: string, search: UserSearch, items: Set<string>, places: Places) {
    this.#userId = userId;
    this.#search = search;
    this.#unnamed = items;
    this.#places = places;
  }

  run(read: ReadRecords): void {
    for (const { revision, record } of read()) {
      if (this.#isKnown && this.#unnamed.size === 0) return;
      const { type, payload } = decodeRecord(record, revision);
      if (type === 'ratings') this.#readRatings(revision, payload);
      else if (type === 'users') this.#readUsers(revision, payload);
      else if (type === 'items') for (const { id } of decodeItems(payload).entries) this.#unnamed.delete(id);
    }
  }

  #readRatings(revision: number, payload: Uint8Array): void {
    const { batch } = this.#search;
    decodeRateRequest(payload, batch);
    for (let n = 0; n < batch.count; n++) {
      // A retraction makes no row; a place, which has no user, does.
      if ((batch.flags[n] & RETRACT) !== 0 && batch.userLength[n] > 0) continue;
      const isTheirs = this.#search.isTheirs(n);
      if (!isTheirs && this.#unnamed.size === 0) continue;
      const isNew = this.#unnamed.delete(batch.text(batch.itemStart[n], batch.itemLength[n]));
      if (isTheirs) this.#places.add(revision, n, (isNew ? PLACE_OF_ITEM : NO_PLACE) | this.#meet());
    }
  }

  #readUsers(revision: number, payload: Uint8Array): void {
    const n = decodeUsers(payload).entries.findIndex(({ id }) => id === this.#userId);
    if (n >= 0) this.#places.add(revision, n, this.#meet());
  }

  #meet(): number {
    const isNew = !this.#isKnown;
    this.#isKnown = true;
    return isNew ? PLACE_OF_USER : NO_PLACE;
  }
}
