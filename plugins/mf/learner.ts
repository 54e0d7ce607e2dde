import { type Address, type Column, type LearnContext, type Learner, ln, type Rated, type RatingEvent, type WritableAddress } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { Descent } from './descent.ts';
import { expectation, noVector } from './expected.ts';
import type { MfKernels } from './kernels.ts';
import { optimiserStep, plainStep, type WritableTable } from './optimiser.ts';
import type { MfTables } from './tables.ts';

type Context = LearnContext<MfConfig, MfTables, MfKernels>;

/** One side of ratings: users, or items. */
interface Side {
  readonly name: 'users' | 'items';
  readonly vectorOf: Column;
  readonly ratingsOf: Column<WritableAddress>;
  /** How its rows learn a rating, and learn it again. */
  readonly learning: Descent;
  readonly replaying: Descent;
}

/** Width of the scale 1..5: the largest error of a prediction on it. */
const WIDTH = 4;

export class FactorLearner implements Learner {
  readonly #context: Context;
  readonly #users: Side;
  readonly #items: Side;
  readonly #expected: (user: number, item: number) => number;
  readonly #old: WritableAddress;
  readonly #sum: number;
  readonly #weight: number;
  readonly #biasOf: Column;
  readonly #rankOf: Column<WritableAddress>;

  constructor(context: Context) {
    const { config, tables, scratch } = context;
    this.#context = context;
    this.#users = createSide(context, 'users', config.bias.userFloor);
    this.#items = createSide(context, 'items', config.bias.itemFloor);
    this.#expected = expectation(context);
    this.#old = scratch(4 * Math.max(1, config.factors));
    this.#sum = tables.model.column('sum')(0) >>> 3;
    this.#weight = tables.model.column('weight')(0) >>> 3;
    this.#biasOf = tables.items.column('bias');
    this.#rankOf = tables.items.column('rank');
  }

  learn(event: RatingEvent): void {
    const { user, item, value, weight, previous } = event;
    this.#stepBoth('learning', user, item, value, weight);
    this.#addToMean(1, event);
    if (previous) {
      this.#addToMean(-1, previous);
    } else {
      this.#count(this.#users, user, 1);
      this.#count(this.#items, item, 1);
    }
    if (this.#context.config.replay.scope === 'local') this.#replayOwn(user, item);
    else this.#replayAny(user, item);
    this.#rank(item);
  }

  /** See `plugin.ts` for what is promised. */
  retract(event: RatingEvent): void {
    const { user, item } = event;
    this.#addToMean(-1, event);
    this.#relearnUser(user);
    this.#count(this.#items, item, -1);
    this.#rank(item);
  }

  #replayOwn(user: number, item: number): void {
    const { history, random, config } = this.#context;
    const frozen = config.freeze === 'items';
    for (let n = 0; n < config.replay.count; n++) {
      const own = n % 2 === 0;
      const count = own ? history.userCount(user) : history.itemCount(item);
      if (count === 0 || (frozen && !own)) continue;
      const past = random.below(count);
      const row = own ? history.ofUser(user, past) : history.ofItem(item, past);
      const [pastUser, pastItem] = [history.user(row), history.item(row)];
      // The rating that is being replaced is no longer true.
      if (pastUser === user && pastItem === item) continue;
      this.#stepOne('replaying', own, pastUser, pastItem, history.value(row), history.weight(row));
    }
  }

