import { mkdir, open, rename, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

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

/** Makes a folder and those above it, as far as they are missing. */
export async function makeFolderDurably(path: string): Promise<void> {
  const topmost = await mkdir(path, { recursive: true });
  if (topmost === undefined) return;
  const end = dirname(resolve(topmost));
  let folder = resolve(path);
  do {
    folder = dirname(folder);
    await syncToDisk(folder);
  } while (folder !== end);
}

/** Room on the disk of a folder, for processes without special rights; infinite when the disk does not say. */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
