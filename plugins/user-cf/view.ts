import { type Memory, NO_ROW, type ReadTables } from '../contract/index.ts';
import type { Config, Tables } from './tables.ts';

/** What learning and scoring read of the tables. */
export function view({ neighbours, doubt }: Config, tables: ReadTables<Tables>, { f32, f64, u32 }: Memory) {
  const sum = tables.model.column('sum')(0) >>> 3;
  const weight = tables.model.column('weight')(0) >>> 3;
  const userBias = tables.users.column('bias');
  const itemBias = tables.items.column('bias');
  const pageOf = tables.users.column('page');
  const keyOf = tables.neighbours.column('key');
  const commonOf = tables.neighbours.column('common');
  const productOf = tables.neighbours.column('product');
  /** The user's row of `neighbours`, or `NO_ROW`. */
  const rowOf = (user: number) => {
    const page = user < tables.users.rows ? u32[pageOf(user) >>> 2] : 0;
    return page > 0 && page <= tables.neighbours.rows ? page - 1 : NO_ROW;
  };
  /** The only place in a row where a neighbour may be. */
  const placeOf = (neighbour: number) => (Math.imul(neighbour, 0x9e37_79b1) >>> 8) % neighbours;

  return {
    rowOf,
    placeOf,

    /** False of what stands in a rating that is being written just now. */
    exists: (user: number) => user < tables.users.rows,

    /** m + b_u + b_i; what is unknown is left out. */
    base(user: number, item: number): number {
      let expected = 3 + f64[sum] / (1 + f64[weight]);
      if (user !== NO_ROW) expected += f64[userBias(user) >>> 3];
      if (item !== NO_ROW) expected += f64[itemBias(item) >>> 3];
      return expected;
    },

    /** s_uv, of a user whose row of `neighbours` is `row`; 0 where there is none. */
    agreement(row: number, neighbour: number): number {
      if (row === NO_ROW) return 0;
      const place = placeOf(neighbour);
      if (u32[(keyOf(row) >>> 2) + place] !== neighbour + 1) return 0;
      const agreement = f32[(productOf(row) >>> 2) + place] / Math.max(1, u32[(commonOf(row) >>> 2) + place] + doubt);
      return Math.max(-1, Math.min(1, agreement));
    },
  };
}

export type View = ReturnType<typeof view>;
