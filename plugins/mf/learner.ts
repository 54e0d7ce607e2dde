import type { LearnContext, Learner, Rated, RatingEvent, WritableAddress } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import { optimiserStep, plainStep, projected, type Step, type WritableTable } from './optimiser.ts';
import { NOWHERE, predictor } from './predictor.ts';
import { Side } from './side.ts';
import { type Standing, standing } from './standing.ts';
import type { MfTables } from './tables.ts';

type Context = LearnContext<MfConfig, MfTables, MfKernels>;

/** What there is for users and for items alike. */
interface Half {
  readonly name: 'users' | 'items';
  /** How its rows learn a rating, and how they learn a past one again. */
  readonly live: Side;
  readonly replayed: Side;
  readonly vectorOf: (row: number) => WritableAddress;
  readonly ratingsOf: (row: number) => WritableAddress;
  /** Of a row: how many live ratings it has, and which they are. */
  readonly count: (row: number) => number;
  readonly rating: (row: number, n: number) => number;
  /** Of a rating: the row on the other side. */
  readonly otherOf: (rating: number) => number;
}

export class FactorLearner implements Learner {
  readonly #context: Context;
  readonly #expect: (user: number, item: number) => number;
  readonly #users: Half;
  readonly #items: Half;
  readonly #frozen: boolean;
  readonly #standing: Standing;
  /** Of the mean: indexes into the f64 view. */
  readonly #sum: number;
  readonly #weight: number;
  /** The user's vector as it was before its step. */
  readonly #before: WritableAddress;

  constructor(context: Context) {
    const { config, tables, memory, kernels, history, scratch } = context;
    this.#context = context;
    this.#expect = predictor(config, tables, memory, kernels);
    const byUser = { count: history.userCount, rating: history.ofUser, otherOf: history.item };
    const byItem = { count: history.itemCount, rating: history.ofItem, otherOf: history.user };
    this.#users = { ...sides(context, 'users', config.bias.userFloor), ...byUser };
    this.#items = { ...sides(context, 'items', config.bias.itemFloor), ...byItem };
    this.#frozen = config.freeze === 'items';
    this.#standing = standing(context);
    this.#sum = tables.model.column('sum')(0) >>> 3;
    this.#weight = tables.model.column('weight')(0) >>> 3;
    this.#before = scratch(4 * Math.max(1, config.k));
  }

