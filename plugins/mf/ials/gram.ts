import { type Address, type ColumnSpecs, f64, type Table, u32 } from '../../contract/index.ts';

/**
 * S = sum v v' over the users, or the items, that have positives: k x k f64, kept in step with every change of a vector.
 * Products of f32 are exact in f64, so that sums alone are rounded. A column holds 4,096 numbers at most, so S is several:
 * blocks of rows, one behind the other.
 */

/** Even, so that the next block begins where a row would. */
const rowsIn = (k: number) => 2 * Math.floor(4096 / k / 2) || 1;
const blocksOf = (k: number) => Math.ceil(k / rowsIn(k));
const nameOf = (block: number) => `rows${block}`;

/** S, and how many vectors are in it. */
export function gramColumns(k: number): ColumnSpecs {
  const blocks = Array.from({ length: blocksOf(k) }, (_, block) => {
    const rows = Math.min(rowsIn(k), k - block * rowsIn(k));
    return [nameOf(block), f64(k * rows)] as const;
  });
  return { ...Object.fromEntries(blocks), count: u32() };
}

/** Where S is. */
export function gramOf<A extends Address>(table: Table<ColumnSpecs, A>, k: number): A {
  const start = table.column(nameOf(0))(0);
  for (let block = 1; block < blocksOf(k); block++) {
    const expected = start + 8 * k * rowsIn(k) * block;
    if (table.column(nameOf(block))(0) !== expected)
      throw new Error(`block ${block} of S does not follow the one before it`);
  }
  return start;
}
