import assert from 'node:assert/strict';
import type { TableSpec } from '../../../plugins/contract/index.ts';
import { layOut } from '../../memory/table.ts';
import type { CheckpointFolder } from '../checkpoints/checkpoint-folder.ts';
import type { Manifest, SavedTable } from '../checkpoints/manifest.ts';
import {
  columnTensor,
  type Description,
  DTYPE_OF,
  encodeDescription,
  IDS,
  type IdsName,
  idsTensors,
} from './description.ts';
import { DTYPE_BYTES, encodeHeader, type TensorSpec, tensorBytes } from './safetensors.ts';

/** Writes a model as one file, from what checkpoints have of it: see docs/model-files.md. */

/** A checkpoint, or the file of a version. */
export interface SavedState {
  readonly folder: CheckpointFolder;
  readonly manifest: Manifest;
}

export interface PackedModel extends Omit<Description, 'tables'> {
  /** What has the ids of at least as many rows as the tables have. */
  readonly world: SavedState;
  /** What has the tables. */
  readonly state: SavedState;
  readonly tables: ReadonlyMap<string, { readonly index: TableSpec['index']; readonly saved: SavedTable }>;
  /** What the metadata say besides. */
  readonly more: Readonly<Record<string, string>>;
}

interface TensorPlan extends TensorSpec {
  /** Its bytes, in pieces that are valid until the next one. */
  readonly pieces: () => Iterable<Uint8Array>;
}

/** The bytes of the file, in pieces that are valid until the next one: the same each time. Throws STORE_DAMAGED. */
export function* packModel(model: PackedModel): Generator<Uint8Array> {
  const { state, tables, more } = model;
  const plans: TensorPlan[] = [];
  const counts: Record<string, string> = {};
  for (const name of IDS) {
    const { rows, plans: ofIds } = planIds(model, name);
    counts[name] = String(rows);
    plans.push(...ofIds);
  }
  for (const [name, { saved }] of tables)
    for (const column of Object.keys(saved.columns)) plans.push(planColumn(state.folder, saved, name, column));
  // Wide numbers first, so that all are aligned.
  plans.sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || (a.name < b.name ? -1 : 1));
  const described = new Map(Array.from(tables, ([name, { index, saved }]) => [name, { index, rows: saved.rows }]));
  yield encodeHeader(encodeDescription({ ...model, tables: described }, { ...more, ...counts }), plans);
  for (const plan of plans) {
    let bytes = 0;
    for (const piece of plan.pieces()) {
      bytes += piece.length;
      yield piece;
    }
    assert.equal(bytes, tensorBytes(plan), `the tensor ${plan.name} is as long as its header says`);
  }
}

/** About how large the file will be. */
export function estimateModelBytes({ tables }: PackedModel): number {
  return [...tables.values()].reduce(
    (sum, { saved }) => sum + saved.pieces.reduce((bytes, [, , length]) => bytes + length, 0),
    0,
  );
}

function planColumn(folder: CheckpointFolder, saved: SavedTable, table: string, column: string): TensorPlan {
  const { type, width } = saved.columns[column];
  const { stride, offsets } = layOut(saved.columns);
  const bytes = DTYPE_BYTES[DTYPE_OF[type]] * width;
  const pieces = function* () {
    for (const piece of saved.pieces) {
      const rows = folder.read(piece);
      const values = Buffer.alloc((rows.length / stride) * bytes);
      for (let at = offsets[column], to = 0; to < values.length; at += stride, to += bytes)
        values.set(rows.subarray(at, at + bytes), to);
      yield values;
    }
  };
  const shape = width === 1 ? [saved.rows] : [saved.rows, width];
  return { name: columnTensor(table, column), dtype: DTYPE_OF[type], shape, pieces };
}

/** Of as many users, or items, as the tables have rows of them. */
function planIds({ world, tables }: PackedModel, name: IdsName): { rows: number; plans: TensorPlan[] } {
  const index = ({ users: 'user', items: 'item' } as const)[name];
  const rows = [...tables.values()].reduce(
    (most, each) => (each.index === index ? Math.max(most, each.saved.rows) : most),
    0,
  );
  if (rows === 0) return { rows, plans: [] };
  let end = 0;
  for (const { lengths } of eachOfIds(world, name, rows)) end = lengths.reduce((sum, length) => sum + length, end);
  const tensors = idsTensors(name);
  const starts = function* () {
    let at = 0n;
    yield Buffer.from(BigInt64Array.of(at).buffer);
    for (const { lengths } of eachOfIds(world, name, rows)) {
      const ends = BigInt64Array.from(lengths, (length) => {
        at += BigInt(length);
        return at;
      });
      yield Buffer.from(ends.buffer);
    }
  };
  return {
    rows,
    plans: [
      { name: tensors.starts, dtype: 'I64', shape: [rows + 1], pieces: starts },
      { name: tensors.bytes, dtype: 'U8', shape: [end], pieces: () => textsOf(world, name, rows) },
    ],
  };
}

/** Lengths of the ids of some rows, and where they begin among the rows of text; those of nobody have the length 0. */
interface SomeIds {
  readonly lengths: readonly number[];
  readonly starts: readonly number[];
}

function* eachOfIds({ folder, manifest }: SavedState, name: IdsName, rows: number): Generator<SomeIds> {
  const { columns, pieces } = manifest.tables[`${name}.identity`];
  const { stride, offsets } = layOut(columns);
  let left = rows;
  for (const piece of pieces) {
    const bytes = Buffer.from(folder.read(piece));
    const count = Math.min(left, bytes.length / stride);
    const column = (offset: number) => Array.from({ length: count }, (_, n) => bytes.readUInt32LE(n * stride + offset));
    if (count > 0) yield { lengths: column(offsets.length), starts: column(offsets.start) };
    left -= count;
  }
  assert.equal(left, 0, `the checkpoint has as many ids of ${name} as the tables have rows`);
}

/** The bytes of ids, in the order of their rows. An id lies within one piece. */
function* textsOf(world: SavedState, name: IdsName, rows: number): Generator<Uint8Array> {
  const { folder, manifest } = world;
  const saved = manifest.tables[`${name}.text`];
  const { stride } = layOut(saved.columns);
  const [[, , firstBytes] = [0, 0, 0]] = saved.pieces;
  let [held, text] = [-1, new Uint8Array()];
  for (const { lengths, starts } of eachOfIds(world, name, rows)) {
    const all = Buffer.alloc(lengths.reduce((sum, length) => sum + length, 0));
    let to = 0;
    for (const [n, length] of lengths.entries()) {
      if (length === 0) continue;
      const piece = Math.floor((starts[n] * stride) / firstBytes);
      // A copy: the ids may be in the same file.
      if (piece !== held) [held, text] = [piece, Uint8Array.from(folder.read(saved.pieces[piece]))];
      const at = starts[n] * stride - piece * firstBytes;
      all.set(text.subarray(at, at + length), to);
      to += length;
    }
    yield all;
  }
}
