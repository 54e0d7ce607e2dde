import type { Learner, Rated, RatingEvent } from '../contract/index.ts';
import { BiasLearner } from './bias-learner.ts';
import type { Context } from './context.ts';
import { PairLearner, type Recent } from './pair-learner.ts';
import { placeOf } from './places.ts';
import { powerOf, TransitionLearner } from './transition-learner.ts';
import { itemView } from './views.ts';

export class NeighbourLearner implements Learner {
  readonly #context: Context;
  readonly #biases: BiasLearner;
  readonly #pairs: PairLearner;
  readonly #transitions: readonly TransitionLearner[];
  readonly #recent: Recent;
  /** How many of a user's latest ratings anything is learned from. */
  readonly #most: number;
  readonly #ratingsOf: (item: number) => number;
  readonly #discountOf: (item: number) => number;

  constructor(context: Context) {
    const { config, tables, scratch } = context;
    this.#context = context;
    this.#biases = new BiasLearner(context);
    this.#pairs = new PairLearner(context, itemView(context, tables));
    this.#transitions = [new TransitionLearner(context, 'transitions'), new TransitionLearner(context, 'fast')];
    this.#most = Math.max(config.neighbours.history, config.transitions.window, config.fast.window);
    this.#recent = { items: scratch(4 * this.#most), values: scratch(8 * this.#most), count: 0 };
    this.#ratingsOf = tables.items.column('ratings');
    this.#discountOf = tables.items.column('discount');
  }

  learn(event: RatingEvent): void {
    const { user, item, value, weight, previous, order } = event;
    const recent = this.#recall(user, previous ? placeOf(this.#context.history, user, order) : undefined);
    const common = this.#biases.common(user);
    const residual = value - common - this.#biases.item(item);
    this.#pairs.learn(event, recent, common, residual);
    for (const transitions of this.#transitions) {
      if (previous) transitions.reweigh(event, recent, weight - previous.weight);
      else transitions.learn(event, recent);
    }
    this.#biases.average(event, 1);
    this.#biases.step(user, item, residual, weight);
    if (previous) this.#biases.average(previous, -1);
    else this.#count(item, 1);
  }

  retract(event: RatingEvent): void {
    const { user, item, order, weight } = event;
    const recent = this.#recall(user, placeOf(this.#context.history, user, order));
    this.#pairs.retract(event, recent);
    for (const transitions of this.#transitions) {
      transitions.reweigh(event, recent, -weight);
      transitions.forgetLater(event);
    }
    this.#biases.average(event, -1);
    this.#biases.relearn(user, item);
    this.#count(item, 0);
  }

  /** Counts all live ratings anew. */
  recount(rows: Uint32Array, items: number, ratedOf: (row: number) => Rated): void {
    this.#biases.startMean();
    for (const row of rows) this.#biases.average(ratedOf(row), 1);
    for (let item = 0; item < items; item++) this.#count(item, 0);
  }

  /** The ratings of a user before number `end`. */
  #recall(user: number, end = this.#context.history.userCount(user)): Recent {
    const { items, values } = this.#recent;
    this.#recent.count = this.#context.history.latest(user, end, this.#most, items, values);
    return this.#recent;
  }

  /** How many ratings an item has: those of the history, and `more`. */
  #count(item: number, more: 0 | 1): void {
    const { memory, history, config } = this.#context;
    const ratings = history.itemCount(item) + more;
    memory.u32[this.#ratingsOf(item) >>> 2] = ratings;
    memory.f32[this.#discountOf(item) >>> 2] = powerOf(ratings + 5, -config.popularity);
  }
}
