import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { CheckpointFolder } from '../checkpoints/checkpoint-folder.ts';
import { filesOf, type Manifest } from '../checkpoints/manifest.ts';
import type { JournalReader } from '../journal-reader.ts';
import { firstRevisionOf, linkName } from '../link-chain.ts';
import { decodeRecord } from '../record.ts';
import { encodeFacts, FACTS, SUMS } from './facts.ts';
import { END, encodeHeader, paddingOf } from './tar.ts';

/** Writes a store as of a checkpoint as one file: see `facts.ts`. */

export interface PackSource {
  readonly folder: CheckpointFolder;
  readonly manifest: Manifest;
  /** Undefined: the records are left out. */
  readonly journal: JournalReader | undefined;
}

/** Versions of models, in the folder of the checkpoints. */
export const VERSIONS = 'versions';
const READ_BYTES = 256 * 1024;
/** Records that are one entry: as many as fit, and one at least. They are gathered, since its size stands before it. */
const PART_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** The bytes of the file, in pieces that are valid until the next one. Throws STORE_DAMAGED for a broken record. */
export function* packStore({ folder, manifest, journal }: PackSource): Generator<Uint8Array> {
  const { revision, createdMs } = manifest;
  const sums: string[] = [];
  const from = journal?.firstRevision ?? 0;
  const journalFrom = journal && from <= revision ? from : undefined;
  yield* entry(FACTS, [encodeFacts({ revision, createdMs, journalFrom })], createdMs, sums);
  for (const file of [...filesOf(manifest).keys()].sort((a, b) => a - b))
    yield* fileEntry(`state/${linkName(file)}`, folder.pathOf(file), createdMs, sums);
  for (const path of versionsIn(folder.path, revision))
    yield* fileEntry(`state/${relative(folder.path, path).split(sep).join('/')}`, path, createdMs, sums);
  if (journal && journalFrom !== undefined) {
    for (const { first, records } of partsOf(journal, journalFrom, revision))
      yield* entry(`journal/${partName(first)}`, records, createdMs, sums);
  }
  yield* entry(SUMS, [Buffer.from(sums.join(''))], createdMs, []);
  yield END;
}

/** About how large the file will be; what is damaged counts for nothing. */
export function estimateBytes({ folder, manifest, journal }: PackSource): number {
  const files = [...filesOf(manifest).keys()].reduce((sum, file) => sum + folder.bytesOf(file), 0);
  return files + (journal?.bytes ?? 0);
}

export function partName(first: number): string {
  return linkName(first).replace('.mdb', '.records');
}

/** Records from a revision on, each after its length. */
interface Part {
  readonly first: number;
  readonly records: readonly Buffer[];
}

function* partsOf(journal: JournalReader, from: number, to: number): Generator<Part> {
  let [first, bytes, records]: [number, number, Buffer[]] = [from, 0, []];
  for (const { revision, record } of journal.read(from, to)) {
    decodeRecord(record, revision);
    if (bytes > 0 && bytes + LENGTH_BYTES + record.length > PART_BYTES) {
      yield { first, records };
      [first, bytes, records] = [revision, 0, []];
    }
    const framed = Buffer.allocUnsafe(LENGTH_BYTES + record.length);
    framed.writeUInt32LE(record.length);
    framed.set(record, LENGTH_BYTES);
    records.push(framed);
    bytes += framed.length;
  }
  if (records.length > 0) yield { first, records };
}

function* fileEntry(path: string, file: string, timeMs: number, sums: string[]): Generator<Uint8Array> {
  const handle = openSync(file, 'r');
  try {
    yield* entryOf({ path, bytes: fstatSync(handle).size }, bytesOf(handle), timeMs, sums);
  } finally {
    closeSync(handle);
  }
}

function* bytesOf(handle: number): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let read = -1; read !== 0; ) {
    read = readSync(handle, buffer);
    if (read > 0) yield buffer.subarray(0, read);
  }
}

function entry(path: string, content: readonly Buffer[], timeMs: number, sums: string[]): Generator<Uint8Array> {
  const bytes = content.reduce((sum, { length }) => sum + length, 0);
  return entryOf({ path, bytes }, content, timeMs, sums);
}

/** A header, the content, and zeros up to the next block; its line is added to `sums`. */
function* entryOf(
  { path, bytes }: { readonly path: string; readonly bytes: number },
  content: Iterable<Uint8Array>,
  timeMs: number,
  sums: string[],
): Generator<Uint8Array> {
  const hash = createHash('sha256');
  yield encodeHeader({ path, bytes }, timeMs);
  for (const piece of content) {
    hash.update(piece);
    yield piece;
  }
  sums.push(sumLine(hash.digest('hex'), path));
  if (paddingOf(bytes) > 0) yield Buffer.alloc(paddingOf(bytes));
}

export function sumLine(sha256: string, path: string): string {
  return `${sha256}  ${path}\n`;
}

/** Every whole file of versions, in the order of their names; what is later than the checkpoint has records that are not there. */
function versionsIn(state: string, revision: number): string[] {
  const folder = join(state, VERSIONS);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && (firstRevisionOf(file.name) ?? Number.POSITIVE_INFINITY) <= revision)
    .map((file) => join(file.parentPath, file.name))
    .sort();
}
