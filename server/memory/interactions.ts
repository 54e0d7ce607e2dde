import { type History, NO_ROW } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import { ARRIVAL, type ArrivalFields, Arrivals, type ArrivalsDescriptor } from './arrivals.ts';
import { hashPair } from './hash.ts';
import { HashIndex, type HashIndexDescriptor } from './hash-index.ts';
import type { Reclaimer } from './readers.ts';
import type { Scale } from './scale.ts';

/**
 * The live ratings: who rated what, when and how; found by pair, by user and by item. There is one of a pair: an edit
 * keeps its row, its place in the lists and its serial.
 */

/** `kind`: 0, or the number of the kind of event that set the rating. */
export type RatingFields = ArrivalFields;

export interface InteractionsDescriptor extends ArrivalsDescriptor {
  readonly pairs: HashIndexDescriptor;
}

interface Pair {
  user: number;
  item: number;
}

export class Interactions extends Arrivals<RatingFields> {
  readonly descriptor: InteractionsDescriptor;
  readonly #pairs: HashIndex;
  readonly #key: Pair = { user: 0, item: 0 };

  constructor(arena: Arena, descriptor: InteractionsDescriptor) {
    super(arena, descriptor);
    this.descriptor = descriptor;
    this.#pairs = new HashIndex(arena, descriptor.pairs);
  }

  static create(arena: Arena): Interactions {
    const pairs = HashIndex.create(arena).descriptor;
    return new Interactions(arena, { ...Arrivals.describe(arena, ARRIVAL), pairs });
  }

  override get copyBytes(): number {
    return super.copyBytes + this.#pairs.copyBytes;
  }

  override growthBytes(more: number): number {
    return super.growthBytes(more) + this.#pairs.growthBytes(more);
  }

  /** The row of the live rating of a pair, or -1. */
  find(user: number, item: number): number {
    this.#key.user = user;
    this.#key.item = item;
    return this.#pairs.find(hashPair(user, item), this.#matches, this.#key);
  }

  /** Adds the first rating of a pair. Throws MEMORY_FULL, and then nothing has changed. */
  override add(fields: RatingFields, reclaimer: Reclaimer): number {
    this.#pairs.reserve(reclaimer);
    const row = super.add(fields, reclaimer);
    this.#pairs.add(hashPair(fields.user, fields.item), row, reclaimer);
    return row;
  }

  /** Takes a rating out of everything; its row is zeroed and free. */
  remove(row: number, reclaimer: Reclaimer): void {
    const user = this.userOf(row);
    const item = this.itemOf(row);
    this.#pairs.remove(hashPair(user, item), row);
    this.byUser.remove(user, row, reclaimer);
    this.byItem.remove(item, row, reclaimer);
    this.release(row);
  }

  override rebuild(users: number, items: number, reclaimer: Reclaimer): void {
    super.rebuild(users, items, reclaimer);
    this.#pairs.rebuild(this.count, reclaimer);
    for (let row = 0; row < this.rows; row++) {
      if (this.serial(row) !== 0) this.#pairs.add(hashPair(this.userOf(row), this.itemOf(row)), row, reclaimer);
    }
  }

  /** The plugins' view: values mapped to 1..5. */
  history(scale: Scale): History {
    const find = (user: number, item: number) => {
      const row = user === NO_ROW || item === NO_ROW ? -1 : this.find(user, item);
      return row < 0 ? NO_ROW : row;
    };
    // Not a copy: `rows` has to stay a getter.
    return Object.assign(this.view(scale), { find });
  }

  readonly #matches = (row: number, key: Pair): boolean =>
    this.userOf(row) === key.user && this.itemOf(row) === key.item;
}
