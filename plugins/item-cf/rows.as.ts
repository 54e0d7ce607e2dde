// Rows are found by kernels themselves: a view is the address of words that say where tables are (`views.ts`). Numbers of
// rows come from tables that another thread may be writing: those beyond the rows that exist are passed over.

// Words of a view of `items` and `pairs`.
export const ITEMS: usize = 0;
export const BIAS: usize = 20;
export const SETS: usize = 24;
export const PAGES: usize = 28;
export const DISCOUNT: usize = 32;
export const RATINGS: usize = 36;
export const PAIRS: usize = 40;

// Words of a view of any table, from where it begins.
const DIRECTORY: usize = 0;
const SHIFT: usize = 4;
const MASK: usize = 8;
const STRIDE: usize = 12;
export const ROWS: usize = 16;

/** What is left of a sum when all of its parts were taken out, as a part of it. */
export const NOTHING: f32 = 1e-4;

// @ts-ignore: decorator
@inline
export function rowOf(view: usize, row: u32): usize {
  const segment = load<u32>(load<u32>(view, DIRECTORY) + (<usize>(row >>> load<u32>(view, SHIFT)) << 2));
  return segment + (row & load<u32>(view, MASK)) * load<u32>(view, STRIDE);
}

// @ts-ignore: decorator
@inline
export function discountOf(view: usize, item: u32): usize {
  return rowOf(view + ITEMS, item) + load<u32>(view, DISCOUNT);
}
