import { type ColumnSpecs, f32, f64, u32 } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { stateColumns } from './optimiser.ts';

/** The tables of `mf`. Without factors there are no vectors. */
export function tables(config: MfConfig) {
  const sampled = config.replay.scope === 'uniform' && config.replay.count > 0;
  return {
    users: { index: 'user', columns: sideColumns(config), sampled },
    /**
     * `rank`: the part of an item's ranking score that is the same for all users. `likeness`: what makes a product of
     * another item's direction with its vector their likeness.
     */
    items: { index: 'item', columns: { ...sideColumns(config), ...itemColumns(config) } as ColumnSpecs, sampled },
    /** Over all live ratings: the sum of weight (value - 3), and of weight. */
    model: { index: 'model', columns: { sum: f64(), weight: f64() } },
  } as const;
}

export type MfTables = ReturnType<typeof tables>;

/** `ratings`: live ratings of a user or an item. */
function sideColumns(config: MfConfig): ColumnSpecs {
  const { k, initialSd } = config;
  const counters = { bias: f32(), ratings: u32() };
  return k === 0 ? counters : { vector: f32(k, initialSd), ...stateColumns(config), ...counters };
}

const itemColumns = ({ k }: MfConfig): ColumnSpecs => (k === 0 ? { rank: f32() } : { rank: f32(), likeness: f32() });
