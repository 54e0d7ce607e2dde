import { type Address, type History, NO_ROW, type ReadTables, type WritableAddress } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import type { MfTables } from './tables.ts';

/**
 * Where a user stands, s = P_u + sum_n w_n Y[h_n], of the latest ratings h_0, h_1, …, w_n = .85^n/(1 + (t - t_n)/2 h).
 */
export class Standpoint {
  /** s, after a call. */
  readonly at: WritableAddress;
  /** Of the latest ratings: their items and w; as of the last call, which returned how many. */
  readonly items: Uint32Array;
  readonly weights: Float64Array;
  readonly tasteOf: (user: number) => Address;
  readonly traceOf: (item: number) => Address;
  readonly #tables: ReadTables<MfTables>;
  readonly #config: MfConfig['sequence'];
  readonly #kernels: MfKernels;
  readonly #history: History;
  readonly #floats: Float32Array;

  /** `floats` is the view of the memory that `at` was taken from. */
  constructor(
    config: MfConfig['sequence'],
    tables: ReadTables<MfTables>,
    kernels: MfKernels,
    history: History,
    floats: Float32Array,
    at: WritableAddress,
  ) {
    this.at = at;
    this.items = new Uint32Array(config.window);
    this.weights = new Float64Array(config.window);
    this.tasteOf = tables.tastes.column('taste');
    this.traceOf = tables.sequence.column('trace');
    this.#tables = tables;
    this.#config = config;
    this.#kernels = kernels;
    this.#history = history;
    this.#floats = floats;
  }

  /** Where a user stands at a time, after the first `count` ratings, less that of the item `but`. */
  of(user: number, count: number, time: number, but = NO_ROW): number {
    this.clear();
    if (user === NO_ROW) return 0;
    this.add(this.tasteOf(user), 1);
    const length = this.#look(user, count, time, but);
    for (let n = 0; n < length; n++) this.add(this.traceOf(this.items[n]), this.weights[n]);
    return length;
  }

  /** The latest ratings. A list that is being written may name what is not there. */
  #look(user: number, count: number, time: number, but: number): number {
    const { window, decay, fadeS } = this.#config;
    const history = this.#history;
    const { rows } = this.#tables.sequence;
    let length = 0;
    let weight = 1;
    for (let n = 0; n < Math.min(window, count); n++, weight *= decay) {
      const rating = history.ofUser(user, count - 1 - n);
      const item = history.item(rating);
      if (item >= rows || item === but) continue;
      this.items[length] = item;
      this.weights[length++] = weight / (1 + Math.max(0, time - history.time(rating)) / fadeS);
    }
    return length;
  }

  clear(): void {
    this.#floats.fill(0, this.at >>> 2, (this.at >>> 2) + this.#config.k);
  }

  /** s += part vector */
  add(vector: Address, part: number): void {
    this.#kernels.sgd(this.at, vector, this.#config.k, part, 1, 0);
  }
}
