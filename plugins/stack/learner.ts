import { exp2, type LearnContext, type Learner, NO_ROW, type RatingEvent } from '../contract/index.ts';
import type { StackConfig } from './config.ts';
import { clip, Evidence, MIDDLE } from './evidence.ts';
import type { StackKernels } from './kernels.ts';
import { learnMedian } from './median.ts';
import { Rankings } from './rankings.ts';
import { State, userColumns } from './state.ts';
import type { StackTables } from './tables.ts';

type Context = LearnContext<StackConfig, StackTables, StackKernels>;

/** The regression starts so sure of what the inputs say, and of the rest. */
const START = { ofInputs: 0.1, ofRest: 0.02 };
/** While the variances add up to more, nothing is forgotten: P would grow without bounds along what no event shows. */
const TRACE_MAX = 100;
/** Where the weight of a ranking starts. */
const MIX = 0.5;
/** The common weight learns more slowly than those by the gap. */
const COMMON = 0.3;
const GRADIENT_MAX = 3;
/** With fewer items there is nothing to compare with. */
const ITEMS_MIN = 30;
const TRIES = 20;
/** Steps of the means of a user's misses. */
const FAST = 0.25;

export class StackLearner implements Learner {
  readonly #context: Context;
  readonly #evidence: Evidence;
  readonly #rankings: Rankings;
  readonly #state: State;
  readonly #x;
  readonly #gain;
  readonly #model;
  readonly #users;
  readonly #itemCount;
  readonly #items: number[] = [];
  readonly #odds: Float64Array;

