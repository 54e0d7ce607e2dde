import type { Block, Numbers } from '../../../models/fusion.ts';

/** The same rows as a model has them, and how much each of them counts: not at all where it does not know the row. */
export interface Weighted {
  readonly block: Block;
  readonly weights: Numbers;
}

/**
 * Averages rows over the models that know them (federated averaging: McMahan, Moore, Ramage, Hampson & Agüera y Arcas 2017):
 *
 *     x = b + sum_n w_n (x_n - b) / sum_n w_n         b: x of the first model that knows the row, of weight w_b > 0
 *
 * A row that one model knows is as it has it, to the bit, and so is one of which all have the same. Where nobody knows it, it
 * stays as the first model has it. All blocks have the same shape.
 */
export function average(parts: readonly Weighted[]): Block {
  const [{ block }] = parts;
  const { rows, width } = block;
  const values = block.values.slice();
  for (let row = 0; row < rows; row++) {
    const known = parts.filter(({ weights }) => weights[row] > 0);
    if (known.length === 0) continue;
    const total = known.reduce((sum, { weights }) => sum + weights[row], 0);
    for (let at = row * width; at < (row + 1) * width; at++) {
      const base = known[0].block.values[at];
      let off = 0;
      for (const part of known) off += part.weights[row] * (part.block.values[at] - base);
      values[at] = base + off / total;
    }
  }
  return { ...block, values };
}

/** Rows of the first model that knows them. */
export function firstKnown(parts: readonly Weighted[]): Block {
  const [{ block }] = parts;
  const { rows, width } = block;
  const values = block.values.slice();
  for (let row = 0; row < rows; row++) {
    const known = parts.find(({ weights }) => weights[row] > 0);
    if (known) values.set(known.block.values.subarray(row * width, (row + 1) * width), row * width);
  }
  return { ...block, values };
}
