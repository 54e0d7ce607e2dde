import type { WritableMemory, WriteTables } from '../contract/index.ts';
import type { LearningBase, Rule, Sides, Step } from './base.ts';
import { boundBias } from './biases.ts';
import type { MfConfig } from './config.ts';
import { type DriftRows, driftRowsOf } from './drift.ts';
import { type MovesLearner, movesLearnerOf } from './moves.ts';
import { Regression } from './regression.ts';
import { COEFFICIENTS, FEATURES, ITEM_FEATURES } from './regression-columns.ts';
import type { MfTables } from './tables.ts';

/**
 * The Bayesian base, as it learns: one step of a Kalman filter (Kalman 1960) over x_u, y_i and G, whose covariances are
 * kept apart as A_u, B_i and P. For the error e of a rating of weight w, and z = (z_1, z_2, z_3):
 *
 *     A += drift, B += drift, P += drift        g = A a, h = B, d = P z        S = noise/w + <a, g> + h + <z, d>
 *     x += g e/S, A -= g g'/S                   y += h e/S, B -= h²/S          G += d e/S, P -= d d'/S
 *     noise = s/2 + (n_u v_u + 10 s)/(n_u + 10)/2                              v_u: mean of e² of the user; s: setting
 *
 * and in the same step what items have moved by (`moves.ts`), which adds to S. The part 1 - noise/(w S) of the error is taken
 * away. Then the mean effect of the item, v_u and the residual of late move toward the rating. What a single row learns again
 * has the other rows' variances at 0.
 */

const LATE_STEP = 0.3;
const NOISE_PRIOR = 10;
/**
 * As how many ratings an item's effect counts that it had before the first one; and once drift was found: what it had before
 * that says little, and items differ by what they moved by, those that are new then too.
 */
const EFFECT_PRIOR = 5;
const DRIFTED_PRIOR = 1;
const SLOPE_VARIANCE = 0.01;
const SLOPE_DRIFT = 1e-8;
/** What no drift takes a variance beyond: f32 stays far more exact than what is learned. */
const VARIANCE_MAX = 1;
const EFFECT_MAX = 10;

/** The place of (row, column <= row) in a lower triangle. */
const entry = (row: number, column: number) => (row * (row + 1)) / 2 + column;

export class RegressionLearner extends Regression implements LearningBase {
  readonly fitReach = 0;
  readonly #settings: MfConfig['regression'];
  readonly #reopened: number;
  readonly #drift: DriftRows | undefined;
  readonly #moves: MovesLearner | undefined;
  readonly #memory: WritableMemory;
  readonly #at: ReturnType<typeof columnsOf>;
  /** g and d of the step at hand. */
  readonly #g = new Float64Array(COEFFICIENTS);
  readonly #d = new Float64Array(ITEM_FEATURES);

  constructor(config: MfConfig, tables: WriteTables<MfTables>, memory: WritableMemory) {
    super(config, tables, memory);
    this.#settings = config.regression;
    this.#reopened = config.drift.reopen;
    this.#drift = driftRowsOf({ config, tables, memory });
    this.#moves = movesLearnerOf(config, tables, memory);
    this.#memory = memory;
    this.#at = columnsOf(tables);
  }

