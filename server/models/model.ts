import {
  type Learner,
  NO_ROW,
  type Plugin,
  Random,
  type ReadTables,
  type Scorer,
  type TableSpecs,
  type WritableAddress,
  type WriteTables,
} from '../../plugins/contract/index.ts';
import { configHash } from '../config/hash.ts';
import { AccreteError } from '../errors.ts';
import { type Arena, LARGE_BYTES } from '../memory/arena.ts';
import { NO_EVENTS } from '../memory/events.ts';
import type { Ids } from '../memory/ids.ts';
import { type HostKernels, loadHostKernels, loadKernels } from '../memory/kernels/host-kernels.ts';
import type { Reclaimer } from '../memory/readers.ts';
import type { Scale } from '../memory/scale.ts';
import { Table, type TableDescriptor } from '../memory/table.ts';
import { combineHashes, hashText, type World } from '../memory/world.ts';
import { Prequential, type PrequentialDescriptor } from './prequential.ts';
import { requireTableSpecs } from './table-specs.ts';

/** A model is a plugin with a configuration and a name; its state is tables. */

export interface ModelSpec {
  /** "" until authentication brings others. */
  readonly namespace: string;
  readonly name: string;
  /** The module specifier of the plugin. */
  readonly plugin: string;
  /** As the plugin's schema made it: validated, with defaults. */
  readonly config: { readonly seed: number };
}

/** What another thread needs to attach to a model. */
export interface ModelDescriptor extends ModelSpec {
  readonly tables: Readonly<Record<string, TableDescriptor>>;
  readonly prequential: PrequentialDescriptor;
}

/** What models of one thread share. */
export interface ModelHost {
  readonly arena: Arena;
  readonly world: World;
  readonly scale: Scale;
}

export interface TableSize {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

/** What a scorer may do besides scoring and predicting. */
const READING = ['similar', 'session', 'vectors', 'explain'] as const satisfies readonly (keyof Scorer)[];

/** A model as any thread reads it. */
export class Model {
  readonly descriptor: ModelDescriptor;
  readonly plugin: Plugin;
  readonly prequential: Prequential;
  readonly scorer: Scorer;
  readonly configHash: string;
  protected readonly tables: Readonly<Record<string, Table>>;
  readonly #userTables: readonly Table[];
  readonly #itemTables: readonly Table[];
  readonly #world: World;
  protected readonly arena: Arena;
  readonly #scratch: { readonly address: number; readonly bytes: number }[] = [];

  constructor(host: ModelHost, plugin: Plugin, descriptor: ModelDescriptor) {
    const { arena, world, scale } = host;
    const specs = plugin.tables(descriptor.config);
    this.arena = arena;
    this.descriptor = descriptor;
    this.plugin = plugin;
    this.configHash = configHash(descriptor.config);
    this.prequential = new Prequential(arena, descriptor.prequential);
    this.tables = Object.fromEntries(
      Object.entries(descriptor.tables).map(([name, table]) => [name, new Table(arena, table)]),
    );
    this.#world = world;
    this.#userTables = Object.keys(specs)
      .filter((name) => specs[name].index === 'user')
      .map((name) => this.tables[name]);
    this.#itemTables = Object.keys(specs)
      .filter((name) => specs[name].index === 'item')
      .map((name) => this.tables[name]);
    this.scorer = plugin.scorer({
      config: descriptor.config,
      tables: this.tables as ReadTables<TableSpecs>,
      memory: arena,
      scores: arena.f32,
      kernels: plugin.kernels && loadKernels(plugin.kernels.url, arena.memory),
      history: world.interactions.history(scale),
      events: plugin.learnsEvents ? world.events.history(scale) : NO_EVENTS,
      scratch: (bytes) => this.scratch(bytes),
    });
  }

