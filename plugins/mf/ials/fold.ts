import { type Address, NO_ROW, type ScoreContext, type WritableAddress } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import { Trials } from '../feedback/trials.ts';
import type { MfKernels } from '../kernels.ts';
import type { MfTables } from '../tables.ts';
import { gramOf } from './gram.ts';
import { Positives } from './positives.ts';
import { pullOf } from './pull.ts';
import { RowSolver } from './row-solver.ts';
import { weighingBy } from './weighing.ts';

/** Something that a vector is solved from. */
export interface Share {
  readonly item: number;
  readonly weight: number;
  readonly isRating: boolean;
}

/**
 * Vectors of whoever asks, solved from their latest `window` positives, each with decay^n of its weight when n came after it:
 * p = A^-1 sum_n w_n q_n.
 */
export class Fold {
  /** What p is of, the latest first; empty: nothing is known. */
  readonly shares: Share[] = [];
  /** Where p is. */
  readonly at: Address;
  readonly #context: ScoreContext<MfConfig, MfTables, MfKernels>;
  readonly #positives: Positives;
  readonly #solver: RowSolver;
  readonly #gram: Address;
  readonly #size: number;
  readonly #vectorOf: (item: number) => Address;
  readonly #countOf: (user: number) => Address;
  /** An item's vector, and then what A^-1 makes of it: k f64. */
  readonly #target: WritableAddress;

  constructor(context: ScoreContext<MfConfig, MfTables, MfKernels>) {
    const { config, tables, kernels, history, events, scratch } = context;
    const { k } = config;
    this.#context = context;
    this.#positives = new Positives(history, events, weighingBy(new Trials(context), context));
    this.#solver = new RowSolver(k, kernels, scratch);
    this.#gram = gramOf(tables.itemGram, k);
    this.#size = tables.itemGram.column('count')(0) >>> 2;
    this.#vectorOf = tables.items.column('vector');
    this.#countOf = tables.users.column('ratings');
    this.#target = scratch(8 * k);
    this.at = scratch(4 * k);
  }

  /** Of a user; false where nothing is known of them. */
  ofUser(user: number): boolean {
    const { config, memory, tables } = this.#context;
    const { window, decay } = config.ials;
    this.shares.length = 0;
    if (user === NO_ROW) return false;
    let left = 1;
    this.#positives.visit('users', user, window, NO_ROW, (item, weight, isRating) => {
      // A row that is being written may name what is not there yet.
      if (item < tables.items.rows) this.shares.push({ item, weight: left * weight, isRating });
      left *= decay;
    });
    if (this.shares.length === 0) return false;
    this.#solve(memory.u32[this.#countOf(user) >>> 2]);
    return true;
  }

  /** Of someone who did the same with some items, the last of them latest. */
  ofItems(items: Uint32Array): void {
    const { window, decay } = this.#context.config.ials;
    this.shares.length = 0;
    let weight = 1;
    for (let n = items.length - 1; n >= Math.max(0, items.length - window); n--, weight *= decay)
      this.shares.push({ item: items[n], weight, isRating: false });
    this.#solve(items.length);
  }

  /** What each of the shares adds to <p, q_i>: w_n <q_n, A^-1 q_i>. */
  split(item: number): number[] {
    const { memory, config, kernels } = this.#context;
    kernels.widen(this.#vectorOf(item), config.k, this.#target);
    this.#solver.invert(this.#target);
    const target = this.#target >>> 3;
    return this.shares.map((share) => {
      const from = this.#vectorOf(share.item) >>> 2;
      let product = 0;
      for (let f = 0; f < config.k; f++) product += memory.f64[target + f] * memory.f32[from + f];
      return share.weight * product;
    });
  }

  #solve(count: number): void {
    const { config, memory, scores } = this.#context;
    const { missing } = config.ials;
    this.#solver.begin(this.#gram, missing, pullOf(config.ials, count, memory.u32[this.#size]));
    for (const { item, weight } of this.shares) if (weight > 0) this.#solver.add(this.#vectorOf(item), weight);
    const solution = this.#solver.solve() >>> 3;
    for (let f = 0; f < config.k; f++) scores[(this.at >>> 2) + f] = memory.f64[solution + f];
  }
}
