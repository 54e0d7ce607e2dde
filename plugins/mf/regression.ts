import { ln, type Memory, NO_ROW, type ReadTables } from '../contract/index.ts';
import type { Base } from './base.ts';
import type { MfConfig } from './config.ts';
import { meanReader } from './mean.ts';
import { type Moves, movesOf } from './moves.ts';
import { COEFFICIENTS, FEATURES, ITEM_FEATURES } from './regression-columns.ts';
import type { MfTables } from './tables.ts';

/**
 * The Bayesian base, as it is read. For user u, item i and time t, from a = [1, z_1 .. z_5]:
 *
 *     base = m + <G, (z_1, z_2, z_3)> + <x_u, a> + y_i          m: mean of the live ratings, and of 10 more of 3.5
 *     z_f = (f - M_f)/sqrt(V_f + 1e-6), within -4 .. 4           M, V: running mean and variance of the feature
 *
 * and what items have moved by with drift, as far as users follow that (`moves.ts`). Features: the item's mean effect; ln(1 + its
 * ratings); ln(1 + days since its first rating); ln(1 + ratings of the user's session so far), which ends when nothing was rated
 * for an hour; the user's residual of late.
 */

const PRIOR = { value: 3.5, weight: 10 };
const Z_MAX = 4;
const DAY_S = 86_400;
const SESSION_S = 3600;

export class Regression implements Base {
  /** a, and M and V as the rating that was asked about would leave them; as of the last call. */
  readonly a = new Float64Array(COEFFICIENTS).fill(1, 0, 1);
  readonly means = new Float64Array(FEATURES);
  readonly variances = new Float64Array(FEATURES);
  readonly mean: () => number;
  readonly #raw = new Float64Array(FEATURES);
  readonly #doubles: Memory['f64'];
  readonly #words: Memory['u32'];
  readonly #moves: Moves | undefined;
  readonly #at: ReturnType<typeof columnsOf>;

  constructor(config: MfConfig, tables: ReadTables<MfTables>, memory: Memory) {
    this.mean = meanReader(tables, memory, PRIOR);
    this.#doubles = memory.f64;
    this.#words = memory.u32;
    this.#moves = movesOf(config, tables, memory);
    this.#at = columnsOf(tables);
  }

  expect(user: number, item: number, time: number): number {
    const raw = this.#raw;
    this.#lookAtItem(item, time);
    raw[3] = lnOfMore(this.placeOf(user, time));
    raw[4] = user === NO_ROW ? 0 : this.#doubles[this.#at.lately(user) >>> 3];
    this.#standardise();
    return this.#sum(user, item);
  }

  /** Where a user stood then, and how right the model was, is not known any more: at the mean of these features. */
  past(user: number, item: number, time: number): number {
    this.#lookAtItem(item, time);
    this.#standardise();
    this.a.fill(0, 1 + ITEM_FEATURES);
    return this.#sum(user, item);
  }

  /** How many ratings a user has given in the session that is going on at that time. */
  placeOf(user: number, time: number): number {
    if (user === NO_ROW) return 0;
    const isOver = time - this.#doubles[this.#at.ratedAt(user) >>> 3] > SESSION_S;
    return isOver ? 0 : this.#words[this.#at.place(user) >>> 2];
  }

  #lookAtItem(item: number, time: number): void {
    const raw = this.#raw;
    raw.fill(0, 0, ITEM_FEATURES);
    if (item === NO_ROW) return;
    const ratings = this.#words[this.#at.ratings(item) >>> 2];
    raw[0] = this.#doubles[this.#at.effect(item) >>> 3];
    raw[1] = lnOfMore(ratings);
    if (ratings > 0) raw[2] = ln(1 + Math.max(0, time - this.#doubles[this.#at.first(item) >>> 3]) / DAY_S);
  }

  #standardise(): void {
    const doubles = this.#doubles;
    const { means, variances, events } = this.#at;
    const seen = doubles[events];
    for (let f = 0; f < FEATURES; f++) {
      const mean = doubles[means + f];
      const variance = seen === 0 ? 1 : doubles[variances + f];
      const moved = mean + (this.#raw[f] - mean) / (seen + 2);
      const off = this.#raw[f] - moved;
      const spread = variance + (off * off - variance) / (seen + 20);
      this.means[f] = moved;
      this.variances[f] = spread;
      this.a[1 + f] = Math.max(-Z_MAX, Math.min(Z_MAX, off / Math.sqrt(spread + 1e-6)));
    }
  }

  #sum(user: number, item: number): number {
    const doubles = this.#doubles;
    const { a } = this;
    let sum = this.mean();
    for (let f = 0; f < ITEM_FEATURES; f++) sum += doubles[this.#at.slopes + f] * a[1 + f];
    if (item !== NO_ROW) sum += doubles[this.#at.bias(item) >>> 3];
    if (this.#moves) sum += this.#moves.of(user, item);
    if (user === NO_ROW) return sum;
    const x = this.#at.coefficients(user) >>> 3;
    for (let f = 0; f < COEFFICIENTS; f++) sum += doubles[x + f] * a[f];
    return sum;
  }
}

/** ln(1 + n); of most counts it is at hand. */
const lnOfMore = (n: number) => (n < LOGARITHMS.length ? LOGARITHMS[n] : ln(1 + n));
const LOGARITHMS = Float64Array.from({ length: 4096 }, (_, n) => ln(1 + n));

function columnsOf({ users, items, model }: ReadTables<MfTables>) {
  return {
    coefficients: users.column('coefficients'),
    lately: users.column('lately'),
    ratedAt: users.column('ratedAt'),
    place: users.column('place'),
    ratings: items.column('ratings'),
    bias: items.column('bias'),
    effect: items.column('effect'),
    first: items.column('first'),
    means: model.column('means')(0) >>> 3,
    variances: model.column('variances')(0) >>> 3,
    events: model.column('events')(0) >>> 3,
    slopes: model.column('slopes')(0) >>> 3,
  };
}
