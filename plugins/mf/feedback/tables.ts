import { type ColumnSpecs, f32, u32 } from '../../contract/index.ts';
import type { MfConfig } from '../config.ts';
import type { MfTables } from '../tables.ts';

/**
 * p, b of users and q, b of items, each with the sums of the squares of its gradients. `ratings`: the live events that speak
 * for an item. `likeness` is that of `standing.ts`.
 */
export function feedbackTables(config: MfConfig): MfTables {
  const { scope } = config.feedback;
  const tables: Pick<MfTables, 'users' | 'items' | 'rated' | 'counters'> = {
    users: {
      index: 'user',
      columns: { ...vector(config), ...(config.objective === 'logistic' ? bias : none(config)) },
    },
    items: {
      index: 'item',
      columns: { ...vector(config), ...bias, ratings: u32(), ...(config.k > 0 && { likeness: f32() }) },
      sampled: scope === 'full',
    },
    /** As with sequences. */
    rated: { index: 'item', columns: { item: u32(), isListed: u32() }, sampled: true },
    /** `rated`: items that are listed; `exposures`: live ones. The bias is that of all. */
    counters: { index: 'model', columns: { rated: u32(), exposures: u32(), ...bias } },
  };
  return tables as MfTables;
}

const bias = { bias: f32(), biasSquares: f32() };

const vector = ({ k, feedback }: MfConfig): ColumnSpecs =>
  k === 0 ? {} : { vector: f32(k, feedback.initialSd), squares: f32() };

/** A table has a column: without vectors and biases one that stays 0. */
const none = ({ k }: MfConfig): ColumnSpecs => (k === 0 ? { squares: f32() } : {});
