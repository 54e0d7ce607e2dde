import type { Memory, Rated, ReadTables, WritableMemory, WriteTables } from '../contract/index.ts';
import type { MfTables } from './tables.ts';

/** The mean of the live ratings, and of `prior` more of that value. */
export function meanReader(
  tables: ReadTables<MfTables>,
  { f64: doubles }: Memory,
  prior: { readonly value: number; readonly weight: number },
): () => number {
  const sum = tables.model.column('sum')(0) >>> 3;
  const weight = tables.model.column('weight')(0) >>> 3;
  const more = prior.weight * (prior.value - 3);
  return () => 3 + (doubles[sum] + more) / (doubles[weight] + prior.weight);
}

/** Counts a rating into the mean (1), or out of it (-1). */
export function meanWriter(tables: WriteTables<MfTables>, { f64: doubles }: WritableMemory) {
  const sum = tables.model.column('sum')(0) >>> 3;
  const total = tables.model.column('weight')(0) >>> 3;
  return ({ value, weight }: Pick<Rated, 'value' | 'weight'>, sign: 1 | -1): void => {
    doubles[sum] += sign * weight * (value - 3);
    doubles[total] += sign * weight;
  };
}
