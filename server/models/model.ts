import {
  learnsEvents,
  NO_ROW,
  type Plugin,
  type Query,
  type ReadTables,
  type Scorer,
  type TableSpec,
  type TableSpecs,
  type WritableAddress,
} from '../../plugins/contract/index.ts';
import { type Arena, LARGE_BYTES } from '../memory/arena.ts';
import { NO_EVENTS } from '../memory/events.ts';
import { findNotFinite } from '../memory/finite.ts';
import { type HostKernels, loadKernels } from '../memory/kernels/host-kernels.ts';
import type { Scale } from '../memory/scale.ts';
import { prefixed, type StateTables, Table, type TableDescriptor } from '../memory/table.ts';
import { combineHashes, hashText, type World } from '../memory/world.ts';
import { inputsOf } from './inputs.ts';
import type { ModelSpec } from './model-spec.ts';
import { type Peer, PeerInput, type Peers } from './peers.ts';
import { Prequential, type PrequentialDescriptor } from './prequential.ts';

/** A model as its readers have it; its state is tables. */

/** What another thread needs to attach to a model. */
export interface ModelDescriptor extends ModelSpec {
  /** "1", until something makes another. */
  readonly version: string;
  readonly tables: Readonly<Record<string, TableDescriptor>>;
  readonly prequential: PrequentialDescriptor;
}

/** What a checkpoint saves of a model. */
export function stateTablesOf(arena: Arena, { tables, prequential }: ModelDescriptor): StateTables {
  const own = Object.entries(tables).map(([name, table]) => [name, new Table(arena, table)] as const);
  return { ...Object.fromEntries(own), ...prefixed('prequential', new Prequential(arena, prequential).stateTables()) };
}

/** What models of one thread share. */
export interface ModelHost {
  readonly arena: Arena;
  readonly world: World;
  readonly scale: Scale;
  /** The models that serve beside it. */
  readonly peers: Peers;
}

export interface TableSize {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

/** What a scorer may do besides scoring and predicting. */
const READING = [
  'similar',
  'session',
  'vectors',
  'explain',
  'without',
  'explores',
] as const satisfies readonly (keyof Scorer)[];

/** A model as any thread reads it. */
export class Model {
  readonly descriptor: ModelDescriptor;
  readonly plugin: Plugin;
  readonly prequential: Prequential;
  readonly scorer: Scorer;
  protected readonly tables: Readonly<Record<string, Table>>;
  readonly #userTables: readonly Table[];
  readonly #itemTables: readonly Table[];
  readonly #modelTables: readonly Table[];
  /** Tables from which events take rows, and how many at most. */
  readonly #pools: readonly { readonly table: Table; readonly perEvent: number }[];
  readonly #world: World;
  readonly arena: Arena;
  /** The models that it has as inputs. */
  readonly inputs: readonly PeerInput[];
  readonly #scratch: { readonly address: number; readonly bytes: number }[] = [];

  constructor(host: ModelHost, plugin: Plugin, descriptor: ModelDescriptor) {
    const { arena, world, scale, peers } = host;
    const specs = plugin.tables(descriptor.config);
    this.arena = arena;
    this.descriptor = descriptor;
    this.plugin = plugin;
    this.prequential = new Prequential(arena, descriptor.prequential);
    this.tables = Object.fromEntries(
      Object.entries(descriptor.tables).map(([name, table]) => [name, new Table(arena, table)]),
    );
    this.#world = world;
    this.inputs = inputsOf({ plugin, spec: descriptor }).map((name) => new PeerInput(name, peers, arena));
    const tablesOf = (index: TableSpec['index']) =>
      Object.keys(specs)
        .filter((name) => specs[name].index === index)
        .map((name) => this.tables[name]);
    this.#userTables = tablesOf('user');
    this.#itemTables = tablesOf('item');
    this.#modelTables = tablesOf('model');
    this.#pools = Object.entries(specs).flatMap(([name, { perEvent }]) =>
      perEvent === undefined ? [] : [{ table: this.tables[name], perEvent }],
    );
    this.scorer = plugin.scorer({
      config: descriptor.config,
      tables: this.tables as ReadTables<TableSpecs>,
      memory: arena,
      scores: arena.f32,
      kernels: plugin.kernels && loadKernels(plugin.kernels.url, arena.memory),
      history: world.interactions.history(scale),
      events: learnsEvents(plugin, descriptor.config) ? world.events.history(scale) : NO_EVENTS,
      inputs: this.inputs,
      scratch: (bytes) => this.scratch(bytes),
    });
  }