  learn(sides: Sides, rule: Rule, step: Step): number {
    const { user, item, weight, reach } = step;
    // The factors alone learn again; a rating that weighs nothing teaches nothing.
    if (rule !== 'live') return Math.min(weight, 1 / reach);
    if (weight === 0) return 0;
    const noise = this.#noiseOf(user) / weight;
    let spread = noise;
    if (sides !== 'items') spread += this.#gainOfUser(user);
    if (sides !== 'users') spread += this.#gainOfItem(item);
    if (sides === 'both') spread += this.#gainOfSlopes();
    if (this.#moves) spread += this.#moves.spread(user, item, sides !== 'items', sides !== 'users');
    if (sides !== 'users') this.#settleItem(step);
    if (sides !== 'items') this.#settleUser(step);
    if (sides !== 'items') this.#moveUser(user, step.error, spread);
    if (sides !== 'users') this.#moveItem(item, step.error, spread);
    if (sides === 'both') this.#moveModel(step.error, spread);
    this.#moves?.learn(user, item, step.error, spread);
    return Math.min(weight, noise / spread / reach);
  }

  reopen(half: 'users' | 'items', row: number, moved: number): void {
    const { f32: floats } = this.#memory;
    const { user: level, slope, item } = this.#settings;
    const part = this.#reopened;
    if (half === 'items') {
      const variance = part * Math.max(item, Math.min(VARIANCE_MAX, moved));
      this.#moves?.reopenItem(row, this.#at.bias(row) >>> 3, variance);
      return;
    }
    this.#moves?.reopenUser(row);
    const covariance = this.#at.covariance(row) >>> 2;
    for (let f = 0; f < COEFFICIENTS; f++) {
      const at = covariance + entry(f, f);
      floats[at] = Math.max(floats[at], part * (f === 0 ? level : slope));
    }
  }

  arrive(sides: Sides, user: number, item: number, time: number): void {
    const { f64: doubles, u32: words } = this.#memory;
    if (sides !== 'items') {
      const last = this.#at.ratedAt(user) >>> 3;
      words[this.#at.place(user) >>> 2] = this.placeOf(user, time) + 1;
      doubles[last] = Math.max(doubles[last], time);
    }
    if (sides !== 'users' && words[this.#at.ratingsOfItem(item) >>> 2] === 0)
      doubles[this.#at.first(item) >>> 3] = time;
  }

  begin(users: number, items: number): boolean {
    const { f32: floats, f64: doubles, u32: words } = this.#memory;
    const at = this.#at;
    for (let user = 0; user < users; user++) {
      doubles.fill(0, at.coefficients(user) >>> 3, (at.coefficients(user) >>> 3) + COEFFICIENTS);
      floats.fill(0, at.covariance(user) >>> 2, (at.covariance(user) >>> 2) + entry(COEFFICIENTS, 0));
      doubles[at.missed(user) >>> 3] = doubles[at.lately(user) >>> 3] = doubles[at.ratedAt(user) >>> 3] = 0;
      words[at.place(user) >>> 2] = 0;
      this.#moves?.reopenUser(user);
    }
    for (let item = 0; item < items; item++) {
      this.#moves?.reopenItem(item, at.bias(item) >>> 3, 0);
      for (const column of [at.bias, at.biasVariance, at.effect, at.first]) doubles[column(item) >>> 3] = 0;
    }
    doubles.fill(0, at.means, at.means + FEATURES);
    doubles.fill(0, at.variances, at.variances + FEATURES);
    doubles[at.events] = 0;
    doubles.fill(0, at.slopes, at.slopes + ITEM_FEATURES);
    doubles.fill(0, at.slopeCovariance, at.slopeCovariance + ITEM_FEATURES ** 2);
    return true;
  }

  fit(): void {}

  #noiseOf(user: number): number {
    const { f64: doubles, u32: words } = this.#memory;
    const common = this.#settings.noise;
    const ratings = words[this.#at.ratingsOfUser(user) >>> 2];
    const own = (doubles[this.#at.missed(user) >>> 3] * ratings + common * NOISE_PRIOR) / (ratings + NOISE_PRIOR);
    return (common + own) / 2;
  }

  /** Drift, and <a, A a>. */
  #gainOfUser(user: number): number {
    const { f32: floats } = this.#memory;
    const { user: level, slope, userDrift, slopeDrift } = this.#settings;
    const covariance = this.#at.covariance(user) >>> 2;
    const isNew = floats[covariance] === 0;
    for (let f = 0; f < COEFFICIENTS; f++) {
      const at = covariance + entry(f, f);
      if (isNew) floats[at] = f === 0 ? level : slope;
      if (floats[at] < VARIANCE_MAX) floats[at] += f === 0 ? userDrift : slopeDrift;
    }
    const { a } = this;
    const g = this.#g.fill(0);
    let variance = 0;
    for (let f = 0; f < COEFFICIENTS; f++) {
      for (let k = 0; k < COEFFICIENTS; k++) g[f] += floats[covariance + entry(Math.max(f, k), Math.min(f, k))] * a[k];
      variance += g[f] * a[f];
    }
    return Math.max(0, variance);
  }

  /** Drift, and B. */
  #gainOfItem(item: number): number {
    const { f64: doubles } = this.#memory;
    const at = this.#at.biasVariance(item) >>> 3;
    if (doubles[at] === 0) doubles[at] = this.#settings.item;
    if (doubles[at] < VARIANCE_MAX) doubles[at] += this.#settings.itemDrift;
    return doubles[at];
  }

  /** Drift, and <z, P z>. */
  #gainOfSlopes(): number {
    const { f64: doubles } = this.#memory;
    const { slopeCovariance: covariance } = this.#at;
    const isNew = doubles[covariance] === 0;
    const d = this.#d.fill(0);
    let variance = 0;
    for (let f = 0; f < ITEM_FEATURES; f++) {
      const at = covariance + (ITEM_FEATURES + 1) * f;
      if (isNew) doubles[at] = SLOPE_VARIANCE;
      if (doubles[at] < VARIANCE_MAX) doubles[at] += SLOPE_DRIFT;
    }
    for (let f = 0; f < ITEM_FEATURES; f++) {
      for (let k = 0; k < ITEM_FEATURES; k++) d[f] += doubles[covariance + ITEM_FEATURES * f + k] * this.a[1 + k];
      variance += d[f] * this.a[1 + f];
    }
    return Math.max(0, variance);
  }

  /** The mean effect of the item: with the mean that has the rating already, and the user's level that has not. */
  #settleItem({ user, item, value, weight }: Step): void {
    const { f64: doubles, u32: words } = this.#memory;
    const effect = this.#at.effect(item) >>> 3;
    const own = doubles[this.#at.coefficients(user) >>> 3] + (this.#moves?.beyond(user, item) ?? 0);
    const off = value - this.mean() - own - doubles[effect];
    const ratings = this.#drift?.since('items', item) ?? words[this.#at.ratingsOfItem(item) >>> 2];
    const hasMet = this.#reopened > 0 && this.#drift !== undefined && this.#drift.drifts('items', item) > 0;
    const prior = hasMet ? DRIFTED_PRIOR : EFFECT_PRIOR;
    const moved = doubles[effect] + part(weight, 1 / (ratings + prior)) * off;
    doubles[effect] = Math.max(-EFFECT_MAX, Math.min(EFFECT_MAX, moved));
  }

  #settleUser({ user, error, weight }: Step): void {
    const { f64: doubles, u32: words } = this.#memory;
    const [squares, late] = [this.#at.missed(user) >>> 3, this.#at.lately(user) >>> 3];
    const ratings = words[this.#at.ratingsOfUser(user) >>> 2];
    doubles[squares] += part(weight, ratings === 0 ? 1 : 1 / (ratings + 5)) * (error * error - doubles[squares]);
    doubles[late] += part(weight, LATE_STEP) * (error - doubles[late]);
  }

  #moveUser(user: number, error: number, spread: number): void {
    const { f32: floats, f64: doubles } = this.#memory;
    const x = this.#at.coefficients(user) >>> 3;
    const covariance = this.#at.covariance(user) >>> 2;
    const g = this.#g;
    for (let f = 0; f < COEFFICIENTS; f++) {
      doubles[x + f] = boundBias(doubles[x + f] + (g[f] / spread) * error);
      for (let k = 0; k <= f; k++) floats[covariance + entry(f, k)] -= (g[f] * g[k]) / spread;
    }
  }

  #moveItem(item: number, error: number, spread: number): void {
    const { f64: doubles } = this.#memory;
    const bias = this.#at.bias(item) >>> 3;
    const at = this.#at.biasVariance(item) >>> 3;
    const h = doubles[at];
    doubles[bias] = boundBias(doubles[bias] + (h / spread) * error);
    doubles[at] -= (h * h) / spread;
  }

  /** G, and what is known of the features. */
  #moveModel(error: number, spread: number): void {
    const { f64: doubles } = this.#memory;
    const { slopes, slopeCovariance: covariance, means, variances, events } = this.#at;
    const d = this.#d;
    for (let f = 0; f < ITEM_FEATURES; f++) {
      doubles[slopes + f] = boundBias(doubles[slopes + f] + (d[f] / spread) * error);
      for (let k = 0; k < ITEM_FEATURES; k++) doubles[covariance + ITEM_FEATURES * f + k] -= (d[f] * d[k]) / spread;
    }
    for (let f = 0; f < FEATURES; f++) {
      doubles[means + f] = this.means[f];
      doubles[variances + f] = this.variances[f];
    }
    doubles[events]++;
  }
}

/** A step of a mean, by weight. */
const part = (weight: number, step: number) => Math.min(1, weight * step);

function columnsOf({ users, items, model }: WriteTables<MfTables>) {
  return {
    coefficients: users.column('coefficients'),
    covariance: users.column('covariance'),
    missed: users.column('missed'),
    lately: users.column('lately'),
    ratedAt: users.column('ratedAt'),
    place: users.column('place'),
    ratingsOfUser: users.column('ratings'),
    bias: items.column('bias'),
    biasVariance: items.column('biasVariance'),
    effect: items.column('effect'),
    first: items.column('first'),
    ratingsOfItem: items.column('ratings'),
    means: model.column('means')(0) >>> 3,
    variances: model.column('variances')(0) >>> 3,
    events: model.column('events')(0) >>> 3,
    slopes: model.column('slopes')(0) >>> 3,
    slopeCovariance: model.column('slopeCovariance')(0) >>> 3,
  };
}
