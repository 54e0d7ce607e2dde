import { type Device, SVD_MAX } from '../../../../plugins/contract/index.ts';
import type { Block } from '../../../models/fusion.ts';
import { truncate } from './concatenate.ts';
import {
  type Diagnostics,
  type FactorColumn,
  knows,
  type Member,
  type Members,
  rankOf,
  refuseSource,
  requireBlock,
  spacesOf,
  weightsOf,
} from './members.ts';

/**
 * Factors side by side: of a user's row each model's part weighs as much as each other's that knows the user, of an item's row
 * it is there or not. So a product of two rows is the mean of what the models say that know the user, where one that does not
 * know the item says nothing (0); then as many factors are kept as the model has, or fewer: the others are 0.
 */
export async function concatenateFactors(
  members: Members,
  device: Device,
  rank: number,
): Promise<{ blocks: Map<string, Block>; diagnostics: Diagnostics }> {
  const [first] = members.all;
  const blocks = new Map<string, Block>();
  let least = 1;
  let widest = 0;
  for (const columns of spacesOf(members.meanings).values()) {
    const all = members.all.filter((member) => knows(member, columns));
    if (all.length === 1) continue;
    const width = all.reduce((sum, member) => sum + rankOf(member, columns), 0);
    if (width > SVD_MAX) throw tooWide(all, width);
    const own = rankOf(first, columns);
    const kept = Math.min(own, rank || own);
    const of = (side: FactorColumn['side']) => columns.filter((column) => column.side === side);
    const [left, right] = (['left', 'right'] as const).map((side) => stack(all, of(side), width));
    const narrow = await truncate(device, { left, right, width }, kept);
    for (const side of ['left', 'right'] as const) scatter(all, of(side), narrow[side], kept, blocks);
    least = Math.min(least, narrow.kept);
    widest = Math.max(widest, width);
  }
  return { blocks, diagnostics: { concatenated_rank: widest, kept_energy: least } };
}

function tooWide(all: readonly Member[], width: number) {
  const last = all[all.length - 1];
  return refuseSource(
    last,
    `brings the factors to ${width} side by side, and ${SVD_MAX} are the most: name fewer sources`,
  );
}

/** The rows of some columns, one column after the other. */
function stack(all: readonly Member[], columns: readonly FactorColumn[], width: number): Float32Array {
  const rows = columns.reduce((sum, { name }) => sum + requireBlock(all[0], name).rows, 0);
  const stacked = new Float32Array(rows * width);
  let at = 0;
  for (const { name, side, weight } of columns) {
    const parts = all.map((member) => ({ ...requireBlock(member, name), weights: weightsOf(member, weight) }));
    for (let row = 0; row < parts[0].rows; row++) {
      const known = parts.reduce((sum, { weights }) => sum + (weights[row] > 0 ? 1 : 0), 0);
      const scale = side === 'left' ? 1 / known : 1;
      for (const { values, width: k, weights } of parts) {
        if (weights[row] > 0) for (let n = 0; n < k; n++) stacked[at + n] = scale * values[row * k + n];
        at += k;
      }
    }
  }
  return stacked;
}

/** Back into columns as wide as those of the first model; a row that nobody knows stays as it has it. */
function scatter(
  all: readonly Member[],
  columns: readonly FactorColumn[],
  narrow: Float32Array,
  rank: number,
  into: Map<string, Block>,
): void {
  let at = 0;
  for (const { name, weight } of columns) {
    const block = requireBlock(all[0], name);
    const { rows, width } = block;
    const values = block.values.slice();
    for (let row = 0; row < rows; row++, at += rank) {
      if (!all.some((member) => weightsOf(member, weight)[row] > 0)) continue;
      values.fill(0, row * width, (row + 1) * width);
      values.set(narrow.subarray(at, at + rank), row * width);
    }
    into.set(name, { ...block, values });
  }
}
