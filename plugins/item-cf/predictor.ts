import { type History, type Memory, NO_ROW, type ReadTables, type WritableAddress } from '../contract/index.ts';
import type { ItemCfConfig } from './config.ts';
import type { ItemCfKernels } from './kernels.ts';
import type { ItemCfTables } from './tables.ts';
import type { View } from './views.ts';

/** What the mean of all ratings begins as, and how many ratings that counts for. */
const PRIOR = 3.5;
const PRIOR_WEIGHT = 10;

/** What biases expect. Either row may be `NO_ROW`. */
export interface Biases {
  mean(): number;
  user(user: number): number;
  item(item: number): number;
}

export function biases({ users, items, model }: ReadTables<ItemCfTables>, { f64: doubles }: Memory): Biases {
  const sum = model.column('sum')(0) >>> 3;
  const weight = model.column('weight')(0) >>> 3;
  const userBias = users.column('bias');
  const itemBias = items.column('bias');
  return {
    mean: () => PRIOR + doubles[sum] / (PRIOR_WEIGHT + doubles[weight]),
    user: (user) => (user === NO_ROW ? 0 : doubles[userBias(user) >>> 3]),
    item: (item) => (item === NO_ROW ? 0 : doubles[itemBias(item) >>> 3]),
  };
}

interface Context {
  readonly config: ItemCfConfig;
  readonly tables: ReadTables<ItemCfTables>;
  readonly memory: Memory;
  readonly kernels: ItemCfKernels;
  readonly history: History;
  scratch(bytes: number): WritableAddress;
}

/** The rating expected of a user for an item. */
export function predictor(
  { config, tables, memory, kernels, history, scratch }: Context,
  view: View,
): (user: number, item: number) => number {
  const { history: most, shrink, doubt } = config.neighbours;
  const { mean, user: userBias, item: itemBias } = biases(tables, memory);
  const items = scratch(4 * Math.max(1, most));
  const values = scratch(8 * Math.max(1, most));
  const places = scratch(8 * Math.max(1, most));
  return (user, item) => {
    const common = mean() + userBias(user);
    const expected = common + itemBias(item);
    if (user === NO_ROW || item === NO_ROW || most === 0) return expected;
    const count = history.latest(user, history.userCount(user), most, items, values);
    view.refresh();
    return expected + kernels.lean(view.address, item, count, items, values, places, common, shrink, doubt);
  };
}
