import type { DriftDetector, LearnContext, Learner, RatingEvent, WritableAddress } from '../contract/index.ts';
import type { LearningBase, Step as Met, Rule } from './base.ts';
import { baseLearner } from './base-learner.ts';
import type { MfConfig } from './config.ts';
import { type DriftRows, detectorOf, driftRowsOf } from './drift.ts';
import type { MfKernels } from './kernels.ts';
import { meanWriter } from './mean.ts';
import { optimiserStep, plainStep, projected, type Step, type WritableTable } from './optimiser.ts';
import { NOWHERE } from './predictor.ts';
import { SequenceLearner } from './sequence-learner.ts';
import { Side } from './side.ts';
import { type Standing, standing } from './standing.ts';
import type { MfTables } from './tables.ts';

type Context = LearnContext<MfConfig, MfTables, MfKernels>;

/**
 * How much stronger than in a replay vectors are pulled to zero when they are learned again: the vectors that they are
 * learned from know what was taken back, and the nearer a row comes to them, the more of it returns. Of single ratings of
 * MovieLens 100K 65% of the memory goes without it, 74% so, at a test error of .1% more.
 */
const RELEARN_PULL = 1.5;

/** What there is for users and for items alike. */
interface Half {
  readonly name: 'users' | 'items';
  /** How its rows learn a rating, a past one again, and what remains when one was taken back. */
  readonly live: Side;
  readonly replayed: Side;
  readonly relearned: Side;
  readonly vectorOf: (row: number) => WritableAddress;
  readonly ratingsOf: (row: number) => WritableAddress;
  /** Of a row: how many live ratings it has, and which they are. */
  readonly count: (row: number) => number;
  readonly rating: (row: number, n: number) => number;
}

export class FactorLearner implements Learner {
  readonly #context: Context;
  readonly #base: LearningBase;
  readonly #average: ReturnType<typeof meanWriter>;
  readonly #users: Half;
  readonly #items: Half;
  readonly #frozen: boolean;
  readonly #detector: DriftDetector | undefined;
  readonly #drift: DriftRows | undefined;
  readonly #standing: Standing;
  readonly #sequence: SequenceLearner | undefined;
  /** Reused: the rating at hand. */
  readonly #met: Met = { user: 0, item: 0, value: 0, weight: 0, error: 0, reach: 0 };
  /** The user's vector as it was before its step. */
  readonly #before: WritableAddress;
  /** <p, q>, <p, p> and <q, q> of the rating at hand: an index into the f32 view. */
  readonly #products: number;

  constructor(context: Context) {
    const { config, tables, memory, history, scratch } = context;
    this.#context = context;
    this.#base = baseLearner(context);
    this.#average = meanWriter(tables, memory);
    const byUser = { count: history.userCount, rating: history.ofUser };
    const byItem = { count: history.itemCount, rating: history.ofItem };
    this.#users = { ...sides(context, 'users'), ...byUser };
    this.#items = { ...sides(context, 'items'), ...byItem };
    this.#frozen = config.freeze === 'items';
    this.#detector = detectorOf(context);
    this.#drift = driftRowsOf(context);
    this.#standing = standing(context);
    this.#sequence = config.ranking === 'sequence' ? new SequenceLearner(context) : undefined;
    this.#before = scratch(4 * Math.max(1, config.k));
    this.#products = scratch(4 * 3) >>> 2;
  }

