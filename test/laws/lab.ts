import { type Contribution, NO_ROW, type Plugin, type WritableAddress } from '../../plugins/contract/index.ts';
import { configSchema } from '../../server/config/schema.ts';
import { Arena } from '../../server/memory/arena.ts';
import { TextKey } from '../../server/memory/ids.ts';
import { type HostKernels, loadHostKernels } from '../../server/memory/kernels/host-kernels.ts';
import { Scale } from '../../server/memory/scale.ts';
import { WritableWorld } from '../../server/memory/world.ts';
import { joined, modelsBehind } from '../../server/models/inputs.ts';
import { Peers } from '../../server/models/peers.ts';
import { type ResolvedModel, resolveModels } from '../../server/models/plugins.ts';
import { WritableModel } from '../../server/models/writable-model.ts';
import { Teacher } from '../../server/teaching/teacher.ts';

/** A server's memory, one model with its inputs and its teacher, in process: no wire, no disk, no threads. */

/** A rating, an event of another kind, or a retraction. */
export interface Rating {
  readonly user: string;
  readonly item: string;
  /** The kind of event; left out: a rating. */
  readonly kind?: string;
  /** On the deployment's scale; a retraction and an event need none. */
  readonly value?: number;
  readonly weight?: number;
  /** Whole seconds since 1970. */
  readonly time?: number;
  readonly retract?: boolean;
}

export interface LabOptions {
  readonly scale?: Scale;
  readonly budgetMiB?: number;
  /** Measures the ranking of one event in so many; 0: of none. */
  readonly rankEvery?: number;
  /** The revision before the first rating's. */
  readonly revision?: number;
  /** The models among which inputs are found, other than those of a server by default. */
  readonly neighbours?: readonly ResolvedModel[];
  /** Taught to the world before there is a model. */
  readonly before?: readonly Rating[];
}

/** What the kinds of events mean in a lab. */
const KINDS = {
  click: { weight: 0.2, hides: false },
  buy: { weight: 3, hides: true },
  view: { weight: 1, hides: false, exposure: true },
};
const MIB = 2 ** 20;
const WINDOW = 1000;
const SECOND_BIRTHDAY = 1_000_000_000;
/** The models of a server that is configured with nothing: what plugins have as inputs is found among them. */
const NEIGHBOURS = (await resolveModels(configSchema.parse({}).models)).map((resolved) => joined(resolved));

export class Lab {
  readonly arena: Arena;
  readonly kernels: HostKernels;
  readonly world: WritableWorld;
  readonly model: WritableModel;
  /** What the model has as inputs, as far as a server has it by default. */
  readonly inputs: readonly WritableModel[];
  /** What the last event changed by sampling. */
  readonly touched: { readonly table: string; readonly row: number }[] = [];
  readonly #teacher: Teacher;
  readonly #user = new TextKey();
  readonly #item = new TextKey();
  readonly #kind = new TextKey();
  readonly #scores: number;
  readonly #scoresMax: number;
  #revision: number;

  constructor(plugin: Plugin, config: { readonly seed: number }, options: LabOptions = {}) {
    const { scale = new Scale(1, 5), budgetMiB = 64, rankEvery = 0, revision = 0, before = [] } = options;
    const neighbours = options.neighbours?.map((resolved) => joined(resolved)) ?? NEIGHBOURS;
    this.arena = Arena.create(budgetMiB * MIB);
    this.kernels = loadHostKernels(this.arena.memory);
    this.world = WritableWorld.create(this.arena, 1);
    this.world.kinds.configure(KINDS);
    this.#revision = revision;
    const host = { arena: this.arena, world: this.world, scale, peers: new Peers() };
    const teaching = {
      rankEvery,
      onQuarantine: (_model: WritableModel, why: unknown) => {
        throw why;
      },
    };
    this.#teacher = new Teacher(host, this.kernels, [], teaching);
    for (const rating of before) this.teach(rating);
    const spec = { namespace: '', name: plugin.name, plugin: plugin.name, config };
    const onTouch = (table: string, row: number) => this.touched.push({ table, row });
    this.model = WritableModel.create(host, plugin, spec, WINDOW, onTouch);
    this.inputs = modelsBehind([joined({ plugin, spec })], neighbours).map(({ resolved }) =>
      WritableModel.create(host, resolved.plugin, resolved.spec, WINDOW),
    );
    this.#teacher = new Teacher(host, this.kernels, [this.model, ...this.inputs], teaching);
    this.#teacher.grow();
    this.#scoresMax = MIB;
    this.#scores = this.arena.allocate(4 * this.#scoresMax);
  }