  /**
   * Bytes that its tables may ask for: to have the users and items of the world, and after `more` ratings, all of new
   * ones, among `lessons` that it learns.
   */
  growthBytes(more: number, lessons = more): number {
    const { users, items } = this.#world;
    const sum = (tables: readonly Table[], rows: number) =>
      tables.reduce((bytes, table) => bytes + table.growthBytes(Math.max(0, rows - table.rows)), 0);
    const rows = sum(this.#userTables, users.rows + more) + sum(this.#itemTables, items.rows + more);
    const pools = this.#pools.reduce((bytes, { table, perEvent }) => bytes + table.growthBytes(lessons * perEvent), 0);
    // Only first ratings count there.
    return rows + pools + (more > 0 ? this.prequential.growthBytes() : 0);
  }

  /** Says that the rows of a user and an item, and those of the model, are about to change. */
  protected touch(user: number, item: number): void {
    // Loops over indices: this is done for every rating.
    for (let n = 0; n < this.#userTables.length; n++) this.#userTables[n].touch(user);
    for (let n = 0; n < this.#itemTables.length; n++) this.#itemTables[n].touch(item);
    for (let n = 0; n < this.#modelTables.length; n++) this.#modelTables[n].touch(0);
  }

  /** Gives back the scratch memory of this thread, when nobody asks the model any more. */
  release(): void {
    for (const input of this.inputs) input.release();
    for (const { address, bytes } of this.#scratch) this.arena.free(address, bytes);
    this.#scratch.length = 0;
  }

  /** Large enough to be of use to other threads when it is given back. */
  protected scratch(bytes: number): WritableAddress {
    const size = Math.max(LARGE_BYTES, bytes);
    const address = this.arena.allocate(size) as WritableAddress;
    this.#scratch.push({ address, bytes: size });
    return address;
  }

  get version(): string {
    return this.descriptor.version;
  }

  get name(): string {
    return this.descriptor.name;
  }

  /** Whose users, items and live ratings it knows. */
  get world(): World {
    return this.#world;
  }

  /** Items that this model can score: rows from 0. It may lag behind the ids by the event being learned. */
  get items(): number {
    const own = this.#itemTables.reduce((rows, table) => Math.min(rows, table.rows), this.#world.items.rows);
    return this.inputs.reduce((rows, { peer }) => Math.min(rows, peer?.items ?? rows), own);
  }

  /** The row of a user as this model may use it: one that its tables do not have yet is unknown. */
  user(row: number): number {
    return row >= 0 && this.#userTables.every((table) => row < table.rows) ? row : NO_ROW;
  }

  /** What its scorer predicts; NaN where it does not. */
  expect(query: Query, item: number): number {
    return this.scorer.predict?.(query, item) ?? Number.NaN;
  }

  get predicts(): boolean {
    return this.scorer.predict !== undefined;
  }

  get learnsEvents(): boolean {
    return learnsEvents(this.plugin, this.descriptor.config);
  }

  /** Whether its ranking makes sense for someone of whom it learned nothing. One without tables speaks for its inputs. */
  get ranksStrangers(): boolean {
    return this.plugin.ranksStrangers ?? this.#speaking((peer) => peer.ranksStrangers) ?? false;
  }

  /** Whether the model learned something of a user's own that still holds. */
  knowsUser(row: number): boolean {
    const { interactions, events } = this.#world;
    const spoken = this.#speaking((peer) => peer.knowsUser(row));
    if (spoken !== undefined) return spoken;
    return interactions.byUser.count(row) > 0 || (this.learnsEvents && events.byUser.count(row) > 0);
  }

  /** The same of an item. */
  knowsItem(row: number): boolean {
    const { interactions, events } = this.#world;
    const spoken = this.#speaking((peer) => peer.knowsItem(row));
    if (spoken !== undefined) return spoken;
    return interactions.byItem.count(row) > 0 || (this.learnsEvents && events.byItem.count(row) > 0);
  }

  /** What an input says, of a model that has no tables of its own; undefined where it has. */
  #speaking(ask: (peer: Peer) => boolean): boolean | undefined {
    if (this.inputs.length === 0 || Object.keys(this.tables).length > 0) return undefined;
    return this.inputs.some(({ peer }) => peer !== undefined && ask(peer));
  }

  /** What the model can do, as words of the wire. */
  get capabilities(): string[] {
    const { plugin, scorer } = this;
    const retracts = plugin.retracts === 'none' ? [] : ['retract'];
    const events = this.learnsEvents ? ['events'] : [];
    const refits = plugin.refit ? ['refit'] : [];
    const reads = READING.filter((capability) => scorer[capability] !== undefined);
    return ['score', ...(this.predicts ? ['predict'] : []), ...retracts, ...events, ...refits, ...reads];
  }

  get sizes(): TableSize[] {
    const sizes = Object.entries(this.tables).map(([name, { rows, bytes }]) => ({ name, rows, bytes }));
    return [...sizes, { name: 'prequential', rows: 1, bytes: this.prequential.bytes }];
  }

  /** `TABLE.COLUMN` of a number that is none, or is infinite; undefined: there is none. */
  findNotFinite(): string | undefined {
    for (const [name, table] of Object.entries(this.tables)) {
      const column = findNotFinite(this.arena, table);
      if (column !== undefined) return `${name}.${column}`;
    }
    return undefined;
  }

  /** What a checkpoint saves of it. */
  stateTables(): StateTables {
    return stateTablesOf(this.arena, this.descriptor);
  }

  /** A hash over every byte of every table, each table alone and all together. */
  hashes(kernels: HostKernels): { all: string; tables: Record<string, string> } {
    const tables: Record<string, string> = {};
    for (const [name, table] of Object.entries(this.tables)) tables[name] = hashText(table.hash(kernels, 0n));
    tables.prequential = hashText(this.prequential.hash(kernels, 0n));
    return { all: combineHashes(Object.values(tables)), tables };
  }
}
