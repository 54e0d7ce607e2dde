import {
  type Device,
  type Drift,
  type Learner,
  type Plugin,
  type Query,
  Random,
  type TableSpecs,
  type WritableAddress,
  type WriteTables,
} from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import { NO_EVENTS } from '../memory/events.ts';
import type { Ids } from '../memory/ids.ts';
import { loadHostKernels, loadKernels } from '../memory/kernels/host-kernels.ts';
import type { Reclaimer } from '../memory/readers.ts';
import { Table, type TableDescriptor } from '../memory/table.ts';
import { DeviceMeter } from '../tensor/device-meter.ts';
import { LocalDevice } from '../tensor/local-device.ts';
import { Model, type ModelDescriptor, type ModelHost, stateTablesOf } from './model.ts';
import type { ModelSpec } from './model-spec.ts';
import { Prequential } from './prequential.ts';
import { requireTableSpecs } from './table-specs.ts';

/** A model as the one thread that teaches it holds it. */
export class WritableModel extends Model {
  readonly #host: ModelHost;
  readonly #learner: ReturnType<Plugin['learner']>;
  readonly #random = new Random();
  /** Hears of drift that the model found with the event that it learns. */
  onDrift: (drift: Drift) => void = () => {};
  readonly #starts: readonly Start[];
  /** What was expected last, and of whom: whoever has it as an input asks what its teacher asks. */
  readonly #expected = { user: -1, item: -1, time: Number.NaN, value: Number.NaN };