  #replayAny(user: number, item: number): void {
    const { history, random, config, touch } = this.#context;
    if (history.rows === 0) return;
    for (let n = 0; n < config.replay.count; n++) {
      const row = random.below(history.rows);
      const weight = history.weight(row);
      if (weight === 0) continue;
      const [pastUser, pastItem] = [history.user(row), history.item(row)];
      if (pastUser === user && pastItem === item) continue;
      touch('users', pastUser);
      touch('items', pastItem);
      this.#stepBoth('replaying', pastUser, pastItem, history.value(row), weight);
      this.#rank(pastItem);
    }
  }

  /** Learns the user's live ratings again from the row's first values, in order; items are only read. */
  #relearnUser(user: number): void {
    const { history, config, reset, memory } = this.#context;
    reset('users', user);
    const count = history.userCount(user);
    const first = Math.max(0, count - config.relearn);
    memory.u32[this.#users.ratingsOf(user) >>> 2] = first;
    for (let n = first; n < count; n++) {
      const row = history.ofUser(user, n);
      this.#stepOne('learning', true, user, history.item(row), history.value(row), history.weight(row));
      this.#count(this.#users, user, 1);
    }
  }

  /** A step of both rows toward a rating. Together they take away no more than the whole error. */
  #stepBoth(rule: 'learning' | 'replaying', user: number, item: number, value: number, weight: number): void {
    const { kernels, config, memory } = this.#context;
    const k = config.factors;
    const frozen = config.freeze === 'items';
    const p = this.#users.vectorOf(user);
    const q = this.#items.vectorOf(item);
    const users = this.#users[rule];
    const items = this.#items[rule];
    const userSquare = kernels.dot(p, p, k);
    const itemSquare = kernels.dot(q, q, k);
    const error = value - this.#expected(user, item);
    const reach = users.reach(user, itemSquare) + (frozen ? 0 : items.reach(item, userSquare));
    const scale = weight / Math.max(1, weight * reach);
    memory.f32.copyWithin(this.#old >>> 2, p >>> 2, (p >>> 2) + k);
    users.move(user, q, itemSquare, scale, error);
    if (!frozen) items.move(item, this.#old, userSquare, scale, error);
  }

  /** A step of the user's row (`own`), or of the item's. */
  #stepOne(rule: 'learning' | 'replaying', own: boolean, user: number, item: number, value: number, weight: number): void {
    const { kernels, config } = this.#context;
    const side = (own ? this.#users : this.#items)[rule];
    const row = own ? user : item;
    const other: Address = own ? this.#items.vectorOf(item) : this.#users.vectorOf(user);
    const square = kernels.dot(other, other, config.factors);
    const scale = weight / Math.max(1, weight * side.reach(row, square));
    side.move(row, other, square, scale, value - this.#expected(user, item));
  }

  #addToMean(sign: 1 | -1, { value, weight }: Rated): void {
    const doubles = this.#context.memory.f64;
    doubles[this.#sum] += sign * weight * value;
    doubles[this.#weight] += sign * weight;
  }

  #count(side: Side, row: number, more: 1 | -1): void {
    this.#context.memory.u32[side.ratingsOf(row) >>> 2] += more;
  }

  #rank(item: number): void {
    const { memory, config } = this.#context;
    const ratings = memory.u32[this.#items.ratingsOf(item) >>> 2];
    const W = Number(process.env.WB ?? 1);
    memory.f32[this.#rankOf(item) >>> 2] = W * memory.f32[this.#biasOf(item) >>> 2] + config.popularity * ln(1 + ratings);
  }
}

function createSide(context: Context, name: 'users' | 'items', floor: number): Side {
  const { config, tables, kernels, memory } = context;
  const { factors, bias, optimiser, momentum, replay } = config;
  const table: WritableTable = tables[name];
  const vectorOf = factors > 0 ? table.column('vector') : (noVector as Column<WritableAddress>);
  const { rate = RATES[optimiser] } = config;
  const mu = optimiser === 'momentum' ? momentum.coefficient : 0;
  const learning = new Descent(memory, table, {
    biasStep: bias.enabled ? (ratings) => Math.max(floor, 1 / (ratings + 4)) : () => 0,
    rate: optimiser === 'momentum' && momentum.scaled ? rate * (1 - mu) : rate,
    l2: config.l2,
    normalise: config.normalise,
    carry: 1 / (1 - Math.abs(mu)),
    step: optimiserStep(config, kernels, memory, table),
  });
  const replaying = new Descent(memory, table, {
    biasStep: () => (bias.enabled ? replay.biasRate : 0),
    rate: replay.rate,
    l2: replay.l2,
    normalise: config.normalise,
    carry: 1,
    step: plainStep(kernels, vectorOf, factors, replay.l2),
  });
  return { name, vectorOf, ratingsOf: table.column('ratings'), learning, replaying };
}

const RATES = { sgd: 0.12, momentum: 0.12, adagrad: 0.1, adam: 0.01 };