  teach(rating: Rating): void {
    const { kind = '', weight = 1, time = SECOND_BIRTHDAY, retract = false } = rating;
    const value = rating.value ?? (kind === '' ? 0 : Number.NaN);
    this.touched.length = 0;
    this.#user.set(rating.user);
    this.#item.set(rating.item);
    this.#kind.set(kind);
    const revision = ++this.#revision;
    this.#teacher.teach({
      user: this.#user,
      item: this.#item,
      kind: this.#kind,
      retract,
      value,
      weight,
      seconds: time,
      nanos: 0,
      revision,
    });
    if (revision % WINDOW === 0) this.world.reclaimer.collect();
  }

  teachAll(ratings: Iterable<Rating>): this {
    for (const rating of ratings) this.teach(rating);
    return this;
  }

  /** What the model expected for the last rating taught. */
  get expected(): number {
    return this.#teacher.predictions[0];
  }

  userRow(id: string): number {
    this.#user.set(id);
    const row = this.world.users.find(this.#user);
    return row < 0 ? NO_ROW : row;
  }

  itemRow(id: string): number {
    this.#item.set(id);
    const row = this.world.items.find(this.#item);
    return row < 0 ? NO_ROW : row;
  }

  /** On the scale 1..5, unclipped; NaN when the model does not predict. */
  predict(user: string, item: string, time = SECOND_BIRTHDAY): number {
    return this.model.scorer.predict?.({ user: this.userRow(user), time }, this.itemRow(item)) ?? Number.NaN;
  }

  /** Scores of the item rows of `spans`, pairs of (from, to). */
  score(user: number, spans: readonly number[], time = SECOND_BIRTHDAY): Float32Array {
    return this.#read(spans, (...asked) => this.model.scorer.score({ user, time }, ...asked));
  }

  /** The same by a further ranking. */
  head(name: string, user: number, spans: readonly number[], time = SECOND_BIRTHDAY): Float32Array {
    return this.#read(spans, (...asked) => this.model.scorer.heads?.[name]({ user, time }, ...asked));
  }

  /** The same, were the user's ratings of the items `rated` taken back; empty when the model does not say. */
  without(user: number, rated: readonly number[], spans: readonly number[], time = SECOND_BIRTHDAY): Float32Array {
    const { scorer } = this.model;
    const rows = Uint32Array.from(rated);
    if (!scorer.without) return new Float32Array();
    return this.#read(spans, (...asked) => scorer.without?.({ user, time }, rows, ...asked));
  }

  /** How alike the item rows of `spans` are to `item`; empty when the model does not say. */
  similar(item: number, spans: readonly number[]): Float32Array {
    const { scorer } = this.model;
    return scorer.similar ? this.#read(spans, (...asked) => scorer.similar?.(item, ...asked)) : new Float32Array();
  }

  /** Scores for someone unknown who looked at `items`; empty when the model does not rank by that. */
  session(items: readonly number[], spans: readonly number[], time = SECOND_BIRTHDAY): Float32Array {
    const { scorer } = this.model;
    const session = { items: Uint32Array.from(items), time };
    return scorer.session ? this.#read(spans, (...asked) => scorer.session?.(session, ...asked)) : new Float32Array();
  }

  /** What adds up to the score of an item; empty when the model does not say. */
  explain(user: number, item: number, time = SECOND_BIRTHDAY): readonly Contribution[] {
    return this.model.scorer.explain?.({ user, time }, item) ?? [];
  }

  /** What the factors of all items and those of `user` multiply to, with the biases; undefined when the user has none. */
  products(user: number, time = SECOND_BIRTHDAY): Float64Array | undefined {
    const { factors } = this.model.scorer;
    const at = factors?.ofUser({ user, time });
    if (!factors || at === undefined) return undefined;
    const { f32: floats } = this.arena;
    const own = floats.slice(at >>> 2, (at >>> 2) + factors.width);
    return Float64Array.from({ length: this.model.items }, (_, item) => {
      const start = factors.ofItem(item) >>> 2;
      return own.reduce((sum, value, f) => sum + value * floats[start + f], floats[factors.biasOf(item) >>> 2]);
    });
  }

  /** What scores may be at best; empty when the model does not draw them. */
  hopes(user: number, spans: readonly number[], time = SECOND_BIRTHDAY): Float32Array {
    const { explores } = this.model.scorer;
    if (explores?.by !== 'posterior') return new Float32Array();
    return this.#read(spans, (...asked) => explores.hope({ user, time }, ...asked));
  }

  /** What is believed of an item's score, at these quantiles. */
  quantiles(user: number, item: number, z: Float64Array, time = SECOND_BIRTHDAY): Float64Array {
    const { explores } = this.model.scorer;
    const out = new Float64Array(z.length);
    if (explores?.by === 'posterior') explores.quantiles({ user, time }, Uint32Array.of(item), z, out);
    return out;
  }

  /** A copy of an item's vector; empty when the model has none. */
  vector(item: number): Float32Array {
    const { vectors } = this.model.scorer;
    if (!vectors) return new Float32Array();
    const at = vectors.of(item) >>> 2;
    return this.arena.f32.slice(at, at + vectors.width);
  }

  #read(
    spans: readonly number[],
    write: (spans: Uint32Array, spanCount: number, out: WritableAddress) => void,
  ): Float32Array {
    const count = spans.reduce((sum, row, n) => (n % 2 === 0 ? sum - row : sum + row), 0);
    if (count > this.#scoresMax) throw new RangeError(`a lab scores at most ${this.#scoresMax} items at a time`);
    write(Uint32Array.from(spans), spans.length / 2, this.#scores as WritableAddress);
    return this.arena.f32.slice(this.#scores >>> 2, (this.#scores >>> 2) + count);
  }

  /** Every byte of the model's tables, in one number. */
  get hash(): string {
    return this.model.hashes(this.kernels).all;
  }

  figure(metric: string): number {
    return (
      this.model.prequential.figures().find((f) => f.metric === metric && f.window === 'total')?.value ?? Number.NaN
    );
  }
}