  constructor(context: Context) {
    const { config, tables, scratch } = context;
    this.#context = context;
    this.#evidence = new Evidence(context);
    this.#rankings = new Rankings(context, 1 + config.ranking.negatives);
    this.#state = new State(context);
    this.#x = scratch(8 * this.#evidence.x.length);
    this.#gain = scratch(8 * this.#evidence.x.length);
    const { model, users, items } = tables;
    this.#model = {
      events: model.column('events')(0) >>> 3,
      covariance: model.column('covariance')(0),
      weights: model.column('weights')(0),
      median: model.column('median')(0) >>> 3,
      mix: model.column('mix')(0) >>> 3,
      byGap: model.column('byGap')(0) >>> 3,
    };
    this.#users = userColumns(users);
    this.#itemCount = items.column('count');
    this.#odds = new Float64Array(1 + config.ranking.negatives);
  }

  /** The second opinion on a rating is no new one: its inputs take the edit. */
  learn(event: RatingEvent): void {
    if (event.previous || event.weight === 0) return;
    const { f64: doubles } = this.#context.memory;
    const { events } = this.#model;
    if (doubles[events] === 0) this.#start();
    this.#evidence.gather(event, event.item);
    const error = this.#learnRating(event);
    this.#learnRanking(event);
    this.#note(event, error);
    doubles[this.#itemCount(event.item) >>> 3]++;
    doubles[events]++;
  }

  /** What is learned of everybody stays; of a user without ratings nothing does. */
  retract({ user }: RatingEvent): void {
    const { history, reset } = this.#context;
    if (history.userCount(user) === 0) reset('users', user);
  }

  #start(): void {
    const { config, memory } = this.#context;
    const inputs = config.rating.inputs.length;
    const n = this.#evidence.x.length;
    const { covariance, weights, mix } = this.#model;
    for (let j = 0; j < n; j++)
      memory.f64[(covariance >>> 3) + j * n + j] = j <= inputs ? START.ofInputs : START.ofRest;
    for (let j = 0; j < inputs; j++) memory.f64[(weights >>> 3) + j] = j === 0 ? 1 : 1 / inputs;
    for (let h = 0; h < config.ranking.inputs.length; h++) memory.f64[mix + h] = MIX;
  }

  /** How the regression missed. */
  #learnRating({ value, weight }: RatingEvent): number {
    const { config, memory, kernels } = this.#context;
    const { covariance, weights, median } = this.#model;
    const { x } = this.#evidence;
    memory.f64.set(x, this.#x >>> 3);
    const expected = kernels.dot(weights, this.#x, 8 * x.length);
    const error = value - MIDDLE - expected;
    if (config.rating.output === 'median') learnMedian(value, clip(MIDDLE + expected), weight, memory.f64, median);
    const { forgetting } = config.rating;
    kernels.learn(covariance, weights, this.#x, this.#gain, x.length, error, weight, forgetting, TRACE_MAX);
    return error;
  }

  /** Softmax over the rated item and some others: uphill on the likelihood of the rated one. */
  #learnRanking(event: RatingEvent): void {
    const { config, tables, memory } = this.#context;
    const { user, item, weight } = event;
    const state = this.#state;
    const isNews = state.itemCount(item) === 0 || state.user('count', user) === 0 || tables.items.rows < ITEMS_MIN;
    if (isNews || this.#rankings.count === 0) return;
    this.#compare(user, item);
    const rankings = this.#rankings;
    rankings.measure(event, this.#items);
    const bucket = rankings.bucket(event);
    this.#chances(bucket);
    const { rate } = config.ranking;
    const { mix, byGap } = this.#model;
    for (let h = 0; h < rankings.count; h++) {
      let gradient = 0;
      for (let n = 0; n < this.#items.length; n++) gradient += ((n === 0 ? 1 : 0) - this.#odds[n]) * rankings.z(h, n);
      const step = rate * weight * Math.min(GRADIENT_MAX, Math.max(-GRADIENT_MAX, gradient));
      memory.f64[mix + h] += COMMON * step;
      memory.f64[byGap + bucket * rankings.count + h] += step;
    }
  }

  /** `items`: the one that is rated, and others that the user has not rated. */
  #compare(user: number, item: number): void {
    const { config, tables, history, random } = this.#context;
    const items = this.#items;
    items.length = 0;
    items.push(item);
    for (let n = 0; n < config.ranking.negatives; n++) {
      let other = item;
      for (let tries = 0; tries < TRIES && (other === item || history.find(user, other) !== NO_ROW); tries++)
        other = random.below(tables.items.rows);
      if (other !== item) items.push(other);
    }
  }

  #chances(bucket: number): void {
    const odds = this.#odds;
    const rankings = this.#rankings;
    let most = Number.NEGATIVE_INFINITY;
    for (let n = 0; n < this.#items.length; n++) {
      odds[n] = 0;
      for (let h = 0; h < rankings.count; h++) odds[n] += rankings.weight(h, bucket) * rankings.z(h, n);
      most = Math.max(most, odds[n]);
    }
    let sum = 0;
    for (let n = 0; n < this.#items.length; n++) {
      odds[n] = exp2(Math.max(-1000, (odds[n] - most) * Math.LOG2E));
      sum += odds[n];
    }
    for (let n = 0; n < this.#items.length; n++) odds[n] /= sum;
  }

  /** The user's row, by how the regression missed. */
  #note({ user, weight, time }: RatingEvent, error: number): void {
    const { f64: doubles } = this.#context.memory;
    const column = (name: keyof StackTables['users']['columns']) => this.#users[name](user) >>> 3;
    const ratings = this.#state.user('count', user);
    const part = Math.min(1, weight);
    doubles[column('fast')] += part * FAST * (error - doubles[column('fast')]);
    doubles[column('slow')] += part * Math.max(0.04, 1 / (ratings + 5)) * (error - doubles[column('slow')]);
    const squareStep = ratings === 0 ? 1 : Math.max(0.02, 1 / (ratings + 4));
    doubles[column('square')] += part * squareStep * (error * error - doubles[column('square')]);
    doubles[column('base')] = this.#evidence.base;
    doubles[column('last')] = time;
    doubles[column('count')] = ratings + 1;
  }
}

export const learner = (context: Context): Learner => new StackLearner(context);