  learn(event: RatingEvent): void {
    const { user, item, value, weight, previous } = event;
    this.#stepBoth('live', user, item, value, weight);
    this.#average(event, 1);
    if (previous) {
      this.#average(previous, -1);
    } else {
      this.#count(this.#users, user, 1);
      this.#count(this.#items, item, 1);
      this.#standing.rank(item);
    }
    if (this.#context.config.replay.scope === 'local') this.#replayLocal(user, item);
    else this.#replayUniform(user, item);
    this.#standing.place(item);
  }

  /** What both rows have learned is derived anew from the ratings that remain. */
  retract(event: RatingEvent): void {
    const { user, item } = event;
    this.#average(event, -1);
    this.#relearn(this.#users, user);
    if (this.#frozen) this.#count(this.#items, item, -1);
    else this.#relearn(this.#items, item);
    this.#standing.rank(item);
    this.#standing.place(item);
  }

  /** Past ratings of the user and of the item, in turn; each moves that row alone. */
  #replayLocal(user: number, item: number): void {
    const { config, history, random } = this.#context;
    for (let n = 0; n < config.replay.count; n++) {
      const half = n % 2 === 0 ? this.#users : this.#items;
      const row = n % 2 === 0 ? user : item;
      const count = half.count(row);
      if (count === 0 || (this.#frozen && half === this.#items)) continue;
      const rating = half.rating(row, random.below(count));
      // A rating that is being replaced is no longer true.
      if (history.user(rating) !== user || history.item(rating) !== item) this.#stepOne(half, 'replayed', row, rating);
    }
  }

  /** Any past ratings, each moving both of its rows. */
  #replayUniform(user: number, item: number): void {
    const { config, history, random, touch } = this.#context;
    for (let n = 0; n < config.replay.count && history.rows > 0; n++) {
      const rating = random.below(history.rows);
      const weight = history.weight(rating);
      const pastUser = history.user(rating);
      const pastItem = history.item(rating);
      if (weight === 0 || (pastUser === user && pastItem === item)) continue;
      touch('users', pastUser);
      touch('items', pastItem);
      this.#stepBoth('replayed', pastUser, pastItem, history.value(rating), weight);
      this.#standing.place(pastItem);
    }
  }

  /**
   * Takes a row back to its first values and learns its latest live ratings again, and then as often as each would have
   * been replayed by now, on average; the other side is only read.
   */
  #relearn(half: Half, row: number): void {
    const { config, memory, reset } = this.#context;
    const count = half.count(row);
    const first = Math.max(0, count - config.relearn);
    reset(half.name, row);
    for (let n = first; n < count; n++) {
      this.#stepOne(half, 'live', row, half.rating(row, n));
      this.#count(half, row, 1);
    }
    for (let pass = 0; pass < Math.ceil(config.replay.count / 2); pass++)
      for (let n = first; n < count; n++) this.#stepOne(half, 'replayed', row, half.rating(row, n));
    memory.u32[half.ratingsOf(row) >>> 2] = count;
  }

  /** Both rows step from where they were. Together they take away the whole error at most, whatever the weight. */
  #stepBoth(rule: 'live' | 'replayed', user: number, item: number, value: number, weight: number): void {
    const { memory, config } = this.#context;
    const users = this.#users[rule];
    const items = this.#items[rule];
    const p = this.#users.vectorOf(user);
    const q = this.#items.vectorOf(item);
    const pp = this.#square(p);
    const qq = this.#square(q);
    const error = value - this.#expect(user, item);
    const scale = Math.min(weight, 1 / (users.reach(user, qq) + (this.#frozen ? 0 : items.reach(item, pp))));
    memory.f32.copyWithin(this.#before >>> 2, p >>> 2, (p >>> 2) + config.k);
    users.move(user, q, qq, scale, error);
    if (!this.#frozen) items.move(item, this.#before, pp, scale, error);
  }

  /** One row steps toward a past rating, and the other side is read. */
  #stepOne(half: Half, rule: 'live' | 'replayed', row: number, rating: number): void {
    const { history } = this.#context;
    const other = half.otherOf(rating);
    const ofUser = half === this.#users;
    const vector = (ofUser ? this.#items : this.#users).vectorOf(other);
    const square = this.#square(vector);
    const error = history.value(rating) - (ofUser ? this.#expect(row, other) : this.#expect(other, row));
    const scale = Math.min(history.weight(rating), 1 / half[rule].reach(row, square));
    half[rule].move(row, vector, square, scale, error);
  }

  /** Counts a rating into, or out of, the mean. */
  #average({ value, weight }: Rated, sign: 1 | -1): void {
    const { f64: doubles } = this.#context.memory;
    doubles[this.#sum] += sign * weight * (value - 3);
    doubles[this.#weight] += sign * weight;
  }

  #count(half: Half, row: number, more: 1 | -1): void {
    this.#context.memory.u32[half.ratingsOf(row) >>> 2] += more;
  }

  #square(vector: WritableAddress): number {
    const { config, kernels } = this.#context;
    return kernels.dot(vector, vector, config.k);
  }
}

function sides({ config, tables, memory, kernels }: Context, name: 'users' | 'items', floor: number) {
  const { k, eta, l2, optimiser, mu, scaled, normalise, bias, replay } = config;
  const table: WritableTable = tables[name];
  const vectorOf = k === 0 ? () => NOWHERE as WritableAddress : table.column('vector');
  const bounded = (step: Step) => projected(step, kernels, memory, vectorOf, k);
  const heavy = optimiser === 'momentum';
  const live = new Side(memory, table, {
    biasStep: bias.enabled ? (ratings) => Math.max(floor, 1 / (ratings + 4)) : () => 0,
    eta: heavy && scaled ? eta * (1 - mu) : eta,
    l2,
    normalise,
    carry: heavy ? 1 / (1 - Math.abs(mu)) : 1,
    step: bounded(optimiserStep(config, kernels, memory, table)),
  });
  const replayed = new Side(memory, table, {
    biasStep: () => (bias.enabled ? replay.biasStep : 0),
    eta: replay.eta,
    l2: replay.l2,
    normalise,
    carry: 1,
    step: bounded(plainStep(kernels, vectorOf, k, replay.l2)),
  });
  return { name, live, replayed, vectorOf, ratingsOf: table.column('ratings') };
}
