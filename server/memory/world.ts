import type { Arena } from './arena.ts';
import { Events, type EventsDescriptor } from './events.ts';
import { Features, type FeaturesDescriptor } from './features/features.ts';
import { Ids, type IdsDescriptor } from './ids.ts';
import { Interactions, type InteractionsDescriptor } from './interactions.ts';
import type { HostKernels } from './kernels/host-kernels.ts';
import { Kinds } from './kinds.ts';
import { Ledger, type LedgerDescriptor } from './ledger/ledger.ts';
import { Reclaimer } from './readers.ts';
import { RequestIds } from './request-ids.ts';
import { prefixed, type StateTables } from './table.ts';

/** For an item: scores, and bits of a filter, that two threads keep in scratch memory, which grows by doubling. */
const SCRATCH_BYTES = 33;

/** What all models share: ids, live ratings and events, what is known of items and users, as any thread reads them. */

/** The row of the namespace "", the only one until authentication brings others. */
export const DEFAULT_NAMESPACE = 0;

export interface WorldDescriptor {
  readonly namespaces: IdsDescriptor;
  readonly users: IdsDescriptor;
  readonly items: IdsDescriptor;
  readonly interactions: InteractionsDescriptor;
  readonly events: EventsDescriptor;
  readonly itemFeatures: FeaturesDescriptor;
  readonly userFeatures: FeaturesDescriptor;
  readonly ledger: LedgerDescriptor;
}

export class World {
  readonly arena: Arena;
  readonly namespaces: Ids;
  readonly users: Ids;
  readonly items: Ids;
  readonly interactions: Interactions;
  readonly events: Events;
  /** What kinds of events mean to this thread: it is told by `configure`. */
  readonly kinds: Kinds;
  /** By row of `items`. */
  readonly itemFeatures: Features;
  /** By row of `users`. */
  readonly userFeatures: Features;
  /** Of experiments. */
  readonly ledger: Ledger;
  readonly #ledger: LedgerDescriptor;

  constructor(arena: Arena, descriptor: WorldDescriptor) {
    this.arena = arena;
    this.namespaces = new Ids(arena, descriptor.namespaces);
    this.users = new Ids(arena, descriptor.users);
    this.items = new Ids(arena, descriptor.items);
    this.interactions = new Interactions(arena, descriptor.interactions);
    this.events = new Events(arena, descriptor.events);
    this.kinds = new Kinds(this.events);
    this.itemFeatures = new Features(arena, descriptor.itemFeatures);
    this.userFeatures = new Features(arena, descriptor.userFeatures);
    this.ledger = new Ledger(arena, descriptor.ledger);
    this.#ledger = descriptor.ledger;
  }

  get descriptor(): WorldDescriptor {
    return {
      namespaces: this.namespaces.descriptor,
      users: this.users.descriptor,
      items: this.items.descriptor,
      interactions: this.interactions.descriptor,
      events: this.events.descriptor,
      itemFeatures: this.itemFeatures.descriptor,
      userFeatures: this.userFeatures.descriptor,
      ledger: this.#ledger,
    };
  }
}

/** Hashes of the shared state, 16 hexadecimal digits each. */
export interface WorldHashes {
  readonly ids: string;
  /** Ratings and events. */
  readonly interactions: string;
  readonly requestIds: string;
  readonly features: string;
  /** Of experiments. */
  readonly ledger: string;
}

/** The world as the one thread that writes it holds it. */
export class WritableWorld extends World {
  readonly requestIds: RequestIds;
  readonly reclaimer: Reclaimer;

  private constructor(arena: Arena, descriptor: WorldDescriptor, hashSeed: number, requestIdsMax?: number) {
    super(arena, descriptor);
    this.requestIds = new RequestIds(arena, hashSeed, requestIdsMax);
    this.reclaimer = new Reclaimer(arena);
    this.namespaces.obtain({ bytes: new Uint8Array(), start: 0, length: 0, namespace: 0 }, this.reclaimer);
  }

  /** `hashSeed`: any number, best a new one for each process; `requestIdsMax`: see `RequestIds`. */
  static create(arena: Arena, hashSeed: number, requestIdsMax?: number): WritableWorld {
    const interactions = Interactions.create(arena);
    const descriptor = {
      namespaces: Ids.create(arena, hashSeed).descriptor,
      users: Ids.create(arena, hashSeed).descriptor,
      items: Ids.create(arena, hashSeed).descriptor,
      interactions: interactions.descriptor,
      events: Events.create(arena, interactions, hashSeed).descriptor,
      itemFeatures: Features.create(arena, hashSeed).descriptor,
      userFeatures: Features.create(arena, hashSeed).descriptor,
      ledger: Ledger.create(arena),
    };
    return new WritableWorld(arena, descriptor, hashSeed, requestIdsMax);
  }

