import { z } from 'zod';
import type { ColumnType, TableSpec } from '../../../plugins/contract/index.ts';
import { configHash } from '../../config/hash.ts';
import { findFiles } from '../held.ts';
import { findStretches, type Stretch } from '../stretches.ts';
import { foreignFile } from './refusals.ts';
import type { Dtype } from './safetensors.ts';
import { parseStrictly } from './strict-json.ts';

/** What a model file says of itself, in its metadata, and how its tensors are called: docs/model-files.md. */

const FILE_FORMAT = '1';

/** A table, whose columns are tensors. */
export interface DescribedTable {
  readonly index: TableSpec['index'];
  readonly rows: number;
}

export interface Description {
  /** As it was named when the model was loaded: never loaded because of a file. */
  readonly plugin: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the plugin that wrote the tables. */
  readonly stateVersion: number;
  readonly tables: ReadonlyMap<string, DescribedTable>;
  /** What it has learned, that of files that were fused into it included; of what others than servers made, nothing is known. */
  readonly learned: readonly Stretch[];
  /** The SHA-256 of these files. */
  readonly files: readonly string[];
}

export const IDS = ['users', 'items'] as const;
export type IdsName = (typeof IDS)[number];

export const DTYPE_OF: Readonly<Record<ColumnType, Dtype>> = { f32: 'F32', f64: 'F64', u32: 'U32' };
export const TYPE_OF: ReadonlyMap<Dtype, ColumnType> = new Map([
  ['F32', 'f32'],
  ['F64', 'f64'],
  ['U32', 'u32'],
]);

/** The bytes of the ids of all rows, and where each begins in them; one more says where the last one ends. */
export const idsTensors = (name: IdsName) => ({ bytes: `ids.${name}.bytes`, starts: `ids.${name}.starts` });
export const columnTensor = (table: string, column: string) => `table.${table}.${column}`;

export const NAME = /^[a-z][A-Za-z0-9]{0,63}$/;
const PLUGIN_LENGTH_MAX = 1024;
const TABLES_MAX = 64;

const tablesForm = z.record(
  z.string().regex(NAME),
  z.strictObject({ index: z.enum(['user', 'item', 'model', 'pool']), rows: z.int().min(0) }),
);

/** `more`: what is told besides, and read by nobody. */
export function encodeDescription(
  { plugin, config, stateVersion, tables, learned, files }: Description,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    accrete: FILE_FORMAT,
    plugin,
    config: JSON.stringify(config),
    configHash: configHash(config),
    stateVersion: String(stateVersion),
    tables: JSON.stringify(Object.fromEntries(tables)),
    learned: JSON.stringify(learned),
    ...(files.length > 0 && { files: JSON.stringify(files) }),
    ...more,
  };
}

/** Throws FILE_FOREIGN. */
export function decodeDescription(metadata: ReadonlyMap<string, string>, file: string): Description {
  const require = (key: string) => {
    const text = metadata.get(key);
    if (text === undefined) throw foreignFile(file, `its metadata have no ${JSON.stringify(key)}`);
    return text;
  };
  const format = require('accrete');
  if (format !== FILE_FORMAT)
    throw foreignFile(
      file,
      `its format is ${JSON.stringify(format.slice(0, 20))}, and ${FILE_FORMAT} is what can be read`,
    );
  const plugin = require('plugin');
  if (plugin === '' || plugin.length > PLUGIN_LENGTH_MAX)
    throw foreignFile(file, `"plugin" has 1 to ${PLUGIN_LENGTH_MAX} characters`);
  const stateVersion = require('stateVersion');
  if (!/^\d{1,9}$/.test(stateVersion)) throw foreignFile(file, '"stateVersion" is no number');
  const config = z.record(z.string(), z.unknown()).safeParse(parse(require('config'), 'config', file));
  if (!config.success) throw foreignFile(file, '"config" is no object of JSON');
  const tables = tablesForm.safeParse(parse(require('tables'), 'tables', file));
  if (!tables.success)
    throw foreignFile(file, '"tables" maps each name (a-z, then letters and digits) to {"index": …, "rows": …}');
  const named = Object.entries(tables.data);
  if (named.length > TABLES_MAX) throw foreignFile(file, `it has more than ${TABLES_MAX} tables`);
  const held = { learned: decodeLearned(metadata, file), files: decodeFiles(metadata, file) };
  return { plugin, config: config.data, stateVersion: Number(stateVersion), tables: new Map(named), ...held };
}

function decodeLearned(metadata: ReadonlyMap<string, string>, file: string): readonly Stretch[] {
  const text = metadata.get('learned');
  if (text === undefined) return [];
  const learned = findStretches(parse(text, 'learned', file));
  if (learned) return learned;
  throw foreignFile(file, '"learned" is no list of {"store": …, "after": …, "to": …}: leave it as the export has it');
}

function decodeFiles(metadata: ReadonlyMap<string, string>, file: string): readonly string[] {
  const text = metadata.get('files');
  if (text === undefined) return [];
  const files = findFiles(parse(text, 'files', file));
  if (files) return files;
  throw foreignFile(file, '"files" is no list of SHA-256s: leave it as the export has it');
}

function parse(text: string, key: string, file: string): unknown {
  try {
    return parseStrictly(text);
  } catch (error) {
    throw foreignFile(file, `${JSON.stringify(key)} cannot be read: ${(error as Error).message}`, error);
  }
}
