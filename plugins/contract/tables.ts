import type { Address, WritableAddress } from './address.ts';

/** Tables are declared: the host owns their growth, sharing, hashing, saving and fusing. */

export type ColumnType = 'f32' | 'f64' | 'u32';

export interface ColumnSpec {
  readonly type: ColumnType;
  /** Values in a row, 1 .. 4,096. */
  readonly width: number;
  /**
   * What a new row starts with: zeros, or draws of mean 0 and this standard deviation (f32 only). A draw is a function
   * of (seed, table, column, id), never of the order of arrival.
   */
  readonly initialSd?: number;
  /**
   * That a state may have been saved without it, by the plugin before it had the column: zeros stand for that. Without this
   * such a state is not taken, and the model learns the journal again.
   */
  readonly added?: true;
}

/** A column of 32-bit floats. */
export const f32 = (width = 1, initialSd?: number): ColumnSpec => ({ type: 'f32', width, initialSd });
/** A column of 64-bit floats. */
export const f64 = (width = 1): ColumnSpec => ({ type: 'f64', width });
/** A column of unsigned 32-bit integers. */
export const u32 = (width = 1): ColumnSpec => ({ type: 'u32', width });

/** A column that the plugin has not always had. */
export const added = (column: ColumnSpec): ColumnSpec => ({ ...column, added: true });

export type ColumnSpecs = Readonly<Record<string, ColumnSpec>>;

export interface TableSpec<Columns extends ColumnSpecs = ColumnSpecs> {
  /**
   * What a row stands for: a user, an item, or the `model` (one row, shared by all events). An event may change only
   * the rows of its own user and item, and the model's. Rows of a `pool` stand for nothing by themselves: learning makes
   * them by `append` as it needs them, and names each to `touch` before it is changed.
   */
  readonly index: 'user' | 'item' | 'model' | 'pool';
  readonly columns: Columns;
  /** True when learning also changes rows that it sampled; every such row is then named to `touch`. */
  readonly sampled?: boolean;
  /** Of a pool: the most rows that one event makes, 1 .. 1,024. There is room for them whenever an event is learned. */
  readonly perEvent?: number;
}

export type TableSpecs = Readonly<Record<string, TableSpec>>;

/** Gives the address of one column of a row. Rows never move, so it stays valid while the row exists. */
export type Column<A extends Address = Address> = (row: number) => A;

export interface Table<Columns extends ColumnSpecs = ColumnSpecs, A extends Address = Address> {
  /** Rows that exist. Row numbers run from 0 and are those of the user or item, or those that `append` gave. */
  readonly rows: number;
  /** Bytes from a row to the next one of its segment. */
  readonly stride: number;
  /** Rows in a segment, a power of two: rows are contiguous within it, not across. */
  readonly segmentRows: number;
  /** For kernels that find rows by themselves: the addresses of the segments, a u32 each, in order. */
  readonly directory: Address;
  column(name: keyof Columns & string): Column<A>;
}

export type ReadTables<Specs extends TableSpecs> = {
  readonly [Name in keyof Specs]: Table<Specs[Name]['columns']>;
};

export type WriteTables<Specs extends TableSpecs> = {
  readonly [Name in keyof Specs]: Table<Specs[Name]['columns'], WritableAddress>;
};

/** Calls `visit` with each stretch of contiguous rows of [from, to): its first row and how many. */
export function eachRun(
  table: Pick<Table, 'segmentRows'>,
  from: number,
  to: number,
  visit: (row: number, count: number) => void,
): void {
  const mask = table.segmentRows - 1;
  for (let row = from; row < to; ) {
    const count = Math.min(to - row, table.segmentRows - (row & mask));
    visit(row, count);
    row += count;
  }
}
