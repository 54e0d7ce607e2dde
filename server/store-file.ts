import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable, Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { AccreteError } from './errors.ts';
import { fileDamaged } from './store/archive/facts.ts';
import { importStore } from './store/archive/import.ts';
import { type Taker, type Unpacked, unpackStore } from './store/archive/unpack.ts';

/** What `main.ts --import FILE` and `--verify FILE` do, for `accrete checkpoint`: without a server, a line of JSON each time. */

export interface StoreFileTask {
  /** `-` is standard input. */
  readonly file: string;
  /** The data folder to make; undefined: the file is only looked at. */
  readonly folder: string | undefined;
  readonly linkBytes: number;
}

export type StoreFileNews =
  | { readonly progress: { readonly bytes: number; readonly total: number | undefined } }
  | { readonly done: Unpacked };

const TELL_MS = 200;
const STDIN = '-';
const EXPANDERS: Readonly<Record<string, () => Transform>> = {
  '.gz': () => createGunzip(),
  '.zst': () => createZstdDecompress(),
  '.zstd': () => createZstdDecompress(),
};

/** Nobody keeps what is only looked at. */
const NOBODY: Taker = {
  begin: async () => {},
  file: async (_path, content) => {
    for await (const _ of content);
  },
  records: async () => {},
};

/** Throws what is wrong with the file, or with the folder. */
export async function readStoreFile(task: StoreFileTask, tell: (news: StoreFileNews) => void): Promise<void> {
  const { folder, linkBytes } = task;
  const file = task.file === STDIN ? 'standard input' : task.file;
  const total = task.file === STDIN ? undefined : await requireFile(task.file);
  const input = openPieces(task.file);
  const cutOff = () => input.destroy(new AccreteError('DRAINING', `${file} was not read to its end: it was stopped`));
  // It may come before anybody reads; whoever does then hears of it.
  input.on('error', () => {});
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, cutOff);
  const pieces = readable(input, file);
  let nextMs = 0;
  const onBytes = (bytes: number) => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + TELL_MS;
    tell({ progress: { bytes, total } });
  };
  const done =
    folder === undefined
      ? await unpackStore(pieces, file, NOBODY, onBytes)
      : await importStore({ pieces, file, folder, linkBytes, onBytes });
  tell({ done });
}

/** What its name says is compressed is read through. */
function openPieces(file: string): Readable {
  if (file === STDIN) return process.stdin;
  const bytes = createReadStream(file, { highWaterMark: 1024 * 1024 });
  const expander = EXPANDERS[/\.[^.]*$/.exec(file)?.[0].toLowerCase() ?? '']?.();
  if (!expander) return bytes;
  bytes.on('error', (error) => expander.destroy(error));
  return bytes.pipe(expander);
}

/** What cannot be read, or expanded, is damaged. */
async function* readable(pieces: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw error instanceof AccreteError ? error : fileDamaged(file, (error as Error).message, error);
  }
}

/** The size of a file that can be read. */
async function requireFile(path: string): Promise<number> {
  try {
    const handle = await open(path);
    try {
      const stats = await handle.stat();
      if (stats.isFile()) return stats.size;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new AccreteError('CONFIG_INVALID', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  throw new AccreteError('CONFIG_INVALID', `${path} is no file`);
}
