import type { Ids } from '../../memory/ids.ts';
import type { World } from '../../memory/world.ts';
import { type Block, bytesOf, emptyBlock, type Meanings } from '../../models/fusion.ts';
import type { FileColumn, FileIds, FileTable, ModelFile } from '../../store/models/model-file.ts';
import type { SourceMemory } from './source-memory.ts';
import type { Member } from './strategies/members.ts';

/** Numbers that are read from a file at once. */
const NUMBERS_AT_ONCE = 256 * 1024;
const NOBODY = -1;

/**
 * What a model file has, with the rows of a world: found by their ids. Only what is fused is read, so it
 * takes as much memory as a model of this server would, however large the file is. Throws MEMORY_FULL.
 */
export function readFileMember(
  field: string,
  file: ModelFile,
  isForeign: boolean,
  meanings: Meanings,
  world: World,
  memory: SourceMemory,
): Member {
  memory.take(Int32Array.BYTES_PER_ELEMENT * (file.users.rows + file.items.rows));
  const rows = { user: rowsOf(file.users, world.users), item: rowsOf(file.items, world.items) };
  const blocks = new Map<string, Block>();
  for (const [name, meaning] of Object.entries(meanings)) {
    if (meaning.as === 'own') continue;
    const [tableName, columnName] = name.split('.');
    const table = file.tables.get(tableName);
    const column = table?.columns.get(columnName);
    if (!table || !column || table.index === 'pool') continue;
    const place = table.index === 'model' ? undefined : rows[table.index];
    const count = { user: world.users.rows, item: world.items.rows, model: 1 }[table.index];
    memory.take(bytesOf(column.type, count, column.width));
    blocks.set(name, readColumn(table, column, count, place));
  }
  const unknownRows = [rows.user, rows.item].reduce((sum, places) => sum + countUnknown(places), 0);
  return { name: file.file, field, isForeign, blocks, unknownRows };
}

/** The row in the world of each row of the file. */
function rowsOf(inFile: FileIds, ids: Ids): Int32Array {
  const rows = new Int32Array(inFile.rows).fill(NOBODY);
  let n = 0;
  for (const key of inFile.keys()) rows[n++] = key.length === 0 ? NOBODY : ids.find(key);
  return rows;
}

function countUnknown(rows: Int32Array): number {
  return rows.reduce((count, row) => (row < 0 ? count + 1 : count), 0);
}

function readColumn({ rows }: FileTable, { type, width, read }: FileColumn, count: number, places?: Int32Array): Block {
  const block = emptyBlock(type, count, width);
  const rowsAtOnce = Math.max(1, Math.floor(NUMBERS_AT_ONCE / width));
  for (let from = 0; from < rows; from += rowsAtOnce) {
    const to = Math.min(rows, from + rowsAtOnce);
    const values = read(from, to) as Block['values'];
    for (let row = from; row < to; row++) {
      const place = places ? places[row] : row;
      if (place >= 0) block.values.set(values.subarray((row - from) * width, (row - from + 1) * width), place * width);
    }
  }
  return block;
}
