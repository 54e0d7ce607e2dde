import { type History, NO_ROW } from '../contract/index.ts';

/** A history as it was when only so many of its ratings had come: they come again, one by one, in their order. */
export class Past implements History {
  readonly #whole: History;
  readonly #users: Uint32Array;
  readonly #items: Uint32Array;
  /** The order of the latest one. */
  #now = 0;

  constructor(whole: History, users: number, items: number) {
    this.#whole = whole;
    this.#users = new Uint32Array(users);
    this.#items = new Uint32Array(items);
  }

  /** The next rating has come, and with it those before it that were passed over. */
  add(row: number): void {
    const [user, item] = [this.#whole.user(row), this.#whole.item(row)];
    while (this.#whole.ofUser(user, this.#users[user]++) !== row);
    while (this.#whole.ofItem(item, this.#items[item]++) !== row);
    this.#now = this.#whole.order(row);
  }

  userCount = (user: number): number => this.#users[user];
  itemCount = (item: number): number => this.#items[item];
  ofUser = (user: number, n: number): number => this.#whole.ofUser(user, n);
  ofItem = (item: number, n: number): number => this.#whole.ofItem(item, n);
  user = (row: number): number => this.#whole.user(row);
  item = (row: number): number => this.#whole.item(row);
  value = (row: number): number => this.#whole.value(row);
  weight = (row: number): number => this.#whole.weight(row);
  time = (row: number): number => this.#whole.time(row);
  order = (row: number): number => this.#whole.order(row);
  find(user: number, item: number): number {
    const row = this.#whole.find(user, item);
    return row !== NO_ROW && this.#whole.order(row) <= this.#now ? row : NO_ROW;
  }

  latest: History['latest'] = (...asked) => this.#whole.latest(...asked);

  get rows(): number {
    return this.#whole.rows;
  }
}

/** What is sorted, or taken in, between two yields. */
const STEPS = 100_000;

/**
 * The rows of all ratings, those that came first first: merge sort of what is nearly sorted. Yields now and then.
 * A rating of weight 0 is left out: its row may be nobody's.
 */
export function* arrivals(history: History): Generator<void, Uint32Array, void> {
  let sorted = new Uint32Array(history.rows);
  let count = 0;
  for (let row = 0; row < sorted.length; row++) {
    if (row % STEPS === 0) yield;
    if (history.weight(row) > 0) sorted[count++] = row;
  }
  sorted = sorted.subarray(0, count);
  let other = new Uint32Array(count);
  let steps = 0;
  for (let runs = runsOf(history, sorted); runs.length > 1; ) {
    const merged: number[] = [];
    for (let n = 0; n < runs.length; n += 2) {
      const [start, middle] = [runs[n], runs[n + 1] ?? count];
      const end = runs[n + 2] ?? count;
      merge(history, sorted, other, start, middle, end);
      merged.push(start);
      steps += end - start;
      if (steps < STEPS) continue;
      steps = 0;
      yield;
    }
    runs = merged;
    [sorted, other] = [other, sorted];
  }
  return sorted;
}

/** Where a row is that came before the one in front of it. */
function runsOf(history: History, rows: Uint32Array): number[] {
  const starts = rows.length > 0 ? [0] : [];
  for (let n = 1; n < rows.length; n++) if (history.order(rows[n]) < history.order(rows[n - 1])) starts.push(n);
  return starts;
}

function merge(history: History, from: Uint32Array, to: Uint32Array, start: number, middle: number, end: number): void {
  let [left, right] = [start, middle];
  for (let n = start; n < end; n++) {
    const takesLeft = right >= end || (left < middle && history.order(from[left]) < history.order(from[right]));
    to[n] = from[takesLeft ? left++ : right++];
  }
}
