import { type LiveRatings, liveRatings, type RefitContext } from '../contract/index.ts';
import type { LearningBase } from './base.ts';
import { baseLearner } from './base-learner.ts';
import type { MfConfig } from './config.ts';
import { forgetDrift } from './drift.ts';
import type { MfKernels } from './kernels.ts';
import { forgetSteps, LENGTH_MAX, shorten } from './optimiser.ts';
import { NOWHERE } from './predictor.ts';
import { relive } from './relive.ts';
import { SequenceLearner } from './sequence-learner.ts';
import { type Standing, standing } from './standing.ts';
import type { MfTables } from './tables.ts';

/**
 * All live ratings again, `epochs` times, each time in another order (stochastic gradient descent: Robbins & Monro 1951;
 * Funk 2006), from the rows as they are, but with vectors that are made shorter first: what one pass left in them that does
 * not hold for all ratings would else be there to the end, most of all in rows that few ratings move (Ash & Adams 2020). For a
 * rating r of weight w:
 *
 *     p *= keep, q *= keep, once
 *     e = r - base - <p_u, q_i>        s = min(w, 1/(eta (2 + |p|² + |q|² + 2 l2)))        m: mean, held still
 *     b += s eta (e - l2 b), of both            p += s eta (e q - l2 p), q likewise, both from where they were
 *
 * so that a step takes away no more than the whole error, as in `plugin.ts`; where there are no biases the 2 is left out.
 * The steps are plain whatever the optimiser: its memory of past steps is void, that of their size stays. Counts, mean,
 * ranks and likenesses are made anew from the live ratings. Frozen items learn too: this is where they do.
 *
 * Regressions have no steps: they begin anew and learn all ratings in turn, once before the epochs and once after them, from
 * what the vectors leave. So do the factors of sequences, once.
 */
export function* refit(context: Context): Generator<number, void, void> {
  const { config, history, random, items } = context;
  const { epochs } = config.refit;
  const live = yield* liveRatings(history, PACE / COST);
  const base = baseLearner(context);
  const sequence = config.ranking === 'sequence' ? new SequenceLearner(context) : undefined;
  const { place } = settle(context, live);
  const step = stepper(context, base);
  const { order } = live;
  const passes = epochs + (config.base === 'bayes' ? 2 : 0) + (sequence ? 1 : 0);
  const whole = Math.max(1, passes * order.length);
  const pace = Math.ceil(PACE / (COST + config.k));
  let done = 0;
  try {
    if (base.begin(context.users, items)) {
      for (const now of relive(context, { base }, pace)) yield now / whole;
      done += order.length;
    }
    yield* dampen(context, pace, done / whole);
    for (let n = 0, left = epochs * order.length; left > 0; left--, done++, n = (n + 1) % order.length) {
      if (done % pace === 0) yield done / whole;
      const row = random.take(order, n);
      step(history.user(row), history.item(row), history.value(row), history.weight(row), history.time(row));
    }
    if (base.begin(context.users, items)) {
      for (const now of relive(context, { base }, pace)) yield (done + now) / whole;
      done += order.length;
    }
    if (sequence) {
      yield* forget(context, pace, done / whole);
      for (const now of relive(context, { sequence }, Math.ceil(pace / SEQUENCE_COST))) yield (done + now) / whole;
    }
    yield 1;
  } finally {
    count(context);
    for (let item = 0; item < items; item++) place(item);
  }
}

/** Multiplies all vectors by `keep`. */
function* dampen(
  { config, tables, memory, users, items }: Context,
  pace: number,
  share: number,
): Generator<number, void, void> {
  const { k, refit } = config;
  if (k === 0 || refit.keep === 1 || refit.epochs === 0) return;
  for (const [table, rows] of [
    [tables.users, users],
    [tables.items, items],
  ] as const) {
    const vectorOf = table.column('vector');
    for (let row = 0; row < rows; row++) {
      if (row % pace === 0) yield share;
      const from = vectorOf(row) >>> 2;
      for (let f = from; f < from + k; f++) memory.f32[f] *= refit.keep;
    }
  }
}

/** Gives the factors of sequences the values that they started with. */
function* forget({ reset, users, items }: Context, pace: number, share: number): Generator<number, void, void> {
  for (let row = 0; row < Math.max(users, items); row++) {
    if (row % pace === 0) yield share;
    if (row < users) reset('tastes', row);
    if (row < items) reset('sequence', row);
  }
}

type Context = RefitContext<MfConfig, MfTables, MfKernels>;

/** From one yield to the next go so many steps that it takes about 10 ms: one costs what COST + k products do. */
const PACE = 2 ** 24;
const COST = 384;
/** What a rating of a sequence costs, by that of a step. */
const SEQUENCE_COST = 12;

/** Makes anew what follows from the live ratings alone. */
function settle(context: Context, { sum, weight }: LiveRatings): Standing {
  const { config, tables, memory, users, items } = context;
  const standings = standing(context);
  forgetDrift(context);
  count(context);
  for (let item = 0; item < items; item++) standings.rank(item);
  memory.f64[tables.model.column('sum')(0) >>> 3] = sum;
  memory.f64[tables.model.column('weight')(0) >>> 3] = weight;
  forgetSteps(config, memory, tables.users, users);
  forgetSteps(config, memory, tables.items, items);
  return standings;
}

/** Notes how many live ratings users and items have. */
function count({ tables, memory, history, users, items }: Context): void {
  const ofUser = tables.users.column('ratings');
  const ofItem = tables.items.column('ratings');
  for (let user = 0; user < users; user++) memory.u32[ofUser(user) >>> 2] = history.userCount(user);
  for (let item = 0; item < items; item++) memory.u32[ofItem(item) >>> 2] = history.itemCount(item);
}

type LearnOne = (user: number, item: number, value: number, weight: number, time: number) => void;

/** Steps both rows of a rating. */
function stepper({ config, tables, memory, kernels, scratch }: Context, base: LearningBase): LearnOne {
  const { k } = config;
  const { eta, l2 } = config.refit;
  const { f32: floats } = memory;
  const userVector = k === 0 ? () => NOWHERE : tables.users.column('vector');
  const itemVector = k === 0 ? () => NOWHERE : tables.items.column('vector');
  const products = scratch(4 * 3);
  const [pq, pp, qq] = [0, 1, 2].map((n) => (products >>> 2) + n);

  return (user, item, value, weight, time) => {
    const [p, q] = [userVector(user), itemVector(item)];
    kernels.gram(p, q, k, products);
    const error = value - base.past(user, item, time) - floats[pq];
    const rate = eta * Math.min(weight, 1 / (eta * (base.fitReach + floats[pp] + floats[qq] + 2 * l2)));
    base.fit(user, item, rate, error, l2);
    // (a + b)² <= 2 (a² + b²): what the longer row's square cannot exceed.
    const most = 2 * Math.max(floats[pp], floats[qq]) * (1 + (rate * error) ** 2);
    kernels.sgdBoth(p, q, k, rate, error, l2);
    if (most <= LENGTH_MAX ** 2) return;
    shorten(p, k, kernels, memory);
    shorten(q, k, kernels, memory);
  };
}
