import { isUtf8 } from 'node:buffer';
import { randomInt } from 'node:crypto';
import { hashBytes } from '../../memory/hash.ts';
import type { IdKey } from '../../memory/ids.ts';
import { hasControlCharacter } from '../id-text.ts';
import type { FileIds, FileTable, ModelFile } from './model-file.ts';
import { foreignFile } from './refusals.ts';

/** Numbers that are looked at at once. */
const NUMBERS_AT_ONCE = 64 * 1024;
/** Ids whose hashes are met twice, and which are compared then: of good files hardly any. */
const COMPARED_MAX = 100_000;

/**
 * Looks at all that a file holds: ids that may be, each once, and numbers that are finite. `onBytes` hears how many bytes
 * were looked at. It takes 8 bytes of memory for each user or item. Throws FILE_FOREIGN.
 */
export function checkModelFile(file: ModelFile, onBytes: (bytes: number) => void): void {
  for (const name of ['users', 'items'] as const) checkIds(file[name], name, file.file, onBytes);
  for (const [name, table] of file.tables) checkNumbers(table, name, file.file, onBytes);
}

function checkIds(ids: FileIds, name: string, file: string, onBytes: (bytes: number) => void): void {
  const seeds = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;
  const hashes = new Float64Array(ids.rows);
  let count = 0;
  let row = 0;
  for (const key of ids.keys()) {
    const { bytes, start, length } = key;
    if (length > 0) {
      if (!isUtf8(bytes.subarray(start, start + length))) throw foreignFile(file, `${name} row ${row} is no UTF-8`);
      if (hasControlCharacter(bytes, start, length))
        throw foreignFile(file, `${name} row ${row} has control characters, which are not allowed`);
      hashes[count++] = hashOf(key, seeds);
    }
    row++;
    onBytes(length);
  }
  const alike = findTwice(hashes.subarray(0, count));
  if (alike.size > 0) refuseTwice(ids, alike, seeds, (what) => foreignFile(file, `${name} ${what}`));
}

/** 53 bits. */
function hashOf({ bytes, start, length }: Readonly<IdKey>, [first, second]: readonly [number, number]): number {
  return (hashBytes(bytes, start, length, first) >>> 11) * 2 ** 32 + hashBytes(bytes, start, length, second);
}

function findTwice(hashes: Float64Array): Set<number> {
  const twice = new Set<number>();
  hashes.sort();
  for (let n = 1; n < hashes.length && twice.size < COMPARED_MAX; n++)
    if (hashes[n] === hashes[n - 1]) twice.add(hashes[n]);
  return twice;
}

/** Different ids may have the same hash. */
function refuseTwice(
  ids: FileIds,
  alike: ReadonlySet<number>,
  seeds: readonly [number, number],
  fail: (what: string) => Error,
): void {
  const rows = new Map<string, number>();
  let row = 0;
  for (const key of ids.keys()) {
    if (key.length > 0 && alike.has(hashOf(key, seeds))) {
      const text = Buffer.prototype.utf8Slice.call(key.bytes, key.start, key.start + key.length);
      const before = rows.get(text);
      if (before !== undefined) throw fail(`rows ${before} and ${row} have the same id`);
      rows.set(text, row);
    }
    row++;
  }
  if (alike.size === COMPARED_MAX) throw fail('have too many ids that cannot be told apart by their hashes');
}

function checkNumbers(
  { rows, columns }: FileTable,
  name: string,
  file: string,
  onBytes: (bytes: number) => void,
): void {
  for (const [column, { type, width, read }] of columns) {
    const rowsAtOnce = Math.max(1, Math.floor(NUMBERS_AT_ONCE / width));
    for (let from = 0; from < rows; from += rowsAtOnce) {
      const values = read(from, Math.min(rows, from + rowsAtOnce));
      onBytes(values.byteLength);
      if (type === 'u32') continue;
      for (let n = 0; n < values.length; n++) {
        if (Number.isFinite(values[n])) continue;
        const row = from + Math.floor(n / width);
        throw foreignFile(
          file,
          `row ${row} of the tensor table.${name}.${column} has ${values[n]}, which is not finite`,
        );
      }
    }
  }
}
