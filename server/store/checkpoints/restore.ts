import { isDeepStrictEqual } from 'node:util';
import type { ColumnSpecs } from '../../../plugins/contract/index.ts';
import type { StateTables, Table } from '../../memory/table.ts';
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
    if (!hasColumns(saved, table.columns))
      throw checkpointDamaged(folder.pathOf(manifest.revision), `it has no table ${key} of this shape`);
    table.restore(saved.rows, (segment, into) => into.set(folder.read(saved.pieces[segment])));
  }
}

/** Whether a table was saved with these columns, in this order, and so with the same layout. */
export function hasColumns(saved: SavedTable | undefined, columns: ColumnSpecs): saved is SavedTable {
  const declared = JSON.parse(JSON.stringify(columns)) as ColumnSpecs;
  return saved !== undefined && isDeepStrictEqual(Object.entries(saved.columns), Object.entries(declared));
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
