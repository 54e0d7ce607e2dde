import { basename } from 'node:path';
import type { ColumnType, TableSpec } from '../../../plugins/contract/index.ts';
import { ID_BYTES_MAX, type IdKey } from '../../memory/ids.ts';
import {
  columnTensor,
  type DescribedTable,
  type Description,
  decodeDescription,
  IDS,
  type IdsName,
  idsTensors,
  NAME,
  TYPE_OF,
} from './description.ts';
import { foreignFile } from './refusals.ts';
import { type Numbers, TensorFile } from './tensor-file.ts';

/**
 * A model in a file, as it is read: what it says of itself, whose its rows are, and its tables by column. The file stays
 * open, and numbers are read when they are asked for: a file may be larger than the memory. Rows have the numbers that
 * they have in the file, which are those of no world: they are found by their ids.
 */
export interface ModelFile extends Pick<Description, 'plugin' | 'config' | 'stateVersion' | 'learned' | 'files'> {
  /** Its name, without folders. */
  readonly file: string;
  readonly users: FileIds;
  readonly items: FileIds;
  readonly tables: ReadonlyMap<string, FileTable>;
  close(): void;
}

/** Of users or of items, by row. */
export interface FileIds {
  readonly rows: number;
  /** One for each row, valid until the next one; `length` 0: the row is nobody's. */
  keys(): Generator<Readonly<IdKey>>;
  /** The same as texts. */
  texts(): Generator<string>;
}

export interface FileTable {
  /** What its rows stand for: those of `user` and `item` are the first ones of `users` and `items`. */
  readonly index: TableSpec['index'];
  readonly rows: number;
  /** In the order of their names. */
  readonly columns: ReadonlyMap<string, FileColumn>;
}

export interface FileColumn {
  readonly type: ColumnType;
  /** Values in a row. */
  readonly width: number;
  /** Of all rows. */
  readonly bytes: number;
  /** A copy of the values of the rows of [from, to), row after row; of all rows unless it says so. */
  read(from?: number, to?: number): Numbers;
}

