import { decodeItems, decodeUsers } from '../feature-codec.ts';
import type { JournalEntry } from '../journal.ts';
import { RETRACT } from '../rating-batch.ts';
import { decodeRateRequest } from '../rating-codec.ts';
import { decodeRecord } from '../record.ts';
import type { UserSearch } from './user-search.ts';

/**
 * What is left in the journal of those who are forgotten. Rows are numbered by first appearance, so whoever learns the
 * journal again must meet a row where each of them had their first one, and items that nobody had named before. A *place* is
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

  /** Which places records of a journal leave; `read` gives all that may name the users, and is called twice. */
  static find(search: UserSearch, read: ReadRecords): Places {
    const places = new Places();
    const named = findNamed(search, read);
    if (named.users.size > 0) new Finder(search, named, places).run(read);
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

/** Users that have entries, and the items that they have named. */
interface Named {
  readonly users: Set<string>;
  readonly items: Set<string>;
}

function findNamed(search: UserSearch, read: ReadRecords): Named {
  const { batch } = search;
  const named: Named = { users: new Set(), items: new Set() };
  for (const { revision, record } of read()) {
    const found = search.find(revision, record);
    if (!found) continue;
    for (const owner of found.owners) named.users.add(owner);
    if (decodeRecord(record, revision).type !== 'ratings') continue;
    for (let n = 0; n < batch.count; n++) {
      if (search.ownerOf(n, revision) !== undefined)
        named.items.add(batch.text(batch.itemStart[n], batch.itemLength[n]));
    }
  }
  return named;
}

/** Goes through the journal until the users, and every item that they named, have a row. */
class Finder {
  readonly #search: UserSearch;
  readonly #places: Places;
  /** Those that have no row yet. */
  readonly #users: Set<string>;
  readonly #items: Set<string>;

  constructor(search: UserSearch, { users, items }: Named, places: Places) {
    this.#search = search;
    this.#users = users;
    this.#items = items;
    this.#places = places;
  }

  run(read: ReadRecords): void {
    for (const { revision, record } of read()) {
      if (this.#users.size === 0 && this.#items.size === 0) return;
      const { type, payload } = decodeRecord(record, revision);
      if (type === 'ratings') this.#readRatings(revision, payload);
      else if (type === 'users') this.#readUsers(revision, payload);
      else if (type === 'items') for (const { id } of decodeItems(payload).entries) this.#items.delete(id);
    }
  }

  #readRatings(revision: number, payload: Uint8Array): void {
    const { batch } = this.#search;
    decodeRateRequest(payload, batch);
    for (let n = 0; n < batch.count; n++) {
      // A retraction makes no row; a place, which has no user, does.
      if ((batch.flags[n] & RETRACT) !== 0 && batch.userLength[n] > 0) continue;
      const owner = this.#search.ownerOf(n, revision);
      if (owner === undefined && this.#items.size === 0) continue;
      const isNew = this.#items.delete(batch.text(batch.itemStart[n], batch.itemLength[n]));
      if (owner !== undefined) this.#places.add(revision, n, (isNew ? PLACE_OF_ITEM : NO_PLACE) | this.#meet(owner));
    }
  }

  #readUsers(revision: number, payload: Uint8Array): void {
    for (const [n, { id }] of decodeUsers(payload).entries.entries())
      if (this.#search.has(id, revision)) this.#places.add(revision, n, this.#meet(id));
  }

  #meet(userId: string): number {
    return this.#users.delete(userId) ? PLACE_OF_USER : NO_PLACE;
  }
}
