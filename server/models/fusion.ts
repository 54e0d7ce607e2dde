import type { ColumnType, Fusion, Meaning, Plugin, TableSpecs } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import type { Table } from '../memory/table.ts';
import type { Model } from './model.ts';
import { columnsOf } from './table-specs.ts';

/** The tables of a model as matrices, for who fuses models: by what its plugin declares. */

export type Numbers = Float32Array | Float64Array | Uint32Array;

/** Row by row. */
export interface Block {
  readonly type: ColumnType;
  readonly rows: number;
  readonly width: number;
  readonly values: Numbers;
}

/** Blocks by the whole names of their columns. */
export type Blocks = ReadonlyMap<string, Block>;

export type Meanings = Readonly<Record<string, Meaning>>;

const ARRAYS = { f32: Float32Array, f64: Float64Array, u32: Uint32Array } as const;

/** A block of zeros. */
export function emptyBlock(type: ColumnType, rows: number, width: number): Block {
  return { type, rows, width, values: new ARRAYS[type](rows * width) };
}

/** Of a block. */
export function bytesOf(type: ColumnType, rows: number, width: number): number {
  return rows * width * ARRAYS[type].BYTES_PER_ELEMENT;
}

/** What a plugin declares under a configuration, or why it is not fused, as a clause. Throws PLUGIN_INVALID. */
export function fusionOf({ name, fusion, tables }: Plugin, config: { readonly seed: number }): Fusion<never> | string {
  const declared = fusion?.(config) ?? 'its plugin does not say what its tables mean to others';
  if (typeof declared === 'string') return declared;
  const faults = fusionFaults(tables(config), declared.columns);
  if (faults.length === 0) return declared;
  throw new AccreteError('PLUGIN_INVALID', `Plugin ${name} declares a fusion that cannot be: ${faults.join('; ')}`);
}

/** The same of a model that is known to be fused. */
export function requireFusion(name: string, plugin: Plugin, config: { readonly seed: number }): Fusion<never> {
  const fusion = fusionOf(plugin, config);
  if (typeof fusion === 'string') throw new TypeError(`${name} is not fused: ${fusion}`);
  return fusion;
}

/** What is wrong with a declaration; empty: nothing. */
export function fusionFaults(specs: TableSpecs, meanings: Meanings): string[] {
  const columns = columnsOf(specs);
  const needs = (name: string, other: string, as: Meaning['as']) => {
    if (meanings[other]?.as !== as) return [`${name} needs ${other}, which is declared as no ${as}`];
    return columns.get(other)?.index === columns.get(name)?.index ? [] : [`${name} and ${other} have different rows`];
  };
  const missing = [...columns.keys()].filter((name) => !meanings[name]).map((name) => `${name} is not declared`);
  const wrong = Object.entries(meanings).flatMap(([name, meaning]) => {
    const index = columns.get(name)?.index;
    if (!index) return [`${name} is no column`];
    if (index === 'pool' && meaning.as !== 'own') return [`${name} is of a pool, whose rows stand for nothing`];
    if (meaning.as === 'gaussian') return needs(name, meaning.covariance, 'covariance');
    if (meaning.as === 'sum' && meaning.exponent) return needs(name, meaning.exponent, 'exponent');
    return 'weight' in meaning ? needs(name, meaning.weight, 'count') : [];
  });
  return [...missing, ...wrong];
}

/** What a model has of the columns that are not its own alone; `take` hears how many bytes each will have. */
export function readBlocks(model: Model, meanings: Meanings, take: (bytes: number) => void = () => {}): Blocks {
  const names = Object.keys(meanings).filter((name) => meanings[name].as !== 'own');
  return new Map(
    names.map((name) => {
      const { table, type, width, at, memory } = findColumn(model, name);
      take(bytesOf(type, table.rows, width));
      const block = emptyBlock(type, table.rows, width);
      for (let row = 0; row < table.rows; row++)
        block.values.set(memory.subarray(at(row), at(row) + width), row * width);
      return [name, block];
    }),
  );
}

/** Nobody else reads or writes the model meanwhile, and it has the rows. */
export function writeBlocks(model: Model, blocks: Blocks): void {
  for (const [name, { rows, width, values }] of blocks) {
    const { table, at, memory } = findColumn(model, name);
    for (let row = 0; row < rows; row++) {
      table.touch(row);
      memory.set(values.subarray(row * width, (row + 1) * width), at(row));
    }
  }
}

function findColumn(model: Model, name: string) {
  const [tableName, columnName] = name.split('.');
  const table: Table = model.stateTables()[tableName];
  const { type, width } = table.columns[columnName];
  const address = table.column(columnName);
  const shift = type === 'f64' ? 3 : 2;
  return { table, type, width, memory: model.arena[type], at: (row: number) => address(row) >>> shift };
}
