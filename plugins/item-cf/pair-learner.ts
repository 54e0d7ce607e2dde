import type { RatingEvent, WritableAddress } from '../contract/index.ts';
import type { Context } from './context.ts';
import { placeAfter } from './places.ts';
import { PAGE_SETS, pagesMax } from './tables.ts';
import type { View } from './views.ts';

/** The latest ratings of a user before the one at hand, as kernels read them. */
export interface Recent {
  readonly items: WritableAddress;
  readonly values: WritableAddress;
  /** How many there are. */
  count: number;
}

/** Pairs of items that the same people rated: an event writes the row of its own item alone. */
export class PairLearner {
  readonly #context: Context;
  readonly #view: View;
  readonly #setsMax: number;
  readonly #setsOf: (item: number) => number;
  readonly #pagesOf: (item: number) => number;

  constructor(context: Context, view: View) {
    this.#context = context;
    this.#view = view;
    this.#setsMax = PAGE_SETS * pagesMax(context.config);
    this.#setsOf = context.tables.items.column('sets');
    this.#pagesOf = context.tables.items.column('pages');
  }

  /** `common`: what is expected of the user for an item without a bias. `residual`: of the rating at hand. */
  learn({ item, weight, previous }: RatingEvent, recent: Recent, common: number, residual: number): void {
    const { config, kernels, history, memory } = this.#context;
    const count = Math.min(recent.count, config.neighbours.history);
    if (count === 0) return;
    this.#makeRoom(item, history.itemCount(item) + (previous ? 0 : 1));
    this.#touchAll(item);
    this.#view.refresh();
    const { address } = this.#view;
    if (previous)
      for (let n = 0; n < count; n++)
        kernels.unpair(address, item, memory.u32[(recent.items >>> 2) + n], previous.weight);
    if (weight > 0) kernels.pair(address, item, count, recent.items, recent.values, common, residual, weight);
  }

  /** Takes a rating out of the rows that it was counted in: its item's own, and those of what the user rated after it. */
  retract({ user, item, order, weight }: RatingEvent, recent: Recent): void {
    const { config, kernels, history, memory } = this.#context;
    const { history: most } = config.neighbours;
    const { address } = this.#view;
    this.#view.refresh();
    this.#touchAll(item);
    for (let n = 0; n < Math.min(recent.count, most); n++)
      kernels.unpair(address, item, memory.u32[(recent.items >>> 2) + n], weight);
    const first = placeAfter(history, user, order);
    const end = Math.min(history.userCount(user), first + most);
    for (let n = first; n < end; n++) {
      const row = history.ofUser(user, n);
      this.#touchAll(history.item(row));
      kernels.unpair(address, history.item(row), item, history.weight(row));
    }
  }

  /** More ratings bring more partners: a row that is short until then takes less memory. */
  #makeRoom(item: number, ratings: number): void {
    const { memory, kernels } = this.#context;
    const at = this.#setsOf(item) >>> 2;
    let sets = memory.u32[at];
    if (sets === 0) {
      this.#addPage(item, 0);
      sets = PAGE_SETS;
      memory.u32[at] = sets;
    }
    for (; sets < Math.min(this.#setsMax, PAGE_SETS * ratings); sets *= 2) {
      this.#touchAll(item);
      for (let page = sets / PAGE_SETS; page < (2 * sets) / PAGE_SETS; page++) this.#addPage(item, page);
      this.#view.refresh();
      kernels.split(this.#view.address, item, sets);
      memory.u32[at] = 2 * sets;
    }
  }

  #addPage(item: number, page: number): void {
    const { memory, append } = this.#context;
    const first = append('pairs');
    for (let set = 1; set < PAGE_SETS; set++) append('pairs');
    memory.u32[(this.#pagesOf(item) >>> 2) + page] = first / PAGE_SETS;
  }

  #touchAll(item: number): void {
    const { memory, touch } = this.#context;
    const sets = memory.u32[this.#setsOf(item) >>> 2];
    const pages = this.#pagesOf(item) >>> 2;
    for (let set = 0; set < sets; set++)
      touch('pairs', PAGE_SETS * memory.u32[pages + Math.floor(set / PAGE_SETS)] + (set % PAGE_SETS));
  }
}
