import { type LearnContext, ln } from '../contract/index.ts';
import type { NcfConfig } from './config.ts';
import type { NcfKernels } from './kernels.ts';
import type { NcfTables } from './tables.ts';

/** How many ratings it takes until half is believed of where an item stands: as in `mf`. */
const PRIOR = 20;
/** A vector shorter than the root of this has no direction. */
const SQUARE_MIN = 1e-12;

/** Keeps with an item what makes ranking or comparing all items one dot product each. */
export function standing({
  config: { gmf, popularity },
  tables: { items },
  memory: { f32: floats, u32: words },
  kernels,
}: Pick<LearnContext<NcfConfig, NcfTables, NcfKernels>, 'config' | 'tables' | 'memory' | 'kernels'>) {
  const ratingsOf = items.column('ratings');
  const vectorOf = items.column('vector');
  const rankOf = items.column('rank');
  const likenessOf = items.column('likeness');
  /** After its count or its vector changed: rank_i = w ln(1 + n_i), likeness_i = n_i/(n_i + PRIOR) / |q_i|. */
  return (item: number): void => {
    const ratings = words[ratingsOf(item) >>> 2];
    const square = kernels.dot(vectorOf(item), vectorOf(item), gmf.k);
    floats[rankOf(item) >>> 2] = popularity * ln(1 + ratings);
    floats[likenessOf(item) >>> 2] = ratings / (ratings + PRIOR) / Math.sqrt(Math.max(square, SQUARE_MIN));
  };
}
