import assert from 'node:assert/strict';
import type { Arena } from '../../memory/arena.ts';
import { bytesOf } from '../../memory/features/feature-blocks.ts';
import { Table } from '../../memory/table.ts';
import { UndoRows } from '../../memory/undo-rows.ts';
import { freeBytes } from '../durable-files.ts';
import { diskFull, storeFailure } from '../failure.ts';
import type { Capture, CapturedTable } from './capture.ts';
import type { CheckpointFolder, Keeps } from './checkpoint-folder.ts';
import { CheckpointWriter, TRANSACTION_BYTES } from './checkpoint-writer.ts';
import { CHECKPOINT_FORMAT, filesOf, type Manifest, type Piece, type SavedBlocks } from './manifest.ts';

/** Saves a captured state beside the thread that goes on changing it: what changed since the last checkpoint is written. */

export interface Saved extends Pick<Manifest, 'revision' | 'createdMs' | 'durationMs'> {
  /** Bytes of the state that were written. */
  readonly bytes: number;
  /** What the checkpoint needs of all files, and what these have: the rest are pieces that nobody needs any more. */
  readonly neededBytes: number;
  readonly fileBytes: number;
  readonly files: number;
  /** The checkpoint before it that can be restored as well, as far as its manifest says. */
  readonly before?: number;
}

export interface SaveParts {
  readonly arena: Arena;
  readonly folder: CheckpointFolder;
  /** Hears of each piece of the state that is dealt with, of `countPieces`. */
  readonly onPiece?: () => void;
  /** Which checkpoints stay; the last two unless it says so. */
  readonly keeps?: Keeps;
  readonly forgettings?: Manifest['forgettings'];
}

/** How often room is made in the log of the thread that writes, and the part of the budget that this may take. */
const TAKE_MS = 2;
const UNDO_PART = 1 / 8;
/** What a file may have beyond the memory that is saved: LMDB's own pages, and the manifest. */
const OVERHEAD = 1.1;
const OVERHEAD_BYTES = 64 * 1024 * 1024;

/** Throws DISK_FULL, and CHECKPOINT_FAILED for other failures of the disk. */
export async function saveCheckpoint(capture: Capture, parts: SaveParts): Promise<Saved> {
  const { arena, folder, onPiece, keeps, forgettings = [] } = parts;
  const startMs = performance.now();
  try {
    const mapBytes = arena.budgetBytes * OVERHEAD + OVERHEAD_BYTES;
    const writer = await CheckpointWriter.create(folder, capture.revision, mapBytes);
    try {
      const state = await new Saving(capture, arena, folder, writer, onPiece ?? (() => {})).run();
      const times = { createdMs: Date.now(), durationMs: performance.now() - startMs };
      const manifest = { ...state, ...times, ...(forgettings.length > 0 ? { forgettings } : {}) };
      await writer.finish(manifest);
      const [, before] = folder.tidy(manifest, keeps);
      return { ...describeSaved(manifest, folder), before };
    } finally {
      writer.abandon();
    }
  } catch (error) {
    const what = 'the checkpoint was not written';
    // LMDB calls a write that was cut short for want of room an input/output error.
    if ((await freeBytes(folder.path)) < TRANSACTION_BYTES) throw diskFull(error, what);
    throw storeFailure(error, 'CHECKPOINT_FAILED', what, 'see the cause in the log');
  } finally {
    folder.close();
  }
}

export function describeSaved(manifest: Manifest, folder: CheckpointFolder): Saved {
  const { revision, createdMs, durationMs } = manifest;
  const files = filesOf(manifest);
  return {
    revision,
    createdMs,
    durationMs,
    bytes: files.get(revision) ?? 0,
    neededBytes: [...files.values()].reduce((sum, bytes) => sum + bytes, 0),
    fileBytes: [...files.keys()].reduce((sum, file) => sum + folder.bytesOf(file), 0),
    files: files.size,
  };
}

/** Segments of a capture: as many as `onPiece` is called. */
export function countPieces({ tables, blocks }: Capture): number {
  return [...Object.values(tables), ...Object.values(blocks)].reduce(
    (sum, { rows, descriptor }) => sum + Table.segmentsOf(descriptor, rows),
    0,
  );
}

/** A table on its way to the disk. */
interface Part extends CapturedTable {
  readonly table: Table;
  readonly isBlocks: boolean;
  /** By segment: what was written, or what an earlier checkpoint has. */
  readonly pieces: (readonly Piece[])[];
  readonly before: readonly (readonly Piece[])[];
}

class Saving {
  readonly #capture: Capture;
  readonly #arena: Arena;
  readonly #writer: CheckpointWriter;
  readonly #onPiece: () => void;
  readonly #parts = new Map<string, Part>();
  readonly #undo: UndoRows;

