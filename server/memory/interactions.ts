import { f64, type History, NO_ROW, u32 } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import { hashPair } from './hash.ts';
import { HashIndex, type HashIndexDescriptor } from './hash-index.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import { Lists, type ListsDescriptor } from './lists.ts';
import type { Reclaimer } from './readers.ts';
import type { Scale } from './scale.ts';
import { Table, type TableDescriptor } from './table.ts';

/**
 * The live ratings: who rated what, when and how; found by pair, by user and by item. One thread writes, all read.
 * The row of a retracted rating is the first to be used again (a stack through `user`, whose top is in `STATE`).
 */

const RATING = {
  value: f64(),
  seconds: f64(),
  /** Of its arrival, from 1: an edit keeps it, and no two ratings ever have the same. */
  serial: f64(),
  weight: f64(),
  nanos: u32(),
  user: u32(),
  item: u32(),
};
/** `added`: ratings that ever arrived; `live`: ratings held; `free`: 1 + the row that the next rating takes, 0 for a new one. */
const STATE = { added: f64(), live: u32(), free: u32() };

export interface RatingFields {
  user: number;
  item: number;
  /** On the deployment's scale. */
  value: number;
  weight: number;
  seconds: number;
  nanos: number;
}

export interface InteractionsDescriptor {
  readonly ratings: TableDescriptor<typeof RATING>;
  readonly state: TableDescriptor<typeof STATE>;
  readonly byUser: ListsDescriptor;
  readonly byItem: ListsDescriptor;
  readonly pairs: HashIndexDescriptor;
}

interface Pair {
  user: number;
  item: number;
}

export class Interactions {
  readonly descriptor: InteractionsDescriptor;
  readonly byUser: Lists;
  readonly byItem: Lists;
  readonly #arena: Arena;
  readonly #ratings: Table<typeof RATING>;
  readonly #state: Table<typeof STATE>;
  readonly #pairs: HashIndex;
  readonly #at: { readonly [Name in keyof typeof RATING]: (row: number) => number };
  readonly #live: number;
  readonly #added: number;
  readonly #key: Pair = { user: 0, item: 0 };

