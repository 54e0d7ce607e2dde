import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { open, type PutOptions, type RootDatabase } from 'lmdb';
import type { AccreteError } from '../errors.ts';
import { emptyLink } from './empty-link.ts';
import { errorCode, linkDamaged, storeFailure } from './failure.ts';
import { lockPathOf } from './link-chain.ts';
import { type LinkPart, requireSoundLink } from './sound-link.ts';

/**
 * One LMDB file of records by revision, only ever added to. The key is the revision, eight bytes, big-endian, so that
 * the file's order is the journal's.
 *
 * Durable by LMDB's plain way: the pages, `fdatasync`, then the page that points to them, written through. What lmdb-js
 * does of its own is off. `overlappingSync` gains little where one append waits for the one before; it shows records
 * that are not on disk, leaves them there when the sync fails, and `close` never settles then. `eventTurnBatching` makes a
 * promise that nobody can catch when a write fails.
 */
export class Link {
  readonly path: string;
  readonly #database: RootDatabase<Uint8Array, Uint8Array>;
  #closed = false;

  private constructor(path: string, database: RootDatabase<Uint8Array, Uint8Array>) {
    this.path = path;
    this.#database = database;
  }

  /** Makes an empty file, which must not exist, and its lock. */
  static async create(path: string): Promise<void> {
    try {
      await writeFile(path, emptyLink(), { flag: 'wx', flush: true });
      await writeFile(lockPathOf(path), Buffer.alloc(LOCK_BYTES), { flush: true });
    } catch (error) {
      throw unusable(path, error);
    }
  }

  /**
   * `mapBytes` bounds what the file can ever hold; it costs address space alone. `part` is what will be read of it, which
   * is checked before: STORE_DAMAGED.
   */
  static open(
    path: string,
    options: { readonly mapBytes: number; readonly readOnly: boolean; readonly part?: LinkPart },
  ): Link {
    const { mapBytes: mapSize, readOnly, part = 'whole' } = options;
    attempt(path, () => requireLmdbFile(path, part));
    return attempt(path, () => new Link(path, open({ ...OPTIONS, path, mapSize, readOnly })));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes of the file that are taken. */
  get usedBytes(): number {
    const { lastPageNumber, pageSize } = this.#stats();
    return (lastPageNumber + 1) * pageSize;
  }

  get pageBytes(): number {
    return this.#stats().pageSize;
  }

  get recordCount(): number {
    return this.#stats().entryCount;
  }

  /** The lowest or the highest revision; `undefined` when there is none. */
  find(end: 'first' | 'last'): number | undefined {
    const keys = attempt(this.path, () => [...this.#database.getKeys({ limit: 1, reverse: end === 'last' })]);
    if (keys.length === 0) return undefined;
    if (keys[0].length !== KEY_BYTES) throw linkDamaged(this.path, 'it holds a key that is no revision');
    return revisionOf(keys[0]);
  }

  /** A record, in a buffer that the next read of any LMDB file in this thread uses again. */
  get(revision: number): Uint8Array {
    const bytes = attempt(this.path, () => this.#database.getBinaryFast(keyOf(revision)), revision);
    if (bytes === undefined) throw linkDamaged(this.path, `revision ${revision} is not in it`, revision);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length); // lmdb-js changes `length` of a larger buffer
  }

  /**
   * Adds records under `first`, `first` + 1, …: all or none, on disk when it resolves. It must not be called again
   * after it has rejected: LMDB may then never answer.
   */
  async append(first: number, records: readonly Uint8Array[]): Promise<void> {
    const puts: Promise<boolean>[] = [];
    const database = this.#database as unknown as { put: Put };
    const isNew = this.#database.ifNoExists(keyOf(first), () => {
      for (let i = 0; i < records.length; i++) puts.push(database.put(keyOf(first + i), records[i], APPEND));
    });
    try {
      const done = await Promise.all([isNew, ...puts]);
      if (done.includes(false)) throw new Error(`${this.path} already holds revision ${first}: it has another writer`);
    } catch (error) {
      throw await commitError(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#database.close();
  }

  #stats(): Stats {
    return this.#database.getStats() as Stats;
  }
}

/** The types of lmdb leave out the options. */
type Put = (key: Uint8Array, value: Uint8Array, options: PutOptions) => Promise<boolean>;

interface Stats {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  readonly entryCount: number;
}

const OPTIONS = {
  noSubdir: true,
  encoding: 'binary',
  keyEncoding: 'binary',
  overlappingSync: false,
  eventTurnBatching: false,
} as const;
/** Fills the pages: without it each is left half empty. */
const APPEND: PutOptions = { append: true };

/** More than LMDB wants for its lock, where each reader has 64 bytes. */
const LOCK_BYTES = 16 * 1024;

/**
 * lmdb-js kills the process where it cannot read a file or follow its pages, where a full disk leaves no room for the lock,
 * and where it cannot write the pages of a new file: all that is found out before.
 */
function requireLmdbFile(path: string, part: LinkPart): void {
  closeSync(openSync(path, 'r+'));
  requireSoundLink(path, part);
  const lockBytes = statSync(lockPathOf(path), { throwIfNoEntry: false })?.size ?? 0;
  if (lockBytes < LOCK_BYTES) writeFileSync(lockPathOf(path), Buffer.alloc(LOCK_BYTES), { flush: true });
}

const KEY_BYTES = 8;
const key = new Uint8Array(KEY_BYTES);
const keyView = new DataView(key.buffer);

/** Valid until the next call: LMDB takes its own copy at once. */
function keyOf(revision: number): Uint8Array {
  keyView.setUint32(0, revision / 2 ** 32);
  keyView.setUint32(4, revision);
  return key;
}

function revisionOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, KEY_BYTES);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

/** Runs a step of LMDB; what LMDB itself complains about is damage. */
function attempt<T>(path: string, step: () => T, revision?: number): T {
  try {
    return step();
  } catch (error) {
    const code = errorCode(error);
    if (typeof code === 'number' && code < 0) throw linkDamaged(path, (error as Error).message, revision, error);
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): AccreteError {
  return storeFailure(cause, 'INTERNAL', `${path} cannot be used`, 'see the cause in the log');
}

/** A rejected write of lmdb-js carries the reason of the whole transaction as another rejection. */
async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error;
  try {
    return await error.commitError;
  } catch (cause) {
    return cause;
  }
}
