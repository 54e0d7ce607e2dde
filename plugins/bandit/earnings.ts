import type { Memory, ReadTables } from '../contract/index.ts';
import type { BanditConfig } from './config.ts';
import type { BanditTables } from './tables.ts';

/** What an exposure earns before anything is known. */
const RATE = 0.05;
/** Below this the quantiles of a gamma distribution are no longer what their formula says. */
const SHAPE_MIN = 0.05;

/** What exposures of items earn: Gamma(a, b) of each, a = prior mu + earned, b = prior + shown; mu: the rate of all items. */
export class Earnings {
  readonly #doubles: Memory['f64'];
  readonly #prior: number;
  readonly #item;
  readonly #model;
  /** a/b of the item that was looked at last. */
  mean = 0;
  #shape = 0;

  constructor({ prior }: BanditConfig, { items, model }: ReadTables<BanditTables>, { f64 }: Pick<Memory, 'f64'>) {
    this.#doubles = f64;
    this.#prior = prior;
    this.#item = { shown: items.column('shown'), earned: items.column('earned') };
    this.#model = { shown: model.column('shown')(0) >>> 3, earned: model.column('earned')(0) >>> 3 };
  }

  /** mu: what an exposure of any item earns. */
  get rate(): number {
    const doubles = this.#doubles;
    const { shown, earned } = this.#model;
    return (RATE * this.#prior + doubles[earned]) / (this.#prior + doubles[shown]);
  }

  /** `rate`: mu, as it is now. */
  look(item: number, rate: number): this {
    const doubles = this.#doubles;
    const shape = this.#prior * rate + doubles[this.#item.earned(item) >>> 3];
    this.mean = shape / (this.#prior + doubles[this.#item.shown(item) >>> 3]);
    this.#shape = Math.max(SHAPE_MIN, shape);
    return this;
  }

  /** By Wilson & Hilferty (1931): the cube root of a gamma variable is nearly normal. */
  quantile(z: number): number {
    const root = 1 - 1 / (9 * this.#shape) + z / (3 * Math.sqrt(this.#shape));
    return root > 0 ? this.mean * root * root * root : 0;
  }
}
