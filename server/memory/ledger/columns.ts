import type { ColumnSpecs } from '../../../plugins/contract/index.ts';
import type { Table } from '../table.ts';

/** By the name of a column: where it is in a row. */
export type ColumnsOf<Columns extends ColumnSpecs> = { readonly [Name in keyof Columns]: (row: number) => number };

/** Of all columns of a table. */
export function columnsOf<Columns extends ColumnSpecs>(table: Table<Columns>): ColumnsOf<Columns> {
  const names = Object.keys(table.columns) as (keyof Columns & string)[];
  const columns: Partial<Record<keyof Columns, (row: number) => number>> = {};
  for (const name of names) columns[name] = table.column(name);
  return columns as ColumnsOf<Columns>;
}
