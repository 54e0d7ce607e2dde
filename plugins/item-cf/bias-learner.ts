import type { History, Rated, WritableMemory, WriteTables } from '../contract/index.ts';
import type { ItemCfConfig } from './config.ts';
import { type Biases, biases } from './predictor.ts';
import type { ItemCfTables } from './tables.ts';

interface Context {
  readonly config: ItemCfConfig;
  readonly tables: WriteTables<ItemCfTables>;
  readonly memory: WritableMemory;
  readonly history: History;
}

/** The mean of all ratings, and the biases of users and items. */
export class BiasLearner {
  readonly #context: Context;
  readonly #now: Biases;
  /** Of the mean: indexes into the f64 view. */
  readonly #sum: number;
  readonly #weight: number;
  readonly #userBias: (user: number) => number;
  readonly #itemBias: (item: number) => number;

  constructor(context: Context) {
    const { users, items, model } = context.tables;
    this.#context = context;
    this.#now = biases(context.tables, context.memory);
    this.#sum = model.column('sum')(0) >>> 3;
    this.#weight = model.column('weight')(0) >>> 3;
    this.#userBias = users.column('bias');
    this.#itemBias = items.column('bias');
  }

  /** What is expected of a user for an item that has no bias. */
  common(user: number): number {
    return this.#now.mean() + this.#now.user(user);
  }

  item(item: number): number {
    return this.#now.item(item);
  }

  startMean(): void {
    const { f64: doubles } = this.#context.memory;
    doubles[this.#sum] = 0;
    doubles[this.#weight] = 0;
  }

  /** Counts a rating into the mean, or out of it. */
  average({ value, weight }: Rated, sign: 1 | -1): void {
    const { f64: doubles } = this.#context.memory;
    doubles[this.#sum] += sign * weight * (value - 3.5);
    doubles[this.#weight] += sign * weight;
  }

  /** Both biases step; together they take away the whole residual at most, whatever the weight. */
  step(user: number, item: number, residual: number, weight: number): void {
    const { memory, history } = this.#context;
    const own = this.#userStep(history.userCount(user));
    const others = this.#itemStep(history.itemCount(item));
    const scale = Math.min(weight, 1 / (own + others));
    memory.f64[this.#userBias(user) >>> 3] += scale * own * residual;
    memory.f64[this.#itemBias(item) >>> 3] += scale * others * residual;
  }

  /** Derives both biases anew from the live ratings. */
  relearn(user: number, item: number): void {
    const { config, memory, history } = this.#context;
    const most = config.bias.relearn;
    const mean = this.#now.mean();
    const rated = history.userCount(user);
    let bias = 0;
    for (let n = Math.max(0, rated - most), step = 0; n < rated; n++, step++) {
      const row = history.ofUser(user, n);
      const residual = history.value(row) - mean - bias - this.#now.item(history.item(row));
      bias += Math.min(1, history.weight(row) * this.#userStep(step)) * residual;
    }
    memory.f64[this.#userBias(user) >>> 3] = bias;
    const raters = history.itemCount(item);
    bias = 0;
    for (let n = Math.max(0, raters - most), step = 0; n < raters; n++, step++) {
      const row = history.ofItem(item, n);
      const residual = history.value(row) - mean - bias - this.#now.user(history.user(row));
      bias += Math.min(1, history.weight(row) * this.#itemStep(step)) * residual;
    }
    memory.f64[this.#itemBias(item) >>> 3] = bias;
  }

  #userStep = (ratings: number): number => Math.max(this.#context.config.bias.userFloor, 1 / (ratings + 4));
  #itemStep = (ratings: number): number => Math.max(this.#context.config.bias.itemFloor, 1 / (ratings + 4));
}
