import { exp2, ln, type RatingEvent, type WritableAddress } from '../contract/index.ts';
import type { TransitionsConfig } from './config.ts';
import type { Context } from './context.ts';
import type { Recent } from './pair-learner.ts';
import { countAfter, placeAfter } from './places.ts';
import { transitionsView, type View } from './views.ts';

/** What follows what: an event writes the rows of its item and of the items that its user rated last. */
export class TransitionLearner {
  readonly #context: Context;
  readonly #name: 'transitions' | 'fast';
  readonly #config: TransitionsConfig;
  readonly #view: View;
  /** By how much an item n ratings ago leads to the next. */
  readonly #gains: WritableAddress;

  constructor(context: Context, name: 'transitions' | 'fast') {
    const config = context.config[name];
    this.#context = context;
    this.#name = name;
    this.#config = config;
    this.#view = transitionsView(context, context.tables[name], config.partners);
    this.#gains = context.scratch(4 * config.window);
    for (let n = 0; n < config.window; n++)
      context.memory.f32[(this.#gains >>> 2) + n] = powerOf(1 + n, -config.exponent);
  }

  /** A first rating. */
  learn({ item, weight }: RatingEvent, recent: Recent): void {
    const { kernels, memory, touch } = this.#context;
    const { window, back, keep } = this.#config;
    if (weight === 0) return;
    const count = Math.min(recent.count, window);
    const items = recent.items >>> 2;
    for (let n = 0; n < count; n++) touch(this.#name, memory.u32[items + n]);
    this.#view.refresh();
    kernels.follow(this.#view.address, item, count, recent.items, this.#gains, weight, back, keep);
  }

  /** A rating weighs `more` than it did, or less: so does what it taught the rows of its item and of those before it. */
  reweigh({ item, order }: RatingEvent, recent: Recent, more: number): void {
    const { memory, history } = this.#context;
    if (more === 0) return;
    this.#view.refresh();
    const later = countAfter(history, item, order);
    for (let n = 0; n < Math.min(recent.count, this.#config.window); n++) {
      const before = memory.u32[(recent.items >>> 2) + n];
      const amount = more * memory.f32[(this.#gains >>> 2) + n];
      this.#amend(before, item, amount * this.#left(countAfter(history, before, order)));
      this.#amend(item, before, this.#config.back * amount * this.#left(later));
    }
  }

  /** What its user rated after a rating that is gone has not come after it. */
  forgetLater({ user, item, order }: RatingEvent): void {
    const { memory, history } = this.#context;
    this.#view.refresh();
    const first = placeAfter(history, user, order);
    const end = Math.min(history.userCount(user), first + this.#config.window);
    for (let n = first; n < end; n++) {
      const row = history.ofUser(user, n);
      const after = history.item(row);
      const amount = -history.weight(row) * memory.f32[(this.#gains >>> 2) + n - first];
      const since = history.order(row);
      this.#amend(item, after, amount * this.#left(countAfter(history, item, since)));
      this.#amend(after, item, this.#config.back * amount * this.#left(countAfter(history, after, since)));
    }
  }

  #amend(from: number, to: number, amount: number): void {
    const { kernels, touch } = this.#context;
    touch(this.#name, from);
    kernels.amend(this.#view.address, from, to, amount);
  }

  /**
   * What is left of a step in a row whose item was rated `later` times since: it has faded with each of those, and with the
   * rating that came next after each.
   */
  #left(later: number): number {
    let left = 1;
    for (let part = this.#config.keep, n = 2 * later; n > 0 && left > 0; n >>>= 1, part *= part)
      if (n % 2 === 1) left *= part;
    return left;
  }
}

/** base^exponent, for base > 0. */
export const powerOf = (base: number, exponent: number): number => exp2((exponent * ln(base)) / Math.LN2);
