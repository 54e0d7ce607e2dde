import type { LiveRatings, RefitContext } from '../contract/index.ts';
import { Base, boundBias } from './base.ts';
import type { NcfConfig } from './config.ts';
import type { NcfKernels } from './kernels.ts';
import { restart } from './start.ts';
import { BUCKETS, type NcfTables } from './tables.ts';

type Context = RefitContext<NcfConfig, NcfTables, NcfKernels>;

/** How often the biases of items, given those of users, and the other way round, are solved. */
const SWEEPS = 10;
/** How many ratings of the mean a bias begins with (Koren 2010). */
const PRIORS = { items: 10, users: 5 } as const;

/** First values for the network; counts, mean and biases from the live ratings alone. */
export function* settle(context: Context, { order, sum, weight }: LiveRatings): Generator<number, void, void> {
  const { tables, memory, history, reset, users, items } = context;
  restart(context);
  const count = (side: 'users' | 'items', rows: number, of: (row: number) => number) => {
    const ratings = tables[side].column('ratings');
    for (let row = 0; row < rows; row++) {
      reset(side, row);
      memory.u32[ratings(row) >>> 2] = of(row);
    }
  };
  count('users', users, history.userCount);
  count('items', items, history.itemCount);
  for (const evidence of ['hits', 'squares'])
    memory.f64.fill(0, tables.model.column(evidence)(0) >>> 3, (tables.model.column(evidence)(0) >>> 3) + BUCKETS);
  memory.f64[tables.model.column('sum')(0) >>> 3] = sum;
  memory.f64[tables.model.column('weight')(0) >>> 3] = weight;
  for (let n = 0; n < SWEEPS; n++) {
    for (const side of ['items', 'users'] as const) {
      yield 0;
      solve(context, side, order);
    }
  }
}

/** b = sum of weight (r - m - b of the other side)/(prior + sum of weight), for all rows of a side. */
function solve(context: Context, side: 'users' | 'items', order: Uint32Array): void {
  const { tables, memory, history } = context;
  const base = new Base(context);
  const biasOf = tables[side].column('bias');
  const rows = context[side];
  const sums = new Float64Array(rows);
  const weights = new Float64Array(rows);
  for (const rating of order) {
    const [user, item, weight] = [history.user(rating), history.item(rating), history.weight(rating)];
    const row = side === 'items' ? item : user;
    sums[row] += weight * (history.value(rating) - base.expect(user, item) + memory.f32[biasOf(row) >>> 2]);
    weights[row] += weight;
  }
  for (let row = 0; row < rows; row++) {
    memory.f32[biasOf(row) >>> 2] = boundBias(sums[row] / (weights[row] + PRIORS[side]));
  }
}
