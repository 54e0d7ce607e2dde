import type { TableSpecs } from '../../plugins/contract/index.ts';
import { Table, type TableDescriptor } from '../../server/memory/table.ts';
import type { WritableModel } from '../../server/models/writable-model.ts';
import type { Lab } from './lab.ts';

/** The rows of a lab's model, as bytes and as numbers. */

export interface LabTable {
  readonly name: string;
  readonly index: 'user' | 'item' | 'model' | 'pool';
  readonly sampled: boolean;
  /** As many as there are now. */
  readonly rows: number;
  readonly bytes: (row: number) => Uint8Array;
  /** Every value of a row, column after column. */
  readonly values: (row: number) => number[];
}

export function tablesOf(lab: Lab): LabTable[] {
  const { descriptor, plugin } = lab.model;
  const specs: TableSpecs = plugin.tables(descriptor.config);
  return Object.entries(specs).map(([name, { index, sampled = false }]) => {
    const table = new Table(lab.arena, descriptor.tables[name]);
    return {
      name,
      index,
      sampled,
      get rows() {
        return table.rows;
      },
      bytes: rowBytes(lab, table),
      values: rowValues(lab, table),
    };
  });
}

/** Every value of every table, as text to compare. */
export function valuesOf(lab: Lab): string {
  return JSON.stringify(
    tablesOf(lab).map((table) => Array.from({ length: table.rows }, (_, row) => table.values(row))),
  );
}

export function rowBytes({ arena }: Lab, table: Table): (row: number) => Uint8Array<SharedArrayBuffer> {
  const columns = Object.keys(table.columns).map((name) => table.column(name));
  return (row) => {
    const start = Math.min(...columns.map((column) => column(row)));
    return arena.u8.subarray(start, start + table.stride) as Uint8Array<SharedArrayBuffer>;
  };
}

function rowValues({ arena }: Lab, table: Table): (row: number) => number[] {
  const views = { f32: arena.f32, f64: arena.f64, u32: arena.u32 };
  const columns = Object.entries(table.columns).map(([name, { type, width }]) => {
    const column = table.column(name);
    const shift = type === 'f64' ? 3 : 2;
    return (row: number) => Array.from(views[type].subarray(column(row) >>> shift, (column(row) >>> shift) + width));
  });
  return (row) => columns.flatMap((column) => column(row));
}

/** Rows of the same ids in two labs, and how each is called. */
export function sharedRows(a: Lab, b: Lab): { name: string; inA: number[]; inB: number[] }[] {
  const tablesOfB = new Map(tablesOf(b).map((table) => [table.name, table]));
  return tablesOf(a).flatMap((table) => {
    const other = tablesOfB.get(table.name);
    if (!other) return [];
    return Array.from({ length: table.rows }, (_, row) => {
      const id = { user: a.world.users, item: a.world.items, model: undefined, pool: undefined }[table.index]?.text(
        row,
      );
      const places = { user: b.userRow, item: b.itemRow, model: () => 0, pool: () => row };
      const place = places[table.index].call(b, id ?? '');
      return {
        name: `${table.name} ${id || row}`,
        inA: table.values(row),
        inB: place < other.rows ? other.values(place) : [],
      };
    });
  });
}

/** Which rows differ by more than `tolerance` of the larger value, and where first. */
export function differences(a: Lab, b: Lab, tolerance = 0): string[] {
  return sharedRows(a, b).flatMap(({ name, inA, inB }) => {
    const at = inA.findIndex((value, n) => !near(value, inB[n], tolerance));
    return at < 0 ? [] : [`${name}: value ${at} is ${inA[at]}, not ${inB[at]}`];
  });
}

function near(a: number, b: number, tolerance: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Gives the model of `to`, and its inputs, the state of those of `from`; both worlds have the same ids and ratings, in the same rows. */
export function copyState(from: Lab, to: Lab): void {
  const models = [to.model, ...to.inputs];
  for (const [n, model] of [from.model, ...from.inputs].entries()) {
    const source = stateTables(from, model);
    for (const [name, target] of Object.entries(stateTables(to, models[n]))) {
      target.grow(source[name].rows);
      const [read, write] = [rowBytes(from, source[name]), rowBytes(to, target)];
      for (let row = 0; row < target.rows; row++) write(row).set(read(row));
    }
  }
}

/** The tables of a model, and those of its live figures. */
function stateTables({ arena }: Lab, model: WritableModel): Record<string, Table> {
  const { tables, prequential } = model.descriptor;
  const { totals, errors, ranks } = prequential;
  const all: Record<string, TableDescriptor> = { ...tables, '(totals)': totals, '(errors)': errors, '(ranks)': ranks };
  return Object.fromEntries(Object.entries(all).map(([name, descriptor]) => [name, new Table(arena, descriptor)]));
}
