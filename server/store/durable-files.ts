import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, open, rename, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AccreteError } from '../errors.ts';

/** Waits until a file, or a folder's list of names, is on disk. */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a file its name so that, after a power cut, it is there whole or not at all. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await syncToDisk(from);
  await rename(from, to);
  await syncToDisk(dirname(to));
}

/**
 * Makes a folder and those above it, as far as they are missing. Node's own recursive `mkdir` never ends where a file
 * system says ENOENT to every name, as /proc does.
 */
export async function makeFolderDurably(path: string): Promise<void> {
  const folder = resolve(path);
  if (existsSync(folder)) return;
  await makeFolderDurably(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another process may have been faster.
    if (error.code !== 'EEXIST') throw error;
  });
  await syncToDisk(dirname(folder));
}

/** The names in a folder, those in folders below it too where that is asked; none where there is no folder. Throws STORE_DAMAGED for a file. */
export function namesIn(folder: string, { below = false } = {}): string[] {
  try {
    return readdirSync(folder, { recursive: below, encoding: 'utf8' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw noFolder(folder);
    if (code === 'ENOENT') return [];
    throw error;
  }
}

function noFolder(path: string): AccreteError {
  const message = `${path} is a file, and it should be a folder of the store: move it away, and restore the folder from a backup`;
  return new AccreteError('STORE_DAMAGED', message, { metadata: { path } });
}

/** Removes what a failure has left; another failure must not hide the first. */
export function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A later try, or the next start, removes it.
  }
}

/** Room on the disk of a folder, for processes without special rights; infinite when the disk does not say. */
export async function freeBytes(folder: string): Promise<number> {
  return (await diskBytes(folder))?.free ?? Number.POSITIVE_INFINITY;
}

/** The disk of a folder, for processes without special rights; undefined when it does not say. */
export async function diskBytes(
  folder: string,
): Promise<{ readonly free: number; readonly total: number } | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch {
    return undefined;
  }
}