/** A table, and the bytes that its columns have. */
export interface TableSize {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

export function tableSizes({ tables }: ModelFile): TableSize[] {
  return Array.from(tables, ([name, { rows, columns }]) => {
    return { name, rows, bytes: [...columns.values()].reduce((sum, { bytes }) => sum + bytes, 0) };
  });
}

/** Rows of ids that are read at once. */
const IDS_AT_ONCE = 4096;
const WIDTH_MAX = 4096;
/** The most users, and the most items. */
const IDS_MAX = 10_000_000;

/**
 * Opens a model file and checks its form: that all is there that it says, and nothing else. What its tensors hold was checked
 * when it was imported: see `check.ts`. `name`: for messages. Throws FILE_FOREIGN, FILE_DAMAGED, and what the system says.
 */
export function openModelFile(path: string, name = basename(path)): ModelFile {
  const tensors = TensorFile.open(path, name);
  try {
    return describe(tensors);
  } catch (error) {
    tensors.close();
    throw error;
  }
}

function describe(tensors: TensorFile): ModelFile {
  const { name: file } = tensors;
  const { tables: described, ...description } = decodeDescription(tensors.metadata, file);
  const used = new Set<string>();
  const [users, items] = IDS.map((name) => idsOf(tensors, name, used));
  const tables = new Map<string, FileTable>();
  for (const [name, table] of described) {
    const ids = { user: users, item: items, model: undefined, pool: undefined }[table.index];
    const fail = (what: string) => foreignFile(file, `its table ${name} ${what}`);
    if (ids && table.rows > ids.rows) throw fail(`has ${table.rows} rows, of ${ids.rows} that have ids`);
    if (table.index === 'model' && table.rows !== 1) throw fail(`has ${table.rows} rows: one of a model has 1`);
    tables.set(name, { ...table, columns: columnsOf(tensors, name, table, used) });
  }
  const [unknown] = [...tensors.names].filter((name) => !used.has(name));
  if (unknown !== undefined)
    throw foreignFile(file, `the tensor ${JSON.stringify(unknown.slice(0, 80))} is of no table`);
  return { file, ...description, users, items, tables, close: () => tensors.close() };
}

function columnsOf(
  tensors: TensorFile,
  table: string,
  { rows }: DescribedTable,
  used: Set<string>,
): Map<string, FileColumn> {
  const prefix = columnTensor(table, '');
  const columns = new Map<string, FileColumn>();
  for (const name of [...tensors.names].filter((each) => each.startsWith(prefix)).sort()) {
    const { dtype, shape, bytes } = tensors.require(name);
    const fail = (what: string) => foreignFile(tensors.name, `the tensor ${name.slice(0, 80)} ${what}`);
    const type = TYPE_OF.get(dtype);
    const [length, width = 1] = shape;
    if (!NAME.test(name.slice(prefix.length)))
      throw fail('is called as no column can be: a-z, then letters and digits');
    if (!type) throw fail(`has dtype ${dtype}: a column has one of ${[...TYPE_OF.keys()].join(', ')}`);
    if (shape.length === 0 || shape.length > 2 || length !== rows || width < 1 || width > WIDTH_MAX)
      throw fail(`has the shape [${shape}]: send [${rows}], or [${rows}, 1 .. ${WIDTH_MAX}]`);
    const read = (from = 0, to = rows) => tensors.read(name, from * width, to * width);
    columns.set(name.slice(prefix.length), { type, width, bytes, read });
    used.add(name);
  }
  if (columns.size === 0) throw foreignFile(tensors.name, `its table ${table} has no tensor`);
  return columns;
}

/** Without tensors there are no rows. */
function idsOf(tensors: TensorFile, name: IdsName, used: Set<string>): FileIds {
  const { bytes, starts } = idsTensors(name);
  const [text, places] = [tensors.find(bytes), tensors.find(starts)];
  if (!text && !places) return { rows: 0, keys: function* () {}, texts: function* () {} };
  const fail = (what: string) => foreignFile(tensors.name, `the ids of ${name} ${what}`);
  if (!text || !places) throw fail(`need both ${bytes} and ${starts}`);
  if (text.dtype !== 'U8' || text.shape.length !== 1) throw fail(`need ${bytes} as U8 of one dimension`);
  if (places.dtype !== 'I64' || places.shape.length !== 1) throw fail(`need ${starts} as I64 of one dimension`);
  const rows = places.shape[0] - 1;
  if (rows < 0) throw fail(`need a number more in ${starts} than there are rows`);
  if (rows > IDS_MAX) throw fail(`are ${rows}, and at most ${IDS_MAX} can be`);
  for (const each of [bytes, starts]) used.add(each);
  const keys = () => keysOf(tensors, { bytes, starts, rows, end: text.bytes }, fail);
  const texts = function* () {
    for (const { bytes: all, start, length } of keys())
      yield Buffer.prototype.utf8Slice.call(all, start, start + length);
  };
  return { rows, keys, texts };
}

interface IdTensors {
  readonly bytes: string;
  readonly starts: string;
  readonly rows: number;
  readonly end: number;
}

function* keysOf(
  tensors: TensorFile,
  { bytes, starts, rows, end }: IdTensors,
  fail: (what: string) => Error,
): Generator<Readonly<IdKey>> {
  const key: IdKey = { bytes: new Uint8Array(), start: 0, length: 0, namespace: 0 };
  let begin = 0;
  for (let row = 0; row < rows; row += IDS_AT_ONCE) {
    const count = Math.min(IDS_AT_ONCE, rows - row);
    const places = tensors.read(starts, row, row + count + 1) as BigInt64Array;
    const ends = Array.from(places.subarray(1), Number);
    for (let n = 0, before = begin; n < count; before = ends[n++]) {
      const length = ends[n] - before;
      if (Number(places[n]) !== before || !(length >= 0 && length <= ID_BYTES_MAX))
        throw fail(`do not follow each other in row ${row + n}, or are longer than ${ID_BYTES_MAX} bytes`);
    }
    if (ends[count - 1] > end) throw fail('end after their bytes');
    key.bytes = tensors.read(bytes, begin, ends[count - 1]) as Uint8Array;
    key.start = 0;
    for (let n = 0, before = begin; n < count; before = ends[n++]) {
      key.length = ends[n] - before;
      yield key;
      key.start += key.length;
    }
    begin = ends[count - 1];
  }
  if (begin !== end) throw fail('end before their bytes do');
}
