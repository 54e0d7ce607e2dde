import { type Memory, NO_ROW, type ReadTables, type WritableAddress } from '../contract/index.ts';
import type { Base } from './base.ts';
import { biasReader } from './biases.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import { Regression } from './regression.ts';
import type { MfTables } from './tables.ts';

/** Where vectors are when there are none: kernels read nothing of them. */
export const NOWHERE = 0 as WritableAddress;

export function baseReader(config: MfConfig, tables: ReadTables<MfTables>, memory: Memory): Base {
  return config.base === 'bayes' ? new Regression(config, tables, memory) : biasReader(config, tables, memory);
}

/** r^ = base + <p_u, q_i>; what is unknown is left out. */
export function predictor(
  config: MfConfig,
  tables: ReadTables<MfTables>,
  memory: Memory,
  kernels: MfKernels,
): (user: number, item: number, time: number) => number {
  const { k } = config;
  const base = baseReader(config, tables, memory);
  const userVector = k === 0 ? () => NOWHERE : tables.users.column('vector');
  const itemVector = k === 0 ? () => NOWHERE : tables.items.column('vector');
  return (user, item, time) => {
    const expected = base.expect(user, item, time);
    if (user === NO_ROW || item === NO_ROW) return expected;
    return expected + kernels.dot(userVector(user), itemVector(item), k);
  };
}
