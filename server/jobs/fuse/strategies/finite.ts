import type { Blocks } from '../../../models/fusion.ts';
import { type Members, refuseSource } from './members.ts';

/**
 * What comes of numbers that are too large, or of covariances that are none, is no model, and a guard may not see it: it asks
 * for the rows of its window alone. Throws INVALID_FIELD.
 */
export function requireFinite({ all: [first, ...sources] }: Members, blocks: Blocks): void {
  for (const [column, { values, width }] of blocks) {
    const before = first.blocks.get(column)?.values;
    // What a model itself has so is its own affair.
    const at = values.findIndex((value, n) => !Number.isFinite(value) && Number.isFinite(before?.[n] ?? 0));
    if (at < 0) continue;
    const [row, names] = [Math.floor(at / width), sources.map(({ name }) => name).join(', ')];
    throw refuseSource(
      { field: 'sources', name: names },
      `would bring row ${row} of ${column} to ${values[at]}: they have numbers that are too large, or covariances that are none`,
    );
  }
}
