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
  /** What it was looked at by, and its last quantile: most items are like the one before. */
  readonly #last = { shown: Number.NaN, earned: Number.NaN, rate: Number.NaN, z: Number.NaN, quantile: 0 };

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
    const last = this.#last;
    const earned = doubles[this.#item.earned(item) >>> 3];
    const shown = doubles[this.#item.shown(item) >>> 3];
    if (earned === last.earned && shown === last.shown && rate === last.rate) return this;
    const shape = this.#prior * rate + earned;
    this.mean = shape / (this.#prior + shown);
    this.#shape = Math.max(SHAPE_MIN, shape);
    last.earned = earned;
    last.shown = shown;
    last.rate = rate;
    last.z = Number.NaN;
    return this;
  }

  get variance(): number {
    return (this.mean * this.mean) / this.#shape;
  }

  /** By Wilson & Hilferty (1931): the cube root of a gamma variable is nearly normal. */
  quantile(z: number): number {
    const last = this.#last;
    if (z === last.z) return last.quantile;
    const root = 1 - 1 / (9 * this.#shape) + z / (3 * Math.sqrt(this.#shape));
    last.z = z;
    last.quantile = root > 0 ? this.mean * root * root * root : 0;
    return last.quantile;
  }
}