  private constructor(host: ModelHost, plugin: Plugin, descriptor: ModelDescriptor, onTouch: OnTouch) {
    super(host, plugin, descriptor);
    const specs = plugin.tables(descriptor.config);
    this.#host = host;
    this.#starts = startsOf(specs, this.tables, host, descriptor.config.seed);
    this.#learner = plugin.learner({
      ...this.#writing(),
      random: this.#random,
      inputs: this.inputs,
      scratch: (bytes) => this.scratch(bytes),
      touch: (name, row) => {
        this.tables[name].touch(row);
        onTouch(name, row);
      },
      tell: (drift) => this.onDrift(drift),
    });
    requireEventParts(plugin.name, this.learnsEvents, this.#learner);
  }

  /** A new model. `onTouch` hears of rows that events change by sampling. */
  static create(
    host: ModelHost,
    plugin: Plugin,
    spec: ModelSpec,
    window: number,
    onTouch: OnTouch = () => {},
    version = '1',
  ): WritableModel {
    return new WritableModel(host, plugin, makeTables(host.arena, plugin, spec, window, version), onTouch);
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

  /** Another model with all that this one has learned, in new tables. Throws MEMORY_FULL. */
  copyTo(host: ModelHost, descriptor: ModelDescriptor): WritableModel {
    const from = this.stateTables();
    for (const [name, table] of Object.entries(stateTablesOf(host.arena, descriptor))) table.copy(from[name]);
    return WritableModel.attach(host, this.plugin, descriptor);
  }

  override expect(query: Query, item: number): number {
    const { user, time } = query;
    const last = this.#expected;
    if (last.user === user && last.item === item && last.time === time) return last.value;
    last.value = super.expect(query, item);
    last.user = user;
    last.item = item;
    last.time = time;
    return last.value;
  }

  /** It, or what it has as an input, may expect something else from here on. */
  forgetExpected(): void {
    this.#expected.time = Number.NaN;
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

  /** Zeroes what it keeps of a user who is forgotten. */
  clearUser(user: number): void {
    for (const { name, table } of this.#starts) {
      if (this.plugin.tables(this.descriptor.config)[name].index === 'user' && user < table.rows) table.clear(user);
    }
  }

  /** Keys the draws of the next event, which is of this user and item, and counts it. */
  nextEvent(user: number, item: number): void {
    this.touch(user, item);
    this.forgetExpected();
    this.#random.key(this.descriptor.config.seed, this.prequential.events);
    this.prequential.countEvent();
  }

  /**
   * Trains the model anew on all live ratings of its world, from the tables as they are; what it says is the share done.
   * Nobody may teach it, or change the world, until it has ended or was left off, and nobody should read a model that is
   * half way. Throws CAPABILITY_MISSING, MEMORY_FULL, DEVICE_FULL.
   */
  async *refit(seed: number, device: Device = hereOnly()): AsyncGenerator<number, void, void> {
    const { plugin } = this;
    if (!plugin.refit) throw cannotRefit(this.name, plugin.name);
    this.grow();
    const { users, items } = this.#host.world;
    const random = new Random();
    random.key(seed, 0);
    const blocks: { readonly address: number; readonly bytes: number }[] = [];
    const scratch = (bytes: number) => {
      const address = this.arena.allocate(bytes) as WritableAddress;
      blocks.push({ address, bytes });
      return address;
    };
    try {
      yield* plugin.refit({ ...this.#writing(), users: users.rows, items: items.rows, random, scratch, device });
    } finally {
      for (const { address, bytes } of blocks) this.arena.free(address, bytes);
    }
  }

  /** Makes anew what follows from tables that were fused; who may not touch the model meanwhile: as in a refit. */
  settle(): void {
    const { users, items } = this.#host.world;
    const fusion = this.plugin.fusion?.(this.descriptor.config);
    if (typeof fusion === 'object') fusion.settle?.({ ...this.#writing(), users: users.rows, items: items.rows });
  }

  /** What whoever writes the tables is given. */
  #writing() {
    const { plugin, descriptor } = this;
    const { arena, world, scale } = this.#host;
    return {
      config: descriptor.config,
      tables: this.tables as WriteTables<TableSpecs>,
      memory: arena,
      kernels: plugin.kernels && loadKernels(plugin.kernels.url, arena.memory),
      history: world.interactions.history(scale),
      events: this.learnsEvents ? world.events.history(scale) : NO_EVENTS,
      append: (name: string) => {
        const pool = this.tables[name];
        const { rows } = pool;
        pool.grow(rows + 1);
        return rows;
      },
      reset: (name: string, row: number) => {
        const start = this.#starts.find((candidate) => candidate.name === name);
        if (!start) throw new TypeError(`${plugin.name} has no table ${name} of users or items`);
        start.table.clear(row);
        start.fill(row);
      },
    };
  }
}

/** As much as the tables may take that a refit works on. */
const DEVICE_BYTES = 2 ** 32;

function hereOnly(): Device {
  return new LocalDevice(DEVICE_BYTES, new DeviceMeter());
}

function cannotRefit(model: string, plugin: string): AccreteError {
  const message = `Model ${model} cannot be refitted: its plugin ${plugin} has no refit; name a model that says so in its capabilities`;
  return new AccreteError('CAPABILITY_MISSING', message, { metadata: { model, capability: 'refit' } });
}

/** Makes the tables of a model, without users and items. Throws PLUGIN_INVALID, MEMORY_FULL. */
export function makeTables(
  arena: Arena,
  plugin: Plugin,
  spec: ModelSpec,
  window: number,
  version = '1',
): ModelDescriptor {
  const specs = requireTableSpecs(plugin.name, plugin.tables(spec.config));
  const tables: Record<string, TableDescriptor> = {};
  for (const [name, { index, columns }] of Object.entries(specs)) {
    const table = Table.create(arena, columns);
    if (index === 'model') table.grow(1);
    tables[name] = table.descriptor;
  }
  return { ...spec, version, tables, prequential: Prequential.create(arena, window).descriptor };
}

/** Gives the memory of a model's tables back, once no reader can see it any more; nobody may write them now. */
export function dropTables(arena: Arena, { tables, prequential }: ModelDescriptor, reclaimer: Reclaimer): void {
  const retire = (address: number, bytes: number) => reclaimer.retireState(address, bytes);
  for (const table of Object.values(tables)) new Table(arena, table).drop(retire);
  new Prequential(arena, prequential).drop(retire);
}

/** Refuses, with PLUGIN_INVALID, a plugin that would be deaf to events without knowing it. */
function requireEventParts(name: string, learnsEvents: boolean, { learnEvent }: Learner): void {
  if (learnsEvents === (learnEvent !== undefined)) return;
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
    if (index === 'model' || index === 'pool') return [];
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
