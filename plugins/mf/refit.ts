import type { History, RefitContext } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import { forgetSteps, LENGTH_MAX, shorten } from './optimiser.ts';
import { NOWHERE } from './predictor.ts';
import { boundBias } from './side.ts';
import { type Standing, standing } from './standing.ts';
import type { MfTables } from './tables.ts';

/**
 * All live ratings again, `epochs` times, each time in another order (stochastic gradient descent: Robbins & Monro 1951;
 * Funk 2006), from the rows as they are. For a rating r of weight w:
 *
 *     e = r - m - b_u - b_i - <p_u, q_i>        s = min(w, 1/(eta (2 + |p|² + |q|² + 2 l2)))        m: mean, held still
 *     b += s eta (e - l2 b), of both            p += s eta (e q - l2 p), q likewise, both from where they were
 *
 * so that a step takes away no more than the whole error, as in `plugin.ts`; where there are no biases the 2 is left out.
 * The steps are plain whatever the optimiser: its memory of past steps is void, that of their size stays. Counts, mean,
 * ranks and likenesses are made anew from the live ratings. Frozen items learn too: this is where they do.
 */
export function* refit(context: Context): Generator<number, void, void> {
  const { config, history, random, items } = context;
  const { epochs } = config.refit;
  const pace = Math.ceil(PACE / (COST + config.k));
  const live = yield* gather(history, PACE / COST);
  const { place } = settle(context, live);
  const step = stepper(context, live);
  const { order } = live;
  const whole = epochs * order.length;
  try {
    for (let done = 0, n = 0; done < whole; n = ++done % order.length) {
      if (done % pace === 0) yield done / whole;
      // Fisher & Yates, as far as it is needed: the next one of those that are left.
      const drawn = n + random.below(order.length - n);
      const row = order[drawn];
      order[drawn] = order[n];
      order[n] = row;
      step(history.user(row), history.item(row), history.value(row), history.weight(row));
    }
    yield 1;
  } finally {
    for (let item = 0; item < items; item++) place(item);
  }
}

type Context = RefitContext<MfConfig, MfTables, MfKernels>;

/** From one yield to the next go so many steps that it takes about 10 ms: one costs what COST + k products do. */
const PACE = 2 ** 24;
const COST = 384;

/** The live ratings that weigh something. */
interface Live {
  /** Their rows, in the order of the epoch. */
  readonly order: Uint32Array;
  /** Sums of weight (value - 3), and of weight. */
  readonly sum: number;
  readonly weight: number;
}

function* gather(history: History, pace: number): Generator<number, Live, void> {
  const rows = new Uint32Array(history.rows);
  let [count, sum, total] = [0, 0, 0];
  for (let row = 0; row < rows.length; row++) {
    if (row % pace === 0) yield 0;
    const weight = history.weight(row);
    if (weight === 0) continue;
    rows[count++] = row;
    sum += weight * (history.value(row) - 3);
    total += weight;
  }
  return { order: rows.subarray(0, count), sum, weight: total };
}

/** Makes anew what follows from the live ratings alone. */
function settle(context: Context, { sum, weight }: Live): Standing {
  const { config, tables, memory, history, users, items } = context;
  const standings = standing(context);
  const ofUser = tables.users.column('ratings');
  const ofItem = tables.items.column('ratings');
  for (let user = 0; user < users; user++) memory.u32[ofUser(user) >>> 2] = history.userCount(user);
  for (let item = 0; item < items; item++) {
    memory.u32[ofItem(item) >>> 2] = history.itemCount(item);
    standings.rank(item);
  }
  memory.f64[tables.model.column('sum')(0) >>> 3] = sum;
  memory.f64[tables.model.column('weight')(0) >>> 3] = weight;
  forgetSteps(config, memory, tables.users, users);
  forgetSteps(config, memory, tables.items, items);
  return standings;
}

type LearnOne = (user: number, item: number, value: number, weight: number) => void;

/** Steps both rows of a rating. */
function stepper({ config, tables, memory, kernels, scratch }: Context, live: Live): LearnOne {
  const { k, bias } = config;
  const { eta, l2 } = config.refit;
  const { f32: floats } = memory;
  const mean = config.mean ? 3 + live.sum / (1 + live.weight) : 0;
  const userVector = k === 0 ? () => NOWHERE : tables.users.column('vector');
  const itemVector = k === 0 ? () => NOWHERE : tables.items.column('vector');
  const userBias = tables.users.column('bias');
  const itemBias = tables.items.column('bias');
  const products = scratch(4 * 3);
  const [pq, pp, qq] = [0, 1, 2].map((n) => (products >>> 2) + n);
  const biases = bias.enabled ? 2 : 0;

  return (user, item, value, weight) => {
    const [p, q] = [userVector(user), itemVector(item)];
    const [ofUser, ofItem] = [userBias(user) >>> 2, itemBias(item) >>> 2];
    kernels.gram(p, q, k, products);
    const error = value - mean - (bias.enabled ? floats[ofUser] + floats[ofItem] : 0) - floats[pq];
    const rate = eta * Math.min(weight, 1 / (eta * (biases + floats[pp] + floats[qq] + 2 * l2)));
    if (bias.enabled) {
      floats[ofUser] = boundBias(floats[ofUser] + rate * (error - l2 * floats[ofUser]));
      floats[ofItem] = boundBias(floats[ofItem] + rate * (error - l2 * floats[ofItem]));
    }
    // (a + b)² <= 2 (a² + b²): what the longer row's square cannot exceed.
    const most = 2 * Math.max(floats[pp], floats[qq]) * (1 + (rate * error) ** 2);
    kernels.sgdBoth(p, q, k, rate, error, l2);
    if (most <= LENGTH_MAX ** 2) return;
    shorten(p, k, kernels, memory);
    shorten(q, k, kernels, memory);
  };
}
