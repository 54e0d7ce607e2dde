import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AccreteError } from '../errors.ts';
import { makeFolderDurably, namesIn } from './durable-files.ts';
import { errorCode, storeFailure } from './failure.ts';

/**
 * One server per store. The lock is SQLite's own on a file without content: the system drops it when the process ends,
 * however it ends, and SQLite refuses a second one within the process too. Who holds it stands in a file beside it.
 */
export class StoreLock {
  readonly #database: DatabaseSync;
  readonly #holderPath: string;

  private constructor(database: DatabaseSync, holderPath: string) {
    this.#database = database;
    this.#holderPath = holderPath;
  }

  /** Throws STORE_IN_USE at once when another server, or this one, holds the lock of that folder. Makes the folder. */
  static async acquire(folder: string): Promise<StoreLock> {
    const holderPath = join(folder, HOLDER_FILE);
    let database: DatabaseSync | undefined;
    try {
      await makeFolderDurably(folder);
      // A file is no folder.
      namesIn(folder);
      database = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
      database.exec('BEGIN EXCLUSIVE');
      writeFileSync(holderPath, JSON.stringify(thisProcess()));
      return new StoreLock(database, holderPath);
    } catch (error) {
      database?.close();
      if (isBusy(error)) throw inUse(folder, holderPath);
      if (error instanceof AccreteError) throw unusable(folder, error);
      throw storeFailure(
        error,
        'CONFIG_INVALID',
        `the data folder ${folder} cannot be used`,
        'see the cause in the log',
      );
    }
  }

  release(): void {
    if (!this.#database.isOpen) return;
    rmSync(this.#holderPath, { force: true });
    this.#database.close();
  }
}

function unusable(folder: string, cause: AccreteError): AccreteError {
  return new AccreteError('CONFIG_INVALID', `the data folder ${folder} cannot be used: ${cause.message}`);
}

/**
 * Who uses the store of a folder now: undefined if nobody does, 'unknown' if a server is just taking it. For another
 * process than the one that holds it; it makes nothing and keeps nothing locked.
 */
export function findHolder(folder: string): Holder | 'unknown' | undefined {
  const path = join(folder, LOCK_FILE);
  if (!existsSync(path)) return undefined;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    database.exec('SELECT 1 FROM sqlite_master');
    return undefined;
  } catch (error) {
    if (isBusy(error)) return readHolder(join(folder, HOLDER_FILE)) ?? 'unknown';
    throw error;
  } finally {
    database.close();
  }
}

/** Nothing else may open this file: closing it anywhere in the process would drop the lock. */
const LOCK_FILE = 'lock.sqlite';
const HOLDER_FILE = 'lock.json';
const SQLITE_BUSY = 5;

/** Who holds a lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When it took the lock, as ISO 8601. */
  readonly since: string;
}

function thisProcess(): Holder {
  return { pid: process.pid, host: hostname(), since: new Date().toISOString() };
}

function isBusy(error: unknown): boolean {
  return errorCode(error) === 'ERR_SQLITE_ERROR' && (error as { errcode?: number }).errcode === SQLITE_BUSY;
}

function inUse(folder: string, holderPath: string): AccreteError {
  const holder = readHolder(holderPath);
  const who = holder ? `process ${holder.pid} on ${holder.host} since ${holder.since}` : 'another process';
  const message = `the store in ${folder} is in use by ${who}: stop that server, or give this one another data folder`;
  return new AccreteError('STORE_IN_USE', message, {
    metadata: { folder, ...(holder && { pid: String(holder.pid) }) },
  });
}

/** `undefined` while the holder is just taking the lock. */
function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
