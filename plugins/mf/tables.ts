import {
  type ColumnSpecs,
  driftItem,
  driftTable,
  driftUser,
  f32,
  f64,
  type TableSpec,
  u32,
} from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import { driftRow, movesItem, movesUser } from './drift-columns.ts';
import { stateColumns } from './optimiser.ts';
import { itemRegression, modelRegression, userRegression } from './regression-columns.ts';

/** The tables of `mf`. Without factors there are no vectors. */
export function tables(config: MfConfig): MfTables {
  const sampled = config.replay.scope === 'uniform' && config.replay.count > 0;
  const bayes = config.base === 'bayes';
  const hasMoves = bayes && config.drift.enabled;
  const common: Pick<MfTables, 'users' | 'items' | 'model'> = {
    users: {
      index: 'user',
      columns: {
        ...sideColumns(config),
        ...(bayes ? userRegression : BIAS),
        ...(config.drift.enabled && driftUser),
        ...(hasMoves && movesUser),
      },
      sampled,
    },
    /**
     * `rank`: the part of an item's ranking score that is the same for all users. `likeness`: what makes a product of
     * another item's direction with its vector their likeness.
     */
    items: {
      index: 'item',
      columns: {
        ...sideColumns(config),
        ...(bayes ? itemRegression : BIAS),
        ...itemColumns(config),
        ...(config.drift.enabled && driftItem),
        ...(hasMoves && movesItem),
      },
      sampled,
    },
    /** Over all live ratings: the sum of weight (value - 3), and of weight. */
    model: { index: 'model', columns: { sum: f64(), weight: f64(), ...(bayes && modelRegression) } },
    ...(config.drift.enabled && { drift: driftTable }),
  };
  return (config.ranking === 'sequence' ? { ...common, ...sequenceTables(config) } : common) as MfTables;
}

/** `tastes` to `counters` are there where items are ranked by sequence, `userGram` and `itemGram` with the objective `ials`. */
export type MfTables = Readonly<
  Record<
    'users' | 'items' | 'model' | 'tastes' | 'sequence' | 'rated' | 'counters' | 'userGram' | 'itemGram',
    TableSpec
  >
> & { readonly drift: typeof driftTable };

const BIAS = { bias: f32() };

/** `ratings`: live ratings of a user or an item; what they know of drift. */
function sideColumns(config: MfConfig): ColumnSpecs {
  const { k, initialSd } = config;
  const counters = { ratings: u32(), ...(config.drift.enabled && driftRow) };
  return k === 0 ? counters : { vector: f32(k, initialSd), ...stateColumns(config), ...counters };
}

const itemColumns = ({ k }: MfConfig): ColumnSpecs => (k === 0 ? { rank: f32() } : { rank: f32(), likeness: f32() });

/**
 * P of users; Q, Y and b of items, with the sums of the squares of their gradients. An event changes the Y of what its
 * user rated last, and where all items learn, what it is told apart from.
 */
const sequenceTables = ({ sequence: { k, initialSd } }: MfConfig) => ({
  tastes: { index: 'user', columns: { taste: f32(k, initialSd), squares: f32() } } as const,
  sequence: {
    index: 'item',
    columns: {
      next: f32(k, initialSd),
      trace: f32(k, initialSd),
      bias: f32(),
      nextSquares: f32(),
      traceSquares: f32(),
    },
    sampled: true,
  } as const,
  /**
   * The items that were ever rated, in the order in which that began: `item` of row n is the n-th of them, `isListed` is of
   * the row's own item. Drawn from these, nothing depends on which items have rows.
   */
  rated: { index: 'item', columns: { item: u32(), isListed: u32() }, sampled: true } as const,
  counters: { index: 'model', columns: { rated: u32() } } as const,
});