  /** Fills a world without a rating with all that another one has, but for what only the main one keeps. Throws MEMORY_FULL. */
  copy(from: WritableWorld): void {
    const tables = from.#copied();
    for (const [name, table] of Object.entries(this.#copied())) table.copy(tables[name]);
    for (const [name, features] of Object.entries(this.features)) features.copyBlocks(from.features[name]);
    this.kinds.configure(from.kinds.meanings);
    this.rebuild();
  }

  /** Bytes that a copy takes. */
  get copyBytes(): number {
    const { namespaces, users, items, interactions, events, itemFeatures, userFeatures } = this;
    const parts = [namespaces, users, items, interactions, events, itemFeatures, userFeatures];
    return parts.reduce((sum, { copyBytes }) => sum + copyBytes, this.requestIds.emptyBytes);
  }

  #copied(): StateTables {
    const isOwn = (name: string) => MAIN_ALONE.some((part) => name.startsWith(part));
    return Object.fromEntries(Object.entries(this.stateTables()).filter(([name]) => !isOwn(name)));
  }

  /**
   * Bytes that accepting `ratings` more, `events` of them events, may ask for, at most. What features ask for: see
   * `Features.growthBytes`; what exposures do: see `Ledger.growthBytes`.
   */
  growthBytes(ratings: number, events = 0): number {
    return (
      this.ledger.growthByRatings(ratings) +
      this.#eventBytes(ratings, events) +
      this.users.growthBytes(ratings) +
      this.items.growthBytes(ratings) +
      this.interactions.growthBytes(ratings) +
      SCRATCH_BYTES * (this.items.rows + ratings)
    );
  }

  /** The lists of events are made with the first of them, for all users and items that there are. */
  #eventBytes(ratings: number, events: number): number {
    if (events === 0) return this.events.growthBytes(0);
    return this.events.growthBytes(events, this.users.rows + ratings, this.items.rows + ratings);
  }

  /** All that a checkpoint saves, besides the blocks of `features`. */
  stateTables(): StateTables {
    return {
      ...prefixed('namespaces', this.namespaces.stateTables()),
      ...prefixed('users', this.users.stateTables()),
      ...prefixed('items', this.items.stateTables()),
      ...prefixed('interactions', this.interactions.stateTables()),
      ...prefixed('events', omitCounter(this.events.stateTables())),
      ...prefixed('requestIds', this.requestIds.stateTables()),
      ...prefixed('itemFeatures', this.itemFeatures.stateTables()),
      ...prefixed('userFeatures', this.userFeatures.stateTables()),
      ...prefixed('ledger', this.ledger.stateTables()),
    };
  }

  /** Those features whose blocks a checkpoint saves, by name. */
  get features(): Readonly<Record<string, Features>> {
    return { itemFeatures: this.itemFeatures, userFeatures: this.userFeatures };
  }

  /** Makes all that is not saved anew from restored tables. Throws MEMORY_FULL. */
  rebuild(): void {
    const { reclaimer, namespaces, users, items, interactions, events, requestIds } = this;
    for (const ids of [namespaces, users, items]) ids.rebuild(reclaimer);
    for (const arrivals of [interactions, events]) arrivals.rebuild(users.rows, items.rows, reclaimer);
    requestIds.rebuild(reclaimer);
    for (const features of [this.itemFeatures, this.userFeatures]) features.rebuild(reclaimer);
    this.ledger.rebuild(reclaimer);
    reclaimer.collect();
  }

  hashes(kernels: HostKernels): WorldHashes {
    const ids = this.items.hash(kernels, this.users.hash(kernels, this.namespaces.hash(kernels, 0n)));
    return {
      ids: hashText(ids),
      interactions: hashText(this.events.hash(kernels, this.interactions.hash(kernels, 0n))),
      requestIds: hashText(this.requestIds.hash(kernels, 0n)),
      features: hashText(this.itemFeatures.hash(kernels, this.userFeatures.hash(kernels, 0n))),
      ledger: hashText(this.ledger.hash(kernels, 0n)),
    };
  }
}

/** What only one world keeps: ids of requests, and the ledger of experiments. */
const MAIN_ALONE = ['requestIds.', 'ledger.'];

/** Events count with ratings: their counter is saved with those. */
function omitCounter({ counter: _, ...tables }: StateTables): StateTables {
  return tables;
}

/** A 64-bit hash as 16 hexadecimal digits. */
export function hashText(hash: bigint): string {
  return hash.toString(16).padStart(16, '0');
}

/** One hash of several, in their order. */
export function combineHashes(hashes: readonly string[]): string {
  const combined = hashes.reduce(
    (sum, hash) => BigInt.asUintN(64, sum * 0x9e37_79b1_85eb_ca87n + BigInt(`0x${hash}`)),
    0n,
  );
  return hashText(combined);
}