  constructor(arena: Arena, descriptor: InteractionsDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.byUser = new Lists(arena, descriptor.byUser);
    this.byItem = new Lists(arena, descriptor.byItem);
    const ratings = new Table(arena, descriptor.ratings);
    this.#ratings = ratings;
    this.#state = new Table(arena, descriptor.state);
    this.#pairs = new HashIndex(arena, descriptor.pairs);
    this.#at = {
      value: ratings.column('value'),
      seconds: ratings.column('seconds'),
      serial: ratings.column('serial'),
      nanos: ratings.column('nanos'),
      weight: ratings.column('weight'),
      user: ratings.column('user'),
      item: ratings.column('item'),
    };
    this.#live = this.#state.column('live')(0) >>> 2;
    this.#added = this.#state.column('added')(0) >>> 3;
  }

  static create(arena: Arena): Interactions {
    const state = Table.create(arena, STATE);
    state.grow(1);
    return new Interactions(arena, {
      ratings: Table.create(arena, RATING).descriptor,
      state: state.descriptor,
      byUser: Lists.create(arena).descriptor,
      byItem: Lists.create(arena).descriptor,
      pairs: HashIndex.create(arena).descriptor,
    });
  }

  /** Live ratings. */
  get count(): number {
    return this.#arena.u32[this.#live];
  }

  /** Rows of ratings, retracted ones included. */
  get rows(): number {
    return this.#ratings.rows;
  }

  get bytes(): number {
    return this.#ratings.bytes + this.rows * 2 * 16;
  }

  /** Bytes that `more` ratings, each perhaps of a new user and item, may ask for. */
  growthBytes(more: number): number {
    const lists = this.byUser.growthBytes(more) + this.byItem.growthBytes(more);
    return lists + this.#pairs.growthBytes(more) + this.#ratings.growthBytes(more);
  }

  /** Makes empty lists for all users and items that exist. */
  grow(users: number, items: number): void {
    this.byUser.grow(users);
    this.byItem.grow(items);
  }

  /** The row of the live rating of a pair, or -1. */
  find(user: number, item: number): number {
    this.#key.user = user;
    this.#key.item = item;
    return this.#pairs.find(hashPair(user, item), this.#matches, this.#key);
  }

  /** Adds the first rating of a pair. Throws MEMORY_FULL, and then nothing has changed. */
  add(fields: RatingFields, reclaimer: Reclaimer): number {
    const { u32: words, f64: doubles } = this.#arena;
    const free = words[this.#live + 1];
    const row = free === 0 ? this.#ratings.rows : free - 1;
    this.byUser.reserve(fields.user, reclaimer);
    this.byItem.reserve(fields.item, reclaimer);
    this.#pairs.reserve(reclaimer);
    if (free === 0) this.#ratings.grow(row + 1);
    else words[this.#live + 1] = words[this.#at.user(row) >>> 2];
    this.write(row, fields);
    doubles[this.#at.serial(row) >>> 3] = ++doubles[this.#added];
    words[this.#at.user(row) >>> 2] = fields.user;
    words[this.#at.item(row) >>> 2] = fields.item;
    this.#pairs.add(hashPair(fields.user, fields.item), row, reclaimer);
    this.byUser.append(fields.user, fields.item, row, reclaimer);
    this.byItem.append(fields.item, fields.user, row, reclaimer);
    words[this.#live]++;
    return row;
  }

  /** Sets value, weight and time of a rating. */
  write(row: number, fields: RatingFields): void {
    const { f64: doubles, u32: words } = this.#arena;
    doubles[this.#at.value(row) >>> 3] = fields.value;
    doubles[this.#at.seconds(row) >>> 3] = fields.seconds;
    words[this.#at.nanos(row) >>> 2] = fields.nanos;
    doubles[this.#at.weight(row) >>> 3] = fields.weight;
  }

  /** Takes a rating out of everything; its row is zeroed and free. */
  remove(row: number, reclaimer: Reclaimer): void {
    const { u32: words } = this.#arena;
    const user = words[this.#at.user(row) >>> 2];
    const item = words[this.#at.item(row) >>> 2];
    this.#pairs.remove(hashPair(user, item), row);
    this.byUser.remove(user, row, reclaimer);
    this.byItem.remove(item, row, reclaimer);
    this.write(row, { user, item, value: 0, weight: 0, seconds: 0, nanos: 0 });
    this.#arena.f64[this.#at.serial(row) >>> 3] = 0;
    words[this.#at.item(row) >>> 2] = 0;
    words[this.#at.user(row) >>> 2] = words[this.#live + 1];
    words[this.#live + 1] = row + 1;
    words[this.#live]--;
  }

  /** The number of a rating's arrival: in a list they rise. */
  serial(row: number): number {
    return this.#arena.f64[this.#at.serial(row) >>> 3];
  }

  /** Copies what rating `row` says into `fields`. */
  read(row: number, fields: RatingFields): void {
    const { f64: doubles, u32: words } = this.#arena;
    fields.user = words[this.#at.user(row) >>> 2];
    fields.item = words[this.#at.item(row) >>> 2];
    fields.value = doubles[this.#at.value(row) >>> 3];
    fields.seconds = doubles[this.#at.seconds(row) >>> 3];
    fields.nanos = words[this.#at.nanos(row) >>> 2];
    fields.weight = doubles[this.#at.weight(row) >>> 3];
  }

  /** Continues hash `seed` over every byte of ratings and lists. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    let hash = this.#state.hash(kernels, seed);
    hash = this.#ratings.hash(kernels, hash);
    return this.byItem.hash(kernels, this.byUser.hash(kernels, hash));
  }

  /** The plugins' view: values mapped to 1..5. */
  history(scale: Scale): History {
    const { u32: words, f64: doubles } = this.#arena;
    const { byUser, byItem } = this;
    const at = this.#at;
    const ratings = this.#ratings;
    return {
      userCount: (user) => (user === NO_ROW ? 0 : byUser.count(user)),
      itemCount: (item) => (item === NO_ROW ? 0 : byItem.count(item)),
      ofUser: (user, n) => words[byUser.pairs(user) + 2 * n + 1],
      ofItem: (item, n) => words[byItem.pairs(item) + 2 * n + 1],
      user: (row) => words[at.user(row) >>> 2],
      item: (row) => words[at.item(row) >>> 2],
      value: (row) => scale.toInternal(doubles[at.value(row) >>> 3]),
      weight: (row) => doubles[at.weight(row) >>> 3],
      time: (row) => doubles[at.seconds(row) >>> 3] + words[at.nanos(row) >>> 2] * 1e-9,
      get rows() {
        return ratings.rows;
      },
    };
  }

  readonly #matches = (row: number, key: Pair): boolean => {
    const { u32: words } = this.#arena;
    return words[this.#at.user(row) >>> 2] === key.user && words[this.#at.item(row) >>> 2] === key.item;
  };
}
