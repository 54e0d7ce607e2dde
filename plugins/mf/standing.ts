import { type LearnContext, ln, type WritableMemory, type WriteTables } from '../contract/index.ts';
import type { MfConfig } from './config.ts';
import type { MfKernels } from './kernels.ts';
import type { MfTables } from './tables.ts';

/**
 * How many ratings it takes until half is believed of where an item stands: the vector of one that few rated is mostly the
 * draw that it began with. Chosen on ml-latest-small, where it gives an item neighbours that share most genres with it,
 * and kept on MovieLens 100K.
 */
const PRIOR = 20;
/** A vector shorter than the root of this has no direction. */
const SQUARE_MIN = 1e-12;

/** What is kept with an item so that ranking or comparing all items costs one dot product each. */
export interface Standing {
  /** After its count changed: rank_i = w ln(1 + n_i). */
  rank(item: number): void;
  /** After its count or its vector changed: likeness_i = n_i/(n_i + PRIOR) / |q_i|. */
  place(item: number): void;
}

export function standing({
  config: { k, popularity },
  tables: { items },
  memory,
  kernels,
}: Pick<LearnContext<MfConfig, MfTables, MfKernels>, 'config' | 'tables' | 'memory' | 'kernels'>): Standing {
  const { f32: floats, u32: words } = memory;
  const ratingsOf = items.column('ratings');
  const rankOf = items.column('rank');
  const rank = (item: number) => {
    floats[rankOf(item) >>> 2] = popularity * ln(1 + words[ratingsOf(item) >>> 2]);
  };
  return { rank, place: placing({ config: { k }, tables: { items }, memory, kernels }) };
}

/** `place` alone. */
export function placing({
  config: { k },
  tables: { items },
  memory: { f32: floats, u32: words },
  kernels,
}: {
  readonly config: Pick<MfConfig, 'k'>;
  readonly tables: Pick<WriteTables<MfTables>, 'items'>;
  readonly memory: WritableMemory;
  readonly kernels: MfKernels;
}): (item: number) => void {
  if (k === 0) return () => {};
  const ratingsOf = items.column('ratings');
  const vectorOf = items.column('vector');
  const likenessOf = items.column('likeness');
  return (item) => {
    const ratings = words[ratingsOf(item) >>> 2];
    const square = kernels.dot(vectorOf(item), vectorOf(item), k);
    floats[likenessOf(item) >>> 2] = ratings / (ratings + PRIOR) / Math.sqrt(Math.max(square, SQUARE_MIN));
  };
}