  constructor(capture: Capture, arena: Arena, folder: CheckpointFolder, writer: CheckpointWriter, onPiece: () => void) {
    this.#capture = capture;
    this.#arena = arena;
    this.#writer = writer;
    this.#onPiece = onPiece;
    this.#undo = new UndoRows(arena.undo, arena.budgetBytes * UNDO_PART);
    const before = capture.since === undefined ? undefined : folder.manifest(capture.since);
    for (const [key, captured] of Object.entries(capture.tables)) {
      const pieces = before?.tables[key]?.pieces.map((piece) => [piece]);
      this.#parts.set(key, this.#part(captured, false, pieces));
    }
    for (const [key, captured] of Object.entries(capture.blocks))
      this.#parts.set(key, this.#part(captured, true, before?.blocks[key]?.pieces));
  }

  async run(): Promise<Omit<Manifest, 'createdMs' | 'durationMs'>> {
    const taking = setInterval(() => this.#undo.take(), TAKE_MS);
    try {
      for (const part of this.#parts.values()) {
        for (let segment = 0; segment < part.table.segmentCount(part.rows); segment++) {
          await this.#saveChanging();
          await this.#save(part, segment);
        }
      }
    } finally {
      clearInterval(taking);
      // Whoever writes may be waiting for room to keep what was wanted until now.
      this.#arena.undo.close();
    }
    return this.#describe();
  }

  #describe(): Omit<Manifest, 'createdMs' | 'durationMs'> {
    const { revision, decided, models, cohorts, tables, blocks } = this.#capture;
    return {
      format: CHECKPOINT_FORMAT,
      revision,
      decided,
      models,
      cohorts,
      tables: mapValues(tables, ({ descriptor: { columns }, rows }, key) => ({
        columns,
        rows,
        pieces: this.#piecesOf(key).flat(),
      })),
      blocks: mapValues(blocks, ({ rows }, key): SavedBlocks => {
        const { segmentRows } = (this.#parts.get(key) as Part).table;
        return { rows, segmentRows, pieces: this.#piecesOf(key) };
      }),
    };
  }

  #part(captured: CapturedTable, isBlocks: boolean, before: Part['before'] = []): Part {
    return { ...captured, table: new Table(this.#arena, captured.descriptor), isBlocks, pieces: [], before };
  }

  #piecesOf(key: string): (readonly Piece[])[] {
    return (this.#parts.get(key) as Part).pieces;
  }

  /** Segments that are being changed go first: from then on nothing of them has to be kept. */
  async #saveChanging(): Promise<void> {
    this.#undo.take();
    for (let mark = this.#undo.first; mark !== undefined; mark = this.#undo.first) {
      for (const part of this.#parts.values()) {
        const segment = part.table.segmentOfMark(mark);
        if (segment >= 0 && segment < part.table.segmentCount(part.rows)) await this.#save(part, segment);
      }
      this.#undo.forget(mark);
    }
  }

  async #save(part: Part, segment: number): Promise<void> {
    const { table, rows, pieces, before, isBlocks } = part;
    if (pieces[segment]) return;
    const bytes = table.segmentBytes(segment, rows);
    if (isBlocks) {
      const places = Buffer.alloc(bytes);
      if (table.save(segment, places, this.#undo)) pieces[segment] = await this.#saveBlocks(table, segment, places);
    } else {
      const room = await this.#writer.reserve(bytes);
      if (table.save(segment, room, this.#undo)) pieces[segment] = [this.#writer.add(room)];
    }
    pieces[segment] ??= before[segment];
    assert(pieces[segment], `segment ${segment} of a table was neither changed nor saved before`);
    this.#onPiece();
  }

  /** The blocks that a segment of places names: (row, bytes, the block) for each, in pieces. */
  async #saveBlocks({ stride, segmentRows }: Table, segment: number, places: Buffer): Promise<Piece[]> {
    const { u8, u32: words } = this.#arena;
    const pieces: Piece[] = [];
    for (let at = 0; at < places.length; ) {
      const listed: { row: number; address: number; length: number }[] = [];
      let bytes = 0;
      for (; at < places.length; at += stride) {
        const address = places.readUInt32LE(at);
        if (address === 0) continue;
        const length = bytesOf(words, address >>> 2);
        if (bytes > 0 && bytes + BLOCK_HEAD_BYTES + length > TRANSACTION_BYTES) break;
        bytes += BLOCK_HEAD_BYTES + length;
        listed.push({ row: segment * segmentRows + at / stride, address, length });
      }
      if (bytes === 0) continue;
      const room = await this.#writer.reserve(bytes);
      let to = 0;
      for (const { row, address, length } of listed) {
        room.writeUInt32LE(row, to);
        room.writeUInt32LE(length, to + 4);
        room.set(u8.subarray(address, address + length), to + BLOCK_HEAD_BYTES);
        to += BLOCK_HEAD_BYTES + length;
      }
      pieces.push(this.#writer.add(room));
    }
    return pieces;
  }
}

/** Row and length of a block, u32 each. */
export const BLOCK_HEAD_BYTES = 8;

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
