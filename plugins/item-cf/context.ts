import type { LearnContext, RefitContext } from '../contract/index.ts';
import type { ItemCfConfig } from './config.ts';
import type { ItemCfKernels } from './kernels.ts';
import type { ItemCfTables } from './tables.ts';

/** What learning takes: as much as a refit is given, and `touch`. */
export type Context = Omit<
  LearnContext<ItemCfConfig, ItemCfTables, ItemCfKernels>,
  'random' | 'inputs' | 'events' | 'reset'
>;

export type Refit = RefitContext<ItemCfConfig, ItemCfTables, ItemCfKernels>;
