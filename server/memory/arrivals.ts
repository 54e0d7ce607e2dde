import { type ColumnSpecs, f64, type History, NO_ROW, u32 } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import { Lists, type ListsDescriptor } from './lists.ts';
import type { Reclaimer } from './readers.ts';
import type { Scale } from './scale.ts';
import { type StateTables, Table, type TableDescriptor } from './table.ts';

/**
 * What ratings and events have in common: rows that each say something of a user and an item, numbered as they arrive,
 * with a list of them for every user and every item in that order. One thread writes, all read. The row of what was
 * taken back is the first to be used again (a stack through `user`, whose top is in the state).
 */

export const ARRIVAL = {
  value: f64(),
  seconds: f64(),
  /** Of its arrival, from 1; no two have the same. */
  serial: f64(),
  weight: f64(),
  nanos: u32(),
  user: u32(),
  item: u32(),
  kind: u32(),
};

/** What an arrival says, as it was sent. */
export interface ArrivalFields {
  user: number;
  item: number;
  /** The number of its kind; 0: a rating. */
  kind: number;
  /** On the deployment's scale; NaN where an event has none. */
  value: number;
  weight: number;
  seconds: number;
  nanos: number;
}

/** `held`: rows; `free`: 1 + the row that the next one takes, 0 for a new one. */
const STATE = { held: u32(), free: u32() };
/** Up to so many times as many arrivals as there are rows, a list by their numbers is faster than sorting. */
const SORTED_MAX = 16;
/** How many ever arrived. Ratings and events share it. */
const COUNTER = { arrived: f64() };

export interface ArrivalsDescriptor {
  readonly rows: TableDescriptor;
  readonly state: TableDescriptor<typeof STATE>;
  readonly counter: TableDescriptor<typeof COUNTER>;
  readonly byUser: ListsDescriptor;
  readonly byItem: ListsDescriptor;
}

export abstract class Arrivals<Fields extends ArrivalFields> {
  readonly byUser: Lists;
  readonly byItem: Lists;
  protected readonly arena: Arena;
  protected readonly table: Table;
  readonly #at: { readonly [Name in keyof typeof ARRIVAL]: (row: number) => number };
  readonly #state: Table<typeof STATE>;
  readonly #counter: Table<typeof COUNTER>;
  /** Indices of words, and of a double. */
  readonly #held: number;
  readonly #free: number;
  readonly #arrived: number;

