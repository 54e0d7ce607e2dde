import { type EventHistory, f64, NO_ROW } from '../../plugins/contract/index.ts';
import type { Arena } from './arena.ts';
import { ARRIVAL, type ArrivalFields, Arrivals, type ArrivalsDescriptor } from './arrivals.ts';
import { type IdKey, Ids, type IdsDescriptor } from './ids.ts';
import type { Interactions } from './interactions.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import { KINDS_MAX } from './kinds.ts';
import type { Reclaimer } from './readers.ts';
import type { Scale } from './scale.ts';
import { prefixed, type StateTables } from './table.ts';

/**
 * The live events: what users did with items besides rating them. They accumulate: a pair may have any number of them,
 * also of one kind, so there is no index of pairs. Kinds are numbered from 1 in order of their first event.
 */

/**
 * `learned`: the weight that models learned it with, which is its own times that of its kind; an exposure's is negative, -0
 * where it weighs nothing.
 */
const EVENT = { ...ARRIVAL, learned: f64() };

export interface EventFields extends ArrivalFields {
  learned: number;
}

/** Whether an event was learned as an exposure. */
export const isExposure = (learned: number): boolean => learned < 0 || Object.is(learned, -0);

export interface EventsDescriptor extends ArrivalsDescriptor {
  readonly kinds: IdsDescriptor;
}

export class Events extends Arrivals<EventFields> {
  readonly descriptor: EventsDescriptor;
  readonly #kinds: Ids;
  readonly #names: string[] = [];
  readonly #learnedAt: (row: number) => number;

  constructor(arena: Arena, descriptor: EventsDescriptor) {
    super(arena, descriptor);
    this.descriptor = descriptor;
    this.#kinds = new Ids(arena, descriptor.kinds);
    this.#learnedAt = this.table.column('learned');
  }

  /** Events beside ratings: they take their serials from one counter. */
  static create(arena: Arena, { descriptor: { counter } }: Interactions, hashSeed: number): Events {
    const kinds = Ids.create(arena, hashSeed).descriptor;
    return new Events(arena, { ...Arrivals.describe(arena, EVENT, counter), kinds });
  }

  /** Kinds that ever had an event: they are numbered 1 .. kindCount. */
  get kindCount(): number {
    return this.#kinds.rows;
  }

  /** The number of a kind that had an event before, or -1. */
  findKind(name: IdKey): number {
    const row = this.#kinds.find(name);
    return row < 0 ? -1 : row + 1;
  }

  /** The number of a kind. Throws MEMORY_FULL. */
  obtainKind(name: IdKey, reclaimer: Reclaimer): number {
    return this.#kinds.obtain(name, reclaimer) + 1;
  }

  /** The name of a kind; "" for 0, the rating itself. */
  kindName(kind: number): string {
    const names = this.#names;
    while (names.length < kind && names.length < this.#kinds.rows) names.push(this.#kinds.text(names.length));
    return names[kind - 1] ?? '';
  }

  override get copyBytes(): number {
    return super.copyBytes + this.#kinds.copyBytes;
  }

  override growthBytes(more: number, users?: number, items?: number): number {
    return super.growthBytes(more, users, items) + this.#kinds.growthBytes(Math.min(more, KINDS_MAX));
  }

  override write(row: number, fields: EventFields): void {
    super.write(row, fields);
    this.arena.f64[this.#learnedAt(row) >>> 3] = fields.learned;
  }

  override read(row: number, fields: EventFields): void {
    super.read(row, fields);
    fields.learned = this.arena.f64[this.#learnedAt(row) >>> 3];
  }

  /** The rows of all events of one kind of a user with an item, in order of arrival. */
  findAll(user: number, item: number, kind: number): number[] {
    const { u32: words } = this.arena;
    const { byUser, byItem } = this;
    const fewer = byUser.count(user) <= byItem.count(item);
    const pairs = fewer ? byUser.pairs(user) : byItem.pairs(item);
    const other = fewer ? item : user;
    const end = pairs + 2 * byUser.countAt(pairs);
    const found: number[] = [];
    for (let pair = pairs; pair < end; pair += 2) {
      const row = words[pair + 1];
      if (words[pair] === other && this.kind(row) === kind) found.push(row);
    }
    return found;
  }

  /** Each item and kind of which a user has events. */
  ofUser(user: number): { readonly item: number; readonly kind: number }[] {
    const { u32: words } = this.arena;
    const pairs = this.byUser.pairs(user);
    const found = new Map<string, { item: number; kind: number }>();
    for (let n = 0; n < this.byUser.countAt(pairs); n++) {
      const [item, kind] = [words[pairs + 2 * n], this.kind(words[pairs + 2 * n + 1])];
      found.set(`${item}/${kind}`, { item, kind });
    }
    return [...found.values()];
  }

  /** From here on an event counts nothing for models that look at it; it stays in its lists until `removeAll`. */
  mute(row: number): void {
    this.table.touch(row);
    this.arena.f64[this.#learnedAt(row) >>> 3] = 0;
  }

  /** Takes events of one user with one item out of the lists, with one copy of each; their rows are zeroed and free. */
  removeAll(user: number, item: number, rows: readonly number[], reclaimer: Reclaimer): void {
    const gone = new Set(rows);
    this.byUser.removeAll(user, gone, reclaimer);
    this.byItem.removeAll(item, gone, reclaimer);
    for (const row of rows) this.release(row);
  }

  override hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#kinds.hash(kernels, super.hash(kernels, seed));
  }

  override stateTables(): StateTables {
    return { ...super.stateTables(), ...prefixed('kinds', this.#kinds.stateTables()) };
  }

  override rebuild(users: number, items: number, reclaimer: Reclaimer): void {
    this.#kinds.rebuild(reclaimer);
    // As long as there is no event there are no lists.
    if (this.rows > 0) super.rebuild(users, items, reclaimer);
  }

  /** The plugins' view: values mapped to 1..5, weights as they were learned. */
  history(scale: Scale): EventHistory {
    const history = this.view(scale);
    // Not a copy: `rows` has to stay a getter.
    const learned = (row: number) => this.arena.f64[this.#learnedAt(row) >>> 3];
    return Object.assign(history, {
      kind: (row: number) => this.kindName(this.kind(row)),
      weight: (row: number) => Math.abs(learned(row)),
      exposure: (row: number) => isExposure(learned(row)),
    });
  }
}

/** The view of a model that learns no events. */
export const NO_EVENTS: EventHistory = {
  userCount: () => 0,
  itemCount: () => 0,
  ofUser: () => NO_ROW,
  ofItem: () => NO_ROW,
  user: () => NO_ROW,
  item: () => NO_ROW,
  value: () => Number.NaN,
  weight: () => 0,
  time: () => 0,
  order: () => 0,
  latest: () => 0,
  kind: () => '',
  exposure: () => false,
  rows: 0,
};
