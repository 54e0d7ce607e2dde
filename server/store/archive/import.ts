import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AccreteError } from '../../errors.ts';
import { CheckpointFolder } from '../checkpoints/checkpoint-folder.ts';
import { makeFolderDurably, syncToDisk } from '../durable-files.ts';
import { storeFailure } from '../failure.ts';
import { FORMAT_FILE, IMPORTING, markFormat } from '../format.ts';
import { LmdbJournal } from '../lmdb-journal.ts';
import { StoreLock } from '../lock.ts';
import { fileDamaged } from './facts.ts';
import { type Taker, type Unpacked, unpackStore } from './unpack.ts';

/**
 * Makes a new store from a file of `packStore`, all of it or nothing. It is made in a folder within the data folder, which
 * may be a disk of its own, and moved out when all is checked and on disk; what says that there is a store goes last.
 */

export interface ImportOptions {
  /** The file's bytes, and its name for messages. */
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly file: string;
  /** The data folder; made if missing. */
  readonly folder: string;
  /** Where a link of the journal is full. */
  readonly linkBytes: number;
  readonly onBytes?: (bytes: number) => void;
}

/** Of a store, in the order in which they are moved: a server refuses a folder that has not the last one. */
const PARTS = ['state', 'journal', FORMAT_FILE];

/** Throws STORE_EXISTS, STORE_IN_USE, DISK_FULL, FILE_DAMAGED, FILE_FOREIGN, STORE_TOO_NEW: then nothing was made. */
export async function importStore(options: ImportOptions): Promise<Unpacked> {
  const folder = resolve(options.folder);
  requireNoStore(folder);
  const isNew = !existsSync(folder);
  const lock = await StoreLock.acquire(folder);
  let isMade = false;
  try {
    requireNoStore(folder);
    clear(folder);
    const unpacked = await makeDraft(join(folder, IMPORTING), options);
    await moveOut(folder);
    isMade = true;
    return unpacked;
  } catch (error) {
    throw storeFailure(error, 'INTERNAL', `${options.file} was not imported`, 'see the cause');
  } finally {
    if (!isMade) clear(folder);
    lock.release();
    if (!isMade && isNew) rmSync(folder, { recursive: true, force: true });
  }
}

/** What a cut-off import left is no store. */
function requireNoStore(folder: string): void {
  const found = PARTS.find((part) => existsSync(join(folder, part)));
  const isCutOff = existsSync(join(folder, IMPORTING)) && !existsSync(join(folder, FORMAT_FILE));
  if (found === undefined || isCutOff) return;
  const message = `${folder} has a store already (${found}): name another folder, or move that one away`;
  throw new AccreteError('STORE_EXISTS', `${message}; nothing was changed`, { metadata: { folder } });
}

/** Takes away what an import made. There was no store before it, or it would not have begun. */
function clear(folder: string): void {
  for (const name of [...PARTS.toReversed(), IMPORTING]) rmSync(join(folder, name), { recursive: true, force: true });
}

async function makeDraft(draft: string, { pieces, file, linkBytes, onBytes }: ImportOptions): Promise<Unpacked> {
  await makeFolderDurably(draft);
  const writer = new DraftWriter(draft, linkBytes);
  try {
    const unpacked = await unpackStore(pieces, file, writer, onBytes);
    await writer.finish();
    verify(join(draft, 'state'), unpacked.revision, file);
    await markFormat(draft);
    return unpacked;
  } finally {
    await writer.close();
  }
}

/** The file may be whole, and yet name pieces that are in none of its files. */
function verify(state: string, revision: number, file: string): void {
  const folder = new CheckpointFolder(state);
  try {
    folder.verify(folder.manifest(revision));
  } catch (error) {
    if (AccreteError.wrap(error).reason !== 'STORE_DAMAGED') throw error;
    throw fileDamaged(file, (error as Error).message, error);
  } finally {
    folder.close();
  }
}

async function moveOut(folder: string): Promise<void> {
  for (const part of PARTS) {
    if (part === FORMAT_FILE) await syncToDisk(folder);
    renameSync(join(folder, IMPORTING, part), join(folder, part));
  }
  await syncToDisk(folder);
  rmSync(join(folder, IMPORTING), { recursive: true });
}

class DraftWriter implements Taker {
  readonly #draft: string;
  readonly #linkBytes: number;
  #journal: LmdbJournal | undefined;

  constructor(draft: string, linkBytes: number) {
    this.#draft = draft;
    this.#linkBytes = linkBytes;
  }

  async begin({ revision, journalFrom }: Parameters<Taker['begin']>[0]): Promise<void> {
    const directory = join(this.#draft, 'journal');
    const firstRevision = journalFrom ?? revision + 1;
    this.#journal = await LmdbJournal.open({ directory, linkBytes: this.#linkBytes, firstRevision });
  }

  async file(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const to = join(this.#draft, path);
    mkdirSync(dirname(to), { recursive: true });
    const handle = await open(to, 'wx');
    try {
      for await (const piece of content) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async records(records: readonly Uint8Array[]): Promise<void> {
    await this.#journal?.append(records);
  }

  /** What was written is on disk, with its names. */
  async finish(): Promise<void> {
    await this.close();
    const all = readdirSync(this.#draft, { withFileTypes: true, recursive: true });
    for (const each of all) if (each.isDirectory()) await syncToDisk(join(each.parentPath, each.name));
    await syncToDisk(this.#draft);
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }
}
