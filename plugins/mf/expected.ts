import { type Address, type Memory, NO_ROW, type ReadTables } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import type { MfTables } from './tables.ts';

/** The mean's value before the first rating, and how many ratings it weighs as much as. */
const PRIOR_MEAN = 3.5;
const PRIOR_WEIGHT = 10;

interface Parts {
  readonly config: MfConfig;
  readonly tables: ReadTables<MfTables>;
  readonly memory: Memory;
  readonly kernels: MfKernels;
}

/** r^ = mu + b_u + b_i + <p_u, q_i>, unclipped; a part that is not known is 0. */
export function expectation({ config, tables, memory, kernels }: Parts): (user: number, item: number) => number {
  const { factors: k, mean } = config;
  const { users, items, model } = tables;
  const userBias = users.column('bias');
  const itemBias = items.column('bias');
  const userVector = k > 0 ? users.column('vector') : noVector;
  const itemVector = k > 0 ? items.column('vector') : noVector;
  const sum = model.column('sum')(0) >>> 3;
  const weight = model.column('weight')(0) >>> 3;
  return (user, item) => {
    let rating = mean ? (PRIOR_WEIGHT * PRIOR_MEAN + memory.f64[sum]) / (PRIOR_WEIGHT + memory.f64[weight]) : 0;
    if (user !== NO_ROW) rating += memory.f32[userBias(user) >>> 2];
    if (item !== NO_ROW) rating += memory.f32[itemBias(item) >>> 2];
    if (user !== NO_ROW && item !== NO_ROW) rating += kernels.dot(userVector(user), itemVector(item), k);
    return rating;
  };
}

/** Stands for the column of vectors where there are none: kernels do not read what is 0 long. */
export const noVector = (): Address => 0 as Address;
