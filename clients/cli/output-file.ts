import { once } from 'node:events';
import { createWriteStream, existsSync, openSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { UsageError } from './failure.ts';
import { STDIN } from './import/source.ts';

/** A place to write to, piece by piece; it may be slow, and is waited for. */
export interface Sink {
  write(text: string | Uint8Array): Promise<void>;
}

export const FORMATS = ['csv', 'tsv', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

/** `ratings.csv`, or what is left of `ratings.jsonl.gz` */
const EXTENSION = /\.(csv|tsv|jsonl|ndjson)$/i;
const COMPRESSIONS: Readonly<Record<string, () => Writable & NodeJS.ReadableStream>> = {
  '.gz': () => createGzip(),
  '.zst': () => createZstdCompress(),
  '.zstd': () => createZstdCompress(),
};

/** The name of a file; undefined for standard output, which is `-`, too. */
export function fileOf(path: string | undefined): string | undefined {
  return path === STDIN ? undefined : path;
}

/** The format that a file's name tells; undefined if it tells none. */
export function formatOf(path: string): Format | undefined {
  const name = EXTENSION.exec(path.replace(/(\.gz|\.zst|\.zstd)+$/i, ''))?.[1]?.toLowerCase();
  return name === 'ndjson' ? 'jsonl' : (name as Format | undefined);
}

/**
 * A file that is there whole or not at all: it has another name until `publish`. What its name ends with says how it is
 * compressed (`.gz`, `.zst`).
 */
export class OutputFile implements Sink {
  readonly #path: string;
  readonly #temporary: string;
  readonly #head: Writable;
  readonly #written: Promise<unknown>;

  /** Throws UsageError when the file exists, unless `force` says to replace it. */
  constructor(path: string, force: boolean) {
    if (!force && existsSync(path)) throw new UsageError(`${path} exists: name another file, or replace it by --force`);
    this.#path = path;
    this.#temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
    // Opened now: a stream opens its file later, perhaps after it was discarded.
    const file = createWriteStream(this.#temporary, { fd: openNow(this.#temporary, path), flush: true });
    const compressor = COMPRESSIONS[/\.[^.]*$/.exec(path)?.[0].toLowerCase() ?? '']?.();
    this.#head = compressor ?? file;
    this.#written = compressor ? pipeline(compressor, file) : finished(file);
    this.#written.catch(() => {}); // told by whatever is waited for next
  }

  async write(text: string | Uint8Array): Promise<void> {
    if (this.#head.write(text)) return;
    await Promise.race([once(this.#head, 'drain'), this.#written]);
  }

  /** Resolves when all of it is on disk. */
  async complete(): Promise<void> {
    this.#head.end();
    await this.#written;
  }

  /** Gives the file its name, when it is complete. */
  async publish(): Promise<void> {
    await rename(this.#temporary, this.#path);
  }

  /** Leaves nothing behind; also when the process is about to end. */
  discard(): void {
    this.#head.on('error', () => {}).destroy();
    rmSync(this.#temporary, { force: true });
  }
}

function openNow(temporary: string, path: string): number {
  try {
    return openSync(temporary, 'w');
  } catch (error) {
    throw new UsageError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code}): name another file`);
  }
}

/** Files that are written together; none of them is there before all of them are whole. */
export class OutputFiles {
  readonly #files: OutputFile[] = [];

  /** Undefined is standard output. */
  open(path: string | undefined, force: boolean): Sink {
    if (path === undefined) return STDOUT;
    const file = new OutputFile(path, force);
    this.#files.push(file);
    return file;
  }

  async finish(): Promise<void> {
    for (const file of this.#files) await file.complete();
    for (const file of this.#files) await file.publish();
  }

  discard(): void {
    for (const file of this.#files) file.discard();
  }
}

const STDOUT: Sink = {
  async write(text) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
};
