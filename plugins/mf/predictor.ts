import { type Memory, NO_ROW, type ReadTables, type WritableAddress } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import type { MfTables } from './tables.ts';

/** Where vectors are when there are none: kernels read nothing of them. */
export const NOWHERE = 0 as WritableAddress;

/** r^ = m + b_u + b_i + <p_u, q_i>; what is unknown, or switched off, is left out. */
export function predictor(
  { k, mean, bias }: MfConfig,
  tables: ReadTables<MfTables>,
  { f32: floats, f64: doubles }: Memory,
  kernels: MfKernels,
): (user: number, item: number) => number {
  const sum = tables.model.column('sum')(0) >>> 3;
  const weight = tables.model.column('weight')(0) >>> 3;
  const userBias = tables.users.column('bias');
  const itemBias = tables.items.column('bias');
  const userVector = k === 0 ? () => NOWHERE : tables.users.column('vector');
  const itemVector = k === 0 ? () => NOWHERE : tables.items.column('vector');
  return (user, item) => {
    // The mean of the live ratings, and of one more of 3, the middle of the scale.
    let expected = mean ? 3 + doubles[sum] / (1 + doubles[weight]) : 0;
    if (bias.enabled && user !== NO_ROW) expected += floats[userBias(user) >>> 2];
    if (bias.enabled && item !== NO_ROW) expected += floats[itemBias(item) >>> 2];
    if (user !== NO_ROW && item !== NO_ROW) expected += kernels.dot(userVector(user), itemVector(item), k);
    return expected;
  };
}
