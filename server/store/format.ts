import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AccreteError } from '../errors.ts';
import { renameDurably } from './durable-files.ts';
import { errorCode } from './failure.ts';

/** The layout of the whole data folder. A new number when an older version could not read what this one writes. */
export const STORE_FORMAT = 5;

const STORE_ID = /^[0-9a-f-]{36}$/;
export const FORMAT_FILE = 'format.json';
/** In a data folder: where an import makes a store. Without a format beside it, that was cut off. */
export const IMPORTING = '.importing';

/** Marks a new data folder with the format, or checks that this version can read it. The lock must be held. */
export async function requireFormat(folder: string): Promise<void> {
  const format = requireReadable(folder);
  // An older store is read as it is; what is written from now on is for this version.
  if (format !== STORE_FORMAT || findStoreId(folder) === undefined) await markFormat(folder);
}

/** The format of a data folder, which this version can read; undefined when nothing is in it yet. Changes nothing. */
export function requireReadable(folder: string): number | undefined {
  const path = join(folder, FORMAT_FILE);
  if (!existsSync(path)) {
    if (existsSync(join(folder, IMPORTING))) throw cutOff(folder);
    if (existsSync(join(folder, 'journal'))) throw unreadable(path, 'is missing, yet there is a journal');
    return undefined;
  }
  const format = readFormat(path);
  if (format <= STORE_FORMAT) return format;
  throw new AccreteError(
    'STORE_TOO_NEW',
    `the store in ${folder} has format ${format}, and this version reads up to ${STORE_FORMAT}; nothing was changed: ` +
      'start the version that wrote it or a newer one, or give this one another data folder',
    { metadata: { folder, format: String(format) } },
  );
}

/** Says that a folder has a store of this format, and which one: by a random number, which another folder never has. */
export async function markFormat(folder: string): Promise<void> {
  const path = join(folder, FORMAT_FILE);
  const id = findStoreId(folder) ?? randomUUID();
  writeFileSync(`${path}.new`, `${JSON.stringify({ store: 'accrete', format: STORE_FORMAT, id })}\n`);
  await renameDurably(`${path}.new`, path);
}

/** The format of what is in a data folder; undefined when it does not say. */
export function findFormat(folder: string): number | undefined {
  return findMark(folder)?.format;
}

/** Which store is in a data folder; undefined when it does not say. */
export function findStoreId(folder: string): string | undefined {
  const id = findMark(folder)?.id;
  return typeof id === 'string' && STORE_ID.test(id) ? id : undefined;
}

interface Mark {
  readonly format: number;
  readonly id?: unknown;
}

function findMark(folder: string): Mark | undefined {
  try {
    return readMark(join(folder, FORMAT_FILE));
  } catch {
    return undefined;
  }
}

const readFormat = (path: string) => readMark(path).format;

function readMark(path: string): Mark {
  try {
    const mark = JSON.parse(readFileSync(path, 'utf8')) as { store?: unknown; format?: unknown; id?: unknown } | null;
    if (mark?.store === 'accrete' && typeof mark.format === 'number' && mark.format >= 1)
      return { format: mark.format, id: mark.id };
  } catch (error) {
    if (!(error instanceof SyntaxError) && errorCode(error) !== 'EISDIR') throw error;
  }
  throw unreadable(path, 'does not say which format the store has');
}

function unreadable(path: string, what: string): AccreteError {
  const message = `${path} ${what}: restore it from a backup of this folder`;
  return new AccreteError('STORE_DAMAGED', message, { metadata: { path } });
}

function cutOff(folder: string): AccreteError {
  const message = `an import into ${folder} was cut off: run \`accrete checkpoint import\` again, or empty the folder`;
  return new AccreteError('STORE_DAMAGED', message, { metadata: { path: folder } });
}
