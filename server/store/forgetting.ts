import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderDurably, renameDurably, syncToDisk } from './durable-files.ts';

/**
 * Who is being forgotten: a file for each, from before anything is removed until all is. A start that finds one goes on
 * with it. It is the one place where the id may stand then.
 */

const FOLDER = 'forgetting';
const SUFFIX = '.json';
const DRAFT = '.new';

/** Writes down that a user is to be forgotten; returns the path of the note. */
export async function noteForgetting(data: string, userId: string): Promise<string> {
  const noted = [...notedForgettings(data)].find((each) => each.userId === userId);
  if (noted) return noted.path;
  const folder = join(data, FOLDER);
  await makeFolderDurably(folder);
  const path = join(folder, `${randomUUID()}${SUFFIX}`);
  writeFileSync(path + DRAFT, JSON.stringify({ userId }));
  await renameDurably(path + DRAFT, path);
  return path;
}

/** All is removed. */
export async function endForgetting(path: string): Promise<void> {
  rmSync(path, { force: true });
  await syncToDisk(join(path, '..'));
}

export function* notedForgettings(data: string): Generator<{ readonly path: string; readonly userId: string }> {
  const folder = join(data, FOLDER);
  for (const name of listed(folder)) {
    const path = join(folder, name);
    if (name.endsWith(DRAFT)) rmSync(path);
    else if (name.endsWith(SUFFIX))
      yield { path, userId: (JSON.parse(readFileSync(path, 'utf8')) as { userId: string }).userId };
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