  constructor(arena: Arena, descriptor: ArrivalsDescriptor) {
    const table = new Table(arena, descriptor.rows);
    this.arena = arena;
    this.table = table;
    this.byUser = new Lists(arena, descriptor.byUser);
    this.byItem = new Lists(arena, descriptor.byItem);
    this.#at = {
      value: table.column('value'),
      seconds: table.column('seconds'),
      serial: table.column('serial'),
      weight: table.column('weight'),
      nanos: table.column('nanos'),
      user: table.column('user'),
      item: table.column('item'),
      kind: table.column('kind'),
    };
    this.#state = new Table(arena, descriptor.state);
    this.#counter = new Table(arena, descriptor.counter);
    this.#held = this.#state.column('held')(0) >>> 2;
    this.#free = this.#state.column('free')(0) >>> 2;
    this.#arrived = this.#counter.column('arrived')(0) >>> 3;
  }

  /** The memory of arrivals whose rows have these columns; `counter` is that of others, or a new one. */
  protected static describe(arena: Arena, columns: ColumnSpecs, counter = oneRow(arena, COUNTER)): ArrivalsDescriptor {
    return {
      rows: Table.create(arena, columns).descriptor,
      state: oneRow(arena, STATE),
      counter,
      byUser: Lists.create(arena).descriptor,
      byItem: Lists.create(arena).descriptor,
    };
  }

  /** Rows held. */
  get count(): number {
    return this.arena.u32[this.#held];
  }

  /** Rows that exist, those taken back included. */
  get rows(): number {
    return this.table.rows;
  }

  get bytes(): number {
    return this.table.bytes + this.rows * 2 * 16;
  }

  /** Bytes that a copy of them takes. */
  get copyBytes(): number {
    const { byUser, byItem, table } = this;
    return byUser.copyBytes + byItem.copyBytes + table.copyBytes + this.#state.copyBytes + this.#counter.copyBytes;
  }

  /** Bytes that `more` rows may ask for when there are `users` and `items` afterwards. */
  growthBytes(more: number, users = this.byUser.rows + more, items = this.byItem.rows + more): number {
    return this.byUser.growthBytes(more, users) + this.byItem.growthBytes(more, items) + this.table.growthBytes(more);
  }

  /** The number that the next arrival gets. */
  get nextSerial(): number {
    return this.arena.f64[this.#arrived] + 1;
  }

  /** Makes empty lists for all users and items that exist. */
  grow(users: number, items: number): void {
    this.byUser.grow(users);
    this.byItem.grow(items);
  }

  /** Adds a row. Throws MEMORY_FULL, and then nothing has changed. */
  add(fields: Fields, reclaimer: Reclaimer): number {
    const { u32: words, f64: doubles } = this.arena;
    const free = words[this.#free];
    const row = free === 0 ? this.table.rows : free - 1;
    this.byUser.reserve(fields.user, reclaimer);
    this.byItem.reserve(fields.item, reclaimer);
    this.#state.touch(0);
    this.#counter.touch(0);
    if (free === 0) this.table.grow(row + 1);
    else words[this.#free] = words[this.#at.user(row) >>> 2];
    this.write(row, fields);
    doubles[this.#at.serial(row) >>> 3] = ++doubles[this.#arrived];
    words[this.#at.user(row) >>> 2] = fields.user;
    words[this.#at.item(row) >>> 2] = fields.item;
    this.byUser.append(fields.user, fields.item, row, reclaimer);
    this.byItem.append(fields.item, fields.user, row, reclaimer);
    words[this.#held]++;
    return row;
  }

  /** Sets all that a row says but whose it is. */
  write(row: number, fields: Fields): void {
    this.table.touch(row);
    const { f64: doubles, u32: words } = this.arena;
    doubles[this.#at.value(row) >>> 3] = fields.value;
    doubles[this.#at.seconds(row) >>> 3] = fields.seconds;
    words[this.#at.nanos(row) >>> 2] = fields.nanos;
    doubles[this.#at.weight(row) >>> 3] = fields.weight;
    words[this.#at.kind(row) >>> 2] = fields.kind;
  }

  /** Copies what a row says into `fields`. */
  read(row: number, fields: Fields): void {
    const { f64: doubles, u32: words } = this.arena;
    fields.user = words[this.#at.user(row) >>> 2];
    fields.item = words[this.#at.item(row) >>> 2];
    fields.kind = words[this.#at.kind(row) >>> 2];
    fields.value = doubles[this.#at.value(row) >>> 3];
    fields.seconds = doubles[this.#at.seconds(row) >>> 3];
    fields.nanos = words[this.#at.nanos(row) >>> 2];
    fields.weight = doubles[this.#at.weight(row) >>> 3];
  }

  /** The number of a row's arrival: in a list they rise. */
  serial(row: number): number {
    return this.arena.f64[this.#at.serial(row) >>> 3];
  }

  /** The number of a row's kind. */
  kind(row: number): number {
    return this.arena.u32[this.#at.kind(row) >>> 2];
  }

  /** Zeroes and frees a row that no list holds any more. */
  protected release(row: number): void {
    const { u32: words } = this.arena;
    this.#state.touch(0);
    this.table.clear(row);
    words[this.#at.user(row) >>> 2] = words[this.#free];
    words[this.#free] = row + 1;
    words[this.#held]--;
  }

  protected userOf(row: number): number {
    return this.arena.u32[this.#at.user(row) >>> 2];
  }

  protected itemOf(row: number): number {
    return this.arena.u32[this.#at.item(row) >>> 2];
  }

  /** Continues hash `seed` over every byte of state, rows and lists. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    const hash = this.table.hash(kernels, this.#state.hash(kernels, this.#counter.hash(kernels, seed)));
    return this.byItem.hash(kernels, this.byUser.hash(kernels, hash));
  }

  /** What has to be saved of them. */
  stateTables(): StateTables {
    return { rows: this.table, state: this.#state, counter: this.#counter };
  }

  /** Makes the lists of all `users` and `items` anew from restored tables. Throws MEMORY_FULL. */
  rebuild(users: number, items: number, _reclaimer: Reclaimer): void {
    const rows = this.inOrder();
    const usersOf = rows.map((row) => this.userOf(row));
    const itemsOf = rows.map((row) => this.itemOf(row));
    this.grow(users, items);
    this.byUser.rebuild(usersOf, itemsOf, rows);
    this.byItem.rebuild(itemsOf, usersOf, rows);
  }

  /** The rows that are held, in order of arrival. */
  inOrder(): Uint32Array {
    const rows = new Uint32Array(this.count);
    let count = 0;
    let last = 0;
    let isSorted = true;
    for (let row = 0; row < this.rows; row++) {
      const serial = this.serial(row);
      // A free row is all zeros but for its place in the stack.
      if (serial === 0) continue;
      isSorted &&= serial > last;
      last = serial;
      rows[count++] = row;
    }
    if (isSorted) return rows;
    const { [this.#arrived]: arrived } = this.arena.f64;
    if (arrived > SORTED_MAX * rows.length) return rows.sort((a, b) => this.serial(a) - this.serial(b));
    const bySerial = new Uint32Array(arrived + 1);
    for (const row of rows) bySerial[this.serial(row)] = row + 1;
    count = 0;
    for (const place of bySerial) if (place !== 0) rows[count++] = place - 1;
    return rows;
  }

  /** The plugins' view: values mapped to 1..5. */
  protected view(scale: Scale): Omit<History, 'find'> {
    const { u32: words, f64: doubles } = this.arena;
    const { byUser, byItem, table } = this;
    const at = this.#at;
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
      order: (row) => doubles[at.serial(row) >>> 3],
      latest(user, end, most, items, values) {
        if (user === NO_ROW) return 0;
        const pairs = byUser.pairs(user);
        const last = Math.min(end, byUser.countAt(pairs)) - 1;
        const count = Math.min(most, last + 1);
        for (let n = 0, pair = pairs + 2 * last; n < count; n++, pair -= 2) {
          const row = words[pair + 1];
          words[(items >>> 2) + n] = words[pair];
          doubles[(values >>> 3) + n] = scale.toInternal(doubles[at.value(row) >>> 3]);
        }
        return Math.max(0, count);
      },
      get rows() {
        return table.rows;
      },
    };
  }
}

function oneRow<Columns extends ColumnSpecs>(arena: Arena, columns: Columns): TableDescriptor<Columns> {
  const table = Table.create(arena, columns);
  table.grow(1);
  return table.descriptor;
}
