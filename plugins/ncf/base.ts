import {
  type History,
  type Memory,
  NO_ROW,
  type Rated,
  type RatingEvent,
  type ReadTables,
  type WritableMemory,
} from '../contract/index.ts';
import type { NcfConfig } from './config.ts';
import type { NcfTables } from './tables.ts';

export type Side = 'users' | 'items';

/** A bias beyond this is none of ratings of 1 to 5. */
const BIAS_MAX = 10;

export const boundBias = (bias: number) => Math.min(BIAS_MAX, Math.max(-BIAS_MAX, bias));

/** What is expected without the network: m + b_u + b_i; what is unknown is left out. */
export class Base {
  readonly #floats: Memory['f32'];
  readonly #doubles: Memory['f64'];
  readonly #bias;
  readonly #sum: number;
  readonly #weight: number;

  constructor({ tables, memory }: { readonly tables: ReadTables<NcfTables>; readonly memory: Memory }) {
    this.#floats = memory.f32;
    this.#doubles = memory.f64;
    this.#bias = { users: tables.users.column('bias'), items: tables.items.column('bias') };
    this.#sum = tables.model.column('sum')(0) >>> 3;
    this.#weight = tables.model.column('weight')(0) >>> 3;
  }

  /** m, the mean of the live ratings, and of one more of 3, the middle of the scale. */
  get mean(): number {
    return 3 + this.#doubles[this.#sum] / (1 + this.#doubles[this.#weight]);
  }

  bias(side: Side, row: number): number {
    return row === NO_ROW ? 0 : this.#floats[this.#bias[side](row) >>> 2];
  }

  expect(user: number, item: number): number {
    return this.mean + this.bias('users', user) + this.bias('items', item);
  }
}

interface BaseContext {
  readonly config: NcfConfig;
  readonly tables: ReadTables<NcfTables>;
  readonly memory: WritableMemory;
  readonly history: History;
}

/** The biases' own learning, which knows nothing of the network. */
export class BaseLearner {
  readonly #base: Base;
  readonly #memory: WritableMemory;
  readonly #history: History;
  readonly #floors;
  readonly #bias;
  readonly #ratings;
  readonly #sum: number;
  readonly #weight: number;

  constructor(context: BaseContext) {
    const { config, tables, memory, history } = context;
    this.#base = new Base(context);
    this.#memory = memory;
    this.#history = history;
    this.#floors = { users: config.bias.userFloor, items: config.bias.itemFloor };
    this.#bias = { users: tables.users.column('bias'), items: tables.items.column('bias') };
    this.#ratings = { users: tables.users.column('ratings'), items: tables.items.column('ratings') };
    this.#sum = tables.model.column('sum')(0) >>> 3;
    this.#weight = tables.model.column('weight')(0) >>> 3;
  }

  /** Both biases step toward a rating that they missed by `error`; together they take away the whole of it at most. */
  learn(user: number, item: number, error: number, weight: number): void {
    const { u32: words } = this.#memory;
    const ofUser = this.#part('users', words[this.#ratings.users(user) >>> 2]);
    const ofItem = this.#part('items', words[this.#ratings.items(item) >>> 2]);
    const scale = Math.min(weight, 1 / (ofUser + ofItem));
    this.#move('users', user, scale * ofUser * error);
    this.#move('items', item, scale * ofItem * error);
  }

  /** Counts a rating into, or out of, the mean. */
  average({ value, weight }: Rated, sign: 1 | -1): void {
    const { f64: doubles } = this.#memory;
    doubles[this.#sum] += sign * weight * (value - 3);
    doubles[this.#weight] += sign * weight;
  }

  /**
   * What a rating, which is gone from the history, makes of the bias of its row is what the bias would be, were all that are
   * left learned again from number `first` on, with it and without it. Without any left it is 0.
   */
  difference(side: Side, event: RatingEvent, first: number): number {
    const history = this.#history;
    const ofUser = side === 'users';
    const [row, other] = ofUser ? [event.user, event.item] : [event.item, event.user];
    const count = ofUser ? history.userCount(row) : history.itemCount(row);
    if (count === 0) return this.#base.bias(side, row);
    let [without, given, isGiven] = [0, 0, false];
    for (let n = first; n < count; n++) {
      const rating = ofUser ? history.ofUser(row, n) : history.ofItem(row, n);
      if (!isGiven && history.order(rating) > event.order) {
        given = this.#again(side, given, n, event, other);
        isGiven = true;
      }
      const rated = { value: history.value(rating), weight: history.weight(rating) };
      const otherRow = ofUser ? history.item(rating) : history.user(rating);
      without = this.#again(side, without, n, rated, otherRow);
      given = this.#again(side, given, n + (isGiven ? 1 : 0), rated, otherRow);
    }
    if (!isGiven) given = this.#again(side, given, count, event, other);
    return given - without;
  }

  /** Less of a bias. */
  takeBack(side: Side, row: number, difference: number): void {
    this.#move(side, row, -difference);
  }

  /** A bias after it has learned one more rating. */
  #again(side: Side, bias: number, ratings: number, { value, weight }: Omit<Rated, 'time'>, other: number): number {
    const error = value - this.#base.mean - this.#base.bias(side === 'users' ? 'items' : 'users', other) - bias;
    return bias + Math.min(1, weight * this.#part(side, ratings)) * error;
  }

  #part(side: Side, ratings: number): number {
    return Math.max(this.#floors[side], 1 / (ratings + 4));
  }

  #move(side: Side, row: number, step: number): void {
    const at = this.#bias[side](row) >>> 2;
    this.#memory.f32[at] = boundBias(this.#memory.f32[at] + step);
  }
}