  learn(event: RatingEvent): void {
    const { user, item, value, weight, time, previous } = event;
    this.#meetDrift(this.#users, user, event);
    if (!this.#frozen) this.#meetDrift(this.#items, item, event);
    const expected = this.#base.expect(user, item, time);
    this.#average(event, 1);
    if (previous) this.#average(previous, -1);
    this.#stepBoth('live', user, item, value, weight, expected);
    if (this.#detector?.observe(event, this.#users.count(user), this.#met.error))
      this.#context.tell(this.#detector.findings[0]);
    if (!previous) {
      this.#base.arrive(this.#frozen ? 'users' : 'both', user, item, time);
      this.#count(this.#users, user, 1);
      this.#count(this.#items, item, 1);
      this.#standing.rank(item);
    }
    if (this.#context.config.k > 0 || this.#context.config.base === 'biases') this.#replay(user, item);
    this.#standing.place(item);
    // Last, since it draws: what is expected of ratings does not depend on how it is set.
    this.#sequence?.learn(user, item, time);
  }

  /** What both rows have learned is derived anew from the ratings that remain. */
  retract(event: RatingEvent): void {
    const { user, item } = event;
    this.#average(event, -1);
    this.#relearn(this.#users, user, event.order);
    if (this.#frozen) this.#count(this.#items, item, -1);
    else this.#relearn(this.#items, item, event.order);
    this.#standing.rank(item);
    this.#standing.place(item);
    this.#sequence?.retract(user, item);
  }

  /** Before a row learns a rating: if that is its first one since drift was found, it learns again what is from after it. */
  #meetDrift(half: Half, row: number, event: RatingEvent): void {
    const [detector, drift] = [this.#detector, this.#drift];
    if (!detector || !drift || this.#context.config.drift.reopen === 0) return;
    const { name } = half;
    if (detector.count > 0 && drift.drifts(name, row) !== detector.count) {
      const isSuspected = drift.stretch(name, row) === stretchNumber(detector.driftStretch);
      if (half.count(row) > 0) this.#base.reopen(name, row, detector.moved);
      drift.meet(name, row, detector.count, isSuspected ? drift.earlier(name, row) : undefined);
      this.#learnAgain(half, row, drift.before(name, row), event);
    }
    drift.enter(name, row, stretchNumber(detector.stretch));
  }

  /** The ratings of a row from one on, as if they came now. */
  #learnAgain(half: Half, row: number, from: number, { user, item }: RatingEvent): void {
    const { memory, history, config } = this.#context;
    const ratings = half.ratingsOf(row) >>> 2;
    const count = memory.u32[ratings];
    const first = Math.max(from, count - config.relearn);
    if (first >= count) return;
    memory.u32[ratings] = first;
    for (let n = first; n < count; n++) {
      const rating = half.rating(row, n);
      // One that is being replaced is no longer true.
      if (history.user(rating) !== user || history.item(rating) !== item) this.#stepOne(half, 'live', row, rating);
      memory.u32[ratings]++;
    }
  }

  /** How many of the ratings of a row came before one that is gone. */
  #countUntil(half: Half, row: number, order: number): number {
    let [low, high] = [0, half.count(row)];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#context.history.order(half.rating(row, middle)) < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #replay(user: number, item: number): void {
    if (this.#context.config.replay.scope === 'local') this.#replayLocal(user, item);
    else this.#replayUniform(user, item);
  }

  /** Past ratings of the user and of the item, in turn; each moves that row alone. */
  #replayLocal(user: number, item: number): void {
    const { config, history, random } = this.#context;
    for (let n = 0; n < config.replay.count; n++) {
      const half = n % 2 === 0 ? this.#users : this.#items;
      const row = n % 2 === 0 ? user : item;
      const count = half.count(row);
      // What was so before a drift is not gone over again.
      const first = this.#drift ? Math.min(count, this.#drift.before(half.name, row)) : 0;
      if (count === first || (this.#frozen && half === this.#items)) continue;
      const rating = half.rating(row, first + random.below(count - first));
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
      const expected = this.#base.past(pastUser, pastItem, history.time(rating));
      this.#stepBoth('replayed', pastUser, pastItem, history.value(rating), weight, expected);
      this.#standing.place(pastItem);
    }
  }

  /**
   * Takes a row back to its first values and learns its latest live ratings again, and then as often as each would have
   * been replayed by now, on average; the other side is only read. Where the row met a drift, it does so again.
   */
  #relearn(half: Half, row: number, order: number): void {
    const { config, memory, history, reset } = this.#context;
    const drift = this.#drift;
    const count = half.count(row);
    const drifts = drift?.drifts(half.name, row) ?? 0;
    const before = drift?.before(half.name, row) ?? 0;
    const [stretch, earlier] = [drift?.stretch(half.name, row) ?? 0, drift?.earlier(half.name, row) ?? 0];
    const place = before + earlier > 0 ? this.#countUntil(half, row, order) : 0;
    const without = (ratings: number) => (place < ratings ? ratings - 1 : ratings);
    const turn = without(before);
    const first = Math.max(0, count - config.relearn);
    reset(half.name, row);
    // One that has no ratings left from before the drift is as if it had met it before its first one.
    if (turn <= first) drift?.meet(half.name, row, drifts, 0);
    for (let n = first; n < count; n++) {
      const rating = half.rating(row, n);
      if (n === turn && n > first && this.#detector) {
        this.#base.reopen(half.name, row, this.#detector.moved);
        drift?.meet(half.name, row, drifts);
      }
      this.#stepOne(half, 'live', row, rating);
      this.#base.arrive(half.name, history.user(rating), history.item(rating), history.time(rating));
      this.#count(half, row, 1);
    }
    for (let pass = 0; pass < Math.ceil(config.replay.count / 2); pass++)
      for (let n = Math.max(first, Math.min(turn, count)); n < count; n++)
        this.#stepOne(half, 'relearned', row, half.rating(row, n));
    memory.u32[half.ratingsOf(row) >>> 2] = count;
    drift?.meet(half.name, row, drifts, turn);
    if (count > 0) drift?.remember(half.name, row, stretch, without(earlier));
  }

  /** Both rows step from where they were; `expected` is that of the base. Together they take away the whole error at most. */
  #stepBoth(rule: Rule, user: number, item: number, value: number, weight: number, expected: number): void {
    const { memory, config } = this.#context;
    const users = this.#users[rule];
    const items = this.#items[rule];
    const p = this.#users.vectorOf(user);
    const q = this.#items.vectorOf(item);
    const met = this.#meet(user, item, value, weight, expected);
    const pp = memory.f32[this.#products + 1];
    const qq = memory.f32[this.#products + 2];
    met.reach = users.reach(qq) + (this.#frozen ? 0 : items.reach(pp));
    const scale = this.#base.learn(this.#frozen ? 'users' : 'both', rule, met);
    memory.f32.copyWithin(this.#before >>> 2, p >>> 2, (p >>> 2) + config.k);
    users.move(user, q, qq, scale, met.error);
    if (!this.#frozen) items.move(item, this.#before, pp, scale, met.error);
  }

  /** One row steps toward a past rating, and the other side is read. */
  #stepOne(half: Half, rule: Rule, row: number, rating: number): void {
    const { history, memory } = this.#context;
    const [user, item] = [history.user(rating), history.item(rating)];
    const time = history.time(rating);
    const ofUser = half === this.#users;
    // A user's row that is learned again is where it was when the rating came.
    const asNext = ofUser && rule === 'live';
    const expected = asNext ? this.#base.expect(user, item, time) : this.#base.past(user, item, time);
    const met = this.#meet(user, item, history.value(rating), history.weight(rating), expected);
    const square = memory.f32[this.#products + (ofUser ? 2 : 1)];
    const other = ofUser ? this.#items.vectorOf(item) : this.#users.vectorOf(user);
    met.reach = half[rule].reach(square);
    half[rule].move(row, other, square, this.#base.learn(half.name, rule, met), met.error);
  }

  /** A rating as its rows meet it, and the products of their vectors. */
  #meet(user: number, item: number, value: number, weight: number, expected: number): Met {
    const { memory, config, kernels } = this.#context;
    const at = (4 * this.#products) as WritableAddress;
    kernels.gram(this.#users.vectorOf(user), this.#items.vectorOf(item), config.k, at);
    const met = this.#met;
    met.user = user;
    met.item = item;
    met.value = value;
    met.weight = weight;
    met.error = value - expected - memory.f32[this.#products];
    return met;
  }

  #count(half: Half, row: number, more: 1 | -1): void {
    this.#context.memory.u32[half.ratingsOf(row) >>> 2] += more;
  }
}

/** As rows have it. */
const stretchNumber = (stretch: number) => 1 + (stretch % 2 ** 31);

function sides({ config, tables, memory, kernels }: Context, name: 'users' | 'items') {
  const { k, eta, l2, optimiser, mu, scaled, normalise, replay } = config;
  const table: WritableTable = tables[name];
  const vectorOf = k === 0 ? () => NOWHERE as WritableAddress : table.column('vector');
  const bounded = (step: Step) => projected(step, kernels, memory, vectorOf, k);
  const heavy = optimiser === 'momentum';
  const live = new Side({
    eta: heavy && scaled ? eta * (1 - mu) : eta,
    l2,
    normalise,
    carry: heavy ? 1 / (1 - Math.abs(mu)) : 1,
    step: bounded(optimiserStep(config, kernels, memory, table)),
  });
  const again = (l2: number) =>
    new Side({ eta: replay.eta, l2, normalise, carry: 1, step: bounded(plainStep(kernels, vectorOf, k, l2)) });
  const replayed = again(replay.l2);
  const relearned = again(Math.min(1, RELEARN_PULL * replay.l2));
  return { name, live, replayed, relearned, vectorOf, ratingsOf: table.column('ratings') };
}