  /**
   * Bytes that its tables may ask for: to have the users and items of the world, and after `more` ratings, all of new
   * ones.
   */
  growthBytes(more: number): number {
    const { users, items } = this.#world;
    const sum = (tables: readonly Table[], rows: number) =>
      tables.reduce((bytes, table) => bytes + table.growthBytes(Math.max(0, rows - table.rows)), 0);
    const rows = sum(this.#userTables, users.rows + more) + sum(this.#itemTables, items.rows + more);
    return rows + this.prequential.growthBytes();
  }

  /** Gives back the scratch memory of this thread, when nobody asks the model any more. */
  release(): void {
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

  /** The version that serves: the first, until something makes another. */
  readonly version = '1';

  get name(): string {
    return this.descriptor.name;
  }

  /** Items that this model can score: rows from 0. It may lag behind the ids by the event being learned. */
  get items(): number {
    return this.#itemTables.reduce((rows, table) => Math.min(rows, table.rows), this.#world.items.rows);
  }

  /** The row of a user as this model may use it: one that its tables do not have yet is unknown. */
  user(row: number): number {
    return row >= 0 && this.#userTables.every((table) => row < table.rows) ? row : NO_ROW;
  }

  get predicts(): boolean {
    return this.scorer.predict !== undefined;
  }

  get learnsEvents(): boolean {
    return this.plugin.learnsEvents === true;
  }

  /** Whether the model learned something of a user's own. */
  knows(user: number): boolean {
    const { interactions, events } = this.#world;
    return interactions.byUser.count(user) > 0 || (this.learnsEvents && events.byUser.count(user) > 0);
  }

  /** What the model can do, as words of the wire. */
  get capabilities(): string[] {
    const { plugin, scorer } = this;
    const retracts = plugin.retracts === 'none' ? [] : ['retract'];
    const events = this.learnsEvents ? ['events'] : [];
    const reads = READING.filter((capability) => scorer[capability] !== undefined);
    return ['score', ...(this.predicts ? ['predict'] : []), ...retracts, ...events, ...reads];
  }

  get sizes(): TableSize[] {
    const sizes = Object.entries(this.tables).map(([name, { rows, bytes }]) => ({ name, rows, bytes }));
    return [...sizes, { name: 'prequential', rows: 1, bytes: this.prequential.bytes }];
  }

  /** A hash over every byte of every table, each table alone and all together. */
  hashes(kernels: HostKernels): { all: string; tables: Record<string, string> } {
    const tables: Record<string, string> = {};
    for (const [name, table] of Object.entries(this.tables)) tables[name] = hashText(table.hash(kernels, 0n));
    tables.prequential = hashText(this.prequential.hash(kernels, 0n));
    return { all: combineHashes(Object.values(tables)), tables };
  }
}

/** A model as the one thread that teaches it holds it. */
export class WritableModel extends Model {
  readonly #learner: ReturnType<Plugin['learner']>;
  readonly #random = new Random();
  readonly #starts: readonly Start[];

  private constructor(host: ModelHost, plugin: Plugin, descriptor: ModelDescriptor, onTouch: OnTouch) {
    super(host, plugin, descriptor);
    const specs = plugin.tables(descriptor.config);
    this.#starts = startsOf(specs, this.tables, host, descriptor.config.seed);
    this.#learner = plugin.learner({
      config: descriptor.config,
      tables: this.tables as WriteTables<TableSpecs>,
      memory: host.arena,
      kernels: plugin.kernels && loadKernels(plugin.kernels.url, host.arena.memory),
      history: host.world.interactions.history(host.scale),
      events: plugin.learnsEvents ? host.world.events.history(host.scale) : NO_EVENTS,
      random: this.#random,
      scratch: (bytes) => this.scratch(bytes),
      touch: onTouch,
      reset: (name, row) => {
        const start = this.#starts.find((candidate) => candidate.name === name);
        if (!start) throw new TypeError(`${plugin.name} has no table ${name} of users or items`);
        start.table.clear(row);
        start.fill(row);
      },
    });
    requireEventParts(plugin, this.#learner);
  }

  /** A new model. `onTouch` hears of rows that events change by sampling. */
  static create(
    host: ModelHost,
    plugin: Plugin,
    spec: ModelSpec,
    window: number,
    onTouch: OnTouch = () => {},
  ): WritableModel {
    return new WritableModel(host, plugin, makeTables(host.arena, plugin, spec, window), onTouch);
  }

  /** A model whose tables were made by `makeTables`, and no other thread writes. */
  static attach(host: ModelHost, plugin: Plugin, descriptor: ModelDescriptor): WritableModel {
    return new WritableModel(host, plugin, descriptor, () => {});
  }

  /** Gives all its memory back, once no reader can see it any more. It must not be used afterwards. */
  drop(reclaimer: Reclaimer): void {
    dropTables(this.arena, this.descriptor, reclaimer);
    this.release();
  }

  get learner(): ReturnType<Plugin['learner']> {
    return this.#learner;
  }

  /** Gives every user and item of the world a row, with the values that it starts with. */
  grow(): void {
    for (const { table, ids, fill } of this.#starts) {
      const { rows } = table;
      if (rows === ids.rows) continue;
      table.grow(ids.rows);
      for (let row = rows; row < ids.rows; row++) fill(row);
    }
  }

  /** Keys the draws of the next event, and counts it. */
  nextEvent(): void {
    this.#random.key(this.descriptor.config.seed, this.prequential.events);
    this.prequential.countEvent();
  }
}

/** Makes the tables of a model, without users and items. Throws PLUGIN_INVALID, MEMORY_FULL. */
export function makeTables(arena: Arena, plugin: Plugin, spec: ModelSpec, window: number): ModelDescriptor {
  const specs = requireTableSpecs(plugin.name, plugin.tables(spec.config));
  const tables: Record<string, TableDescriptor> = {};
  for (const [name, { index, columns }] of Object.entries(specs)) {
    const table = Table.create(arena, columns);
    if (index === 'model') table.grow(1);
    tables[name] = table.descriptor;
  }
  return { ...spec, tables, prequential: Prequential.create(arena, window).descriptor };
}

/** Gives the memory of a model's tables back, once no reader can see it any more; nobody may write them now. */
export function dropTables(arena: Arena, { tables, prequential }: ModelDescriptor, reclaimer: Reclaimer): void {
  const retire = (address: number, bytes: number) => reclaimer.retire(address, bytes);
  for (const table of Object.values(tables)) new Table(arena, table).drop(retire);
  new Prequential(arena, prequential).drop(retire);
}

/** Refuses, with PLUGIN_INVALID, a plugin that would be deaf to events without knowing it. */
function requireEventParts({ name, learnsEvents }: Plugin, { learnEvent }: Learner): void {
  if ((learnsEvents === true) === (learnEvent !== undefined)) return;
  const fault = learnsEvents
    ? 'says learnsEvents, and its learner has no learnEvent'
    : 'has learnEvent, and does not say learnsEvents';
  throw new AccreteError('PLUGIN_INVALID', `Plugin ${name} ${fault}: give it both or neither`);
}

/** Hears of a row that an event changed by sampling. */
export type OnTouch = (table: string, row: number) => void;

/** How the rows of a table of users or items start. */
interface Start {
  readonly name: string;
  readonly table: Table;
  readonly ids: Ids;
  /** Draws what is drawn of a row; the rest of it must be zero. */
  readonly fill: (row: number) => void;
}

function startsOf(specs: TableSpecs, tables: Readonly<Record<string, Table>>, host: ModelHost, seed: number): Start[] {
  const { users, items } = host.world;
  const kernels = loadHostKernels(host.arena.memory);
  // The world of a model that is being loaded lies in a memory of its own.
  const idKernels = loadHostKernels(host.world.arena.memory);
  return Object.entries(specs).flatMap(([name, { index, columns }]) => {
    if (index === 'model') return [];
    const table = tables[name];
    const ids = index === 'user' ? users : items;
    const random = Object.entries(columns).flatMap(([columnName, { width, initialSd }]) =>
      initialSd === undefined
        ? []
        : [{ at: table.column(columnName), width, sd: initialSd, key: columnKey(seed, name, columnName) }],
    );
    const fill = (row: number) => {
      const { address, length } = ids.place(row);
      for (const { at, width, sd, key } of random) {
        kernels.fillNormal(at(row), width, idKernels.xxh64(address, length, key), sd);
      }
    };
    return [{ name, table, ids, fill }];
  });
}

/** A key for the draws of one column: FNV-1a (64 bit) of its name and the model's seed. */
function columnKey(seed: number, table: string, column: string): bigint {
  let key = 0xcbf2_9ce4_8422_2325n;
  for (const byte of Buffer.from(`${seed}/${table}/${column}`))
    key = BigInt.asUintN(64, (key ^ BigInt(byte)) * 0x100_0000_01b3n);
  return key;
}
