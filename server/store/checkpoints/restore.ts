import { isDeepStrictEqual } from 'node:util';
import type { ColumnSpecs } from '../../../plugins/contract/index.ts';
import { columnBytes, layOut, type StateTables, Table } from '../../memory/table.ts';
import type { CheckpointFolder } from './checkpoint-folder.ts';
import { checkpointDamaged, type Manifest, type SavedTable } from './manifest.ts';
import { BLOCK_HEAD_BYTES } from './save.ts';

/** Who keeps blocks by row. */
interface Blocks {
  readonly places: Table;
  restoreBlock(row: number, bytes: Uint8Array): void;
}

/** Fills new tables, by the names under which they were saved. Throws STORE_DAMAGED, MEMORY_FULL. */
export function restoreTables(folder: CheckpointFolder, manifest: Manifest, tables: StateTables): void {
  for (const [key, table] of Object.entries(tables)) {
    const saved = manifest.tables[key];
    if (!canBecome(saved, table.columns))
      throw checkpointDamaged(folder.pathOf(manifest.revision), `it has no table ${key} of this shape`);
    if (hasColumns(saved, table.columns))
      table.restore(saved.rows, (segment, into) => into.set(folder.read(saved.pieces[segment])));
    else restoreNarrow(folder, saved, table);
  }
}

/** Fills a table that has columns more than were saved: each row is copied by its columns. */
function restoreNarrow(folder: CheckpointFolder, { columns, rows, pieces }: SavedTable, table: Table): void {
  const [saved, now] = [layOut(columns), layOut(table.columns)];
  const savedRows = Table.segmentRowsOf({ ...table.descriptor, columns });
  const copies = Object.entries(columns).map(([name, column]) => {
    return { from: saved.offsets[name], to: now.offsets[name], bytes: columnBytes(column) };
  });
  let read = -1;
  let piece: Uint8Array = new Uint8Array();
  table.restore(rows, (segment, into) => {
    into.fill(0);
    for (let at = 0, row = segment * table.segmentRows; at < into.length; at += now.stride, row++) {
      const number = Math.floor(row / savedRows);
      if (number !== read) piece = folder.read(pieces[number]);
      read = number;
      const start = (row % savedRows) * saved.stride;
      for (const { from, to, bytes } of copies) into.set(piece.subarray(start + from, start + from + bytes), at + to);
    }
  });
  // No checkpoint has any of it as it is now.
  table.abandonSaving();
}

/** Whether a table was saved with these columns, in this order, and so with the same layout. */
export function hasColumns(saved: SavedTable | undefined, columns: ColumnSpecs): saved is SavedTable {
  return saved !== undefined && isDeepStrictEqual(shapeOf(saved.columns), shapeOf(columns));
}

/** Whether a table of these columns can go on with what was saved: it has all of them but some that were added since. */
export function canBecome(saved: SavedTable | undefined, columns: ColumnSpecs): saved is SavedTable {
  if (saved === undefined) return false;
  const known = Object.entries(columns).filter(([name, { added }]) => !added || Object.hasOwn(saved.columns, name));
  return hasColumns(saved, Object.fromEntries(known));
}

function shapeOf(columns: ColumnSpecs): unknown {
  return Object.entries(columns).map(([name, { type, width, initialSd }]) => [name, type, width, initialSd]);
}

/** The same of blocks by row. */
export function restoreBlocks(
  folder: CheckpointFolder,
  manifest: Manifest,
  stores: Readonly<Record<string, Blocks>>,
): void {
  for (const [key, store] of Object.entries(stores)) {
    const saved = manifest.blocks[key];
    if (!saved) throw checkpointDamaged(folder.pathOf(manifest.revision), `it has no blocks ${key}`);
    store.places.restore(saved.rows, () => {});
    for (const piece of saved.pieces.flat()) {
      const bytes = Buffer.from(folder.read(piece));
      for (let at = 0; at < bytes.length; ) {
        const [row, length] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
        store.restoreBlock(row, bytes.subarray(at + BLOCK_HEAD_BYTES, at + BLOCK_HEAD_BYTES + length));
        at += BLOCK_HEAD_BYTES + length;
      }
    }
  }
}
