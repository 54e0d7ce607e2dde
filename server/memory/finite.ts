import type { Arena } from './arena.ts';
import type { Table } from './table.ts';

/** The first column of a table that holds a number that is none, or is infinite; undefined: there is none. */
export function findNotFinite({ f32, f64 }: Pick<Arena, 'f32' | 'f64'>, table: Table): string | undefined {
  return Object.entries(table.columns).find(([name, { type, width }]) => {
    if (type === 'u32') return false;
    const [numbers, shift] = type === 'f32' ? [f32, 2] : [f64, 3];
    const column = table.column(name);
    for (let row = 0; row < table.rows; row++) {
      const from = column(row) >>> shift;
      for (let at = from; at < from + width; at++) if (!Number.isFinite(numbers[at])) return true;
    }
    return false;
  })?.[0];
}
