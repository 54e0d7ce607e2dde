import { crc32 } from 'node:zlib';
import type { ColumnSpecs } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
import type { Scenario } from '../control.ts';
import type { Decided } from '../deployment.ts';
import type { Experiment } from '../experiment.ts';

/**
 * What a checkpoint consists of: tables in pieces, each a record of this or of an earlier checkpoint's file. As JSON after
 * its CRC-32; it is the last record of the checkpoint's file, so one that has it is complete.
 */

export const CHECKPOINT_FORMAT = 1;

/** Bytes of the state: in which file, named by the revision of its checkpoint, under which number, how many, their CRC-32. */
export type Piece = readonly [file: number, record: number, bytes: number, crc: number];

/** A table whose every segment is one piece. */
export interface SavedTable {
  readonly columns: ColumnSpecs;
  readonly rows: number;
  readonly pieces: readonly Piece[];
}

/** Blocks by row; those of `segmentRows` rows are some pieces together. */
export interface SavedBlocks {
  readonly rows: number;
  readonly segmentRows: number;
  readonly pieces: readonly (readonly Piece[])[];
}

/** A model whose tables are in it. */
export interface SavedModel {
  readonly name: string;
  readonly plugin: string;
  readonly version: string;
  /** When the model was loaded, which tells it from others of the same name. */
  readonly loadedMs: number;
  /** Of the plugin that wrote the tables. */
  readonly stateVersion: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** As in `LoadedModel`. */
  readonly exactFrom?: number;
}

/** What was decided up to a checkpoint; scenarios and experiments as lists. */
export type SavedDecisions = Omit<Decided, 'scenarios' | 'experiments'> & {
  readonly scenarios: readonly Scenario[];
  readonly experiments?: readonly Experiment[];
};

export interface Manifest {
  readonly format: number;
  /** Every record up to this one is in it. */
  readonly revision: number;
  /** When it was complete, in milliseconds since 1970. */
  readonly createdMs: number;
  readonly durationMs: number;
  readonly decided: SavedDecisions;
  readonly models: readonly SavedModel[];
  /** The models of worlds beside the main one, by the key of each; absent: there are none. */
  readonly cohorts?: Readonly<Record<string, readonly SavedModel[]>> | undefined;
  readonly tables: Readonly<Record<string, SavedTable>>;
  readonly blocks: Readonly<Record<string, SavedBlocks>>;
  /** Of the file of a version: notes of those who were forgotten, and whose ratings were taken back in it afterwards. */
  readonly forgettings?: readonly string[];
}

const CRC_BYTES = 4;

export function encodeManifest(manifest: Manifest): Uint8Array {
  const json = Buffer.from(JSON.stringify(manifest));
  const bytes = Buffer.allocUnsafe(CRC_BYTES + json.length);
  bytes.writeUInt32LE(crc32(json));
  bytes.set(json, CRC_BYTES);
  return bytes;
}

/** `path`: of the file, for messages. Throws STORE_DAMAGED, STORE_TOO_NEW. */
export function decodeManifest(bytes: Uint8Array, path: string): Manifest {
  const json = Buffer.from(bytes.subarray(CRC_BYTES));
  if (bytes.length < CRC_BYTES || crc32(json) !== Buffer.from(bytes).readUInt32LE())
    throw checkpointDamaged(path, 'the checksum of its manifest is wrong');
  const manifest = parse(json);
  if (typeof manifest?.format !== 'number') throw checkpointDamaged(path, 'its manifest cannot be read');
  if (manifest.format === CHECKPOINT_FORMAT) return manifest as Manifest;
  const message = `the checkpoint ${path} has format ${manifest.format}, and this version reads ${CHECKPOINT_FORMAT}`;
  throw new AccreteError('STORE_TOO_NEW', `${message}: start the version that wrote it, or a newer one`);
}

function parse(json: Buffer): Partial<Manifest> | null | undefined {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

/** What a checkpoint has of a world beside the main one, by the names that tables have in that. */
export function ofCohort(manifest: Manifest, key: string): Manifest {
  const { tables, blocks, cohorts = {} } = manifest;
  return { ...manifest, models: cohorts[key] ?? [], tables: within(key, tables), blocks: within(key, blocks) };
}

/** How the names of all that is of such a world begin. */
export function cohortPrefix(key: string): string {
  return `cohort.${key}`;
}

function within<Saved>(key: string, all: Readonly<Record<string, Saved>>): Record<string, Saved> {
  const prefix = `${cohortPrefix(key)}.`;
  const own = Object.entries(all).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, saved]) => [name.slice(prefix.length), saved]));
}

/** Every piece of a checkpoint. */
export function* piecesOf({ tables, blocks }: Manifest): Iterable<Piece> {
  for (const { pieces } of Object.values(tables)) yield* pieces;
  for (const { pieces } of Object.values(blocks)) for (const some of pieces) yield* some;
}

/** The files, by revision, that a checkpoint needs, and how many bytes of each. */
export function filesOf(manifest: Manifest): Map<number, number> {
  const files = new Map([[manifest.revision, 0]]);
  for (const [file, , bytes] of piecesOf(manifest)) files.set(file, (files.get(file) ?? 0) + bytes);
  return files;
}

export function checkpointDamaged(path: string, what: string, cause?: unknown): AccreteError {
  return new AccreteError('STORE_DAMAGED', `the checkpoint ${path} is damaged: ${what}`, { metadata: { path }, cause });
}
