import { open } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import { AccreteError, invalidField } from '../errors.ts';
import { removeIfPossible } from '../store/durable-files.ts';
import { storeFailure } from '../store/failure.ts';
import type { ImportFolder, ImportSize } from '../store/models/import-folder.ts';
import type { TableSize } from '../store/models/model-file.ts';
import { damagedFile, importExists, userForgotten } from '../store/models/refusals.ts';

/** Takes model files from clients: their bytes go to the disk as they come, and a job looks at them when all are there. */

const MIB = 2 ** 20;

/** What comes, as whoever sends it says. */
export interface IncomingFile {
  /** One that `ImportFolder.isName` takes. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ImportsParts {
  readonly folder: ImportFolder;
  readonly config: Config['imports'];
  /** How many may come at once. */
  readonly atOnceMax: number;
  /**
   * Checks a draft and gives it its name, if it names none of these users; without one, whether the file of that name is the
   * same.
   */
  readonly accept: (
    task: {
      readonly name: string;
      readonly sha256: string;
      readonly draft: string | undefined;
      readonly without: readonly string[];
    },
    signal: AbortSignal,
  ) => Promise<readonly TableSize[]>;
}

/** A file on its way. */
interface Coming extends IncomingFile {
  /** Who was forgotten since it began to come. */
  readonly forgotten: Set<string>;
  /** While it is looked at. */
  accepting?: Promise<unknown>;
}

/** Beside one file; of more it is not known whom it may not name. */
const FORGOTTEN_MAX = 10_000;

export class Imports {
  readonly #parts: ImportsParts;
  readonly #coming = new Set<Coming>();

  constructor(parts: ImportsParts) {
    this.#parts = parts;
  }

  /** Those that are there, by name. */
  list(): ImportSize[] {
    return this.#parts.folder.list();
  }

  /** Throws CHECKPOINT_FAILED. */
  async remove(name: string): Promise<void> {
    try {
      await this.#parts.folder.remove(name);
    } catch (error) {
      throw storeFailure(error, 'CHECKPOINT_FAILED', `${name} was not removed`, 'see the cause in the log');
    }
  }

  /** How long nothing may come of a file. */
  get idleMs(): number {
    return this.#parts.config.idleMs;
  }

  /**
   * Keeps a file, whole or not at all. The same one again is accepted. Throws IMPORT_EXISTS, IMPORTS_FULL, JOBS_FULL,
   * DISK_FULL, FILE_DAMAGED, FILE_FOREIGN, USER_FORGOTTEN, INVALID_FIELD.
   */
  async receive(
    file: IncomingFile,
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<readonly TableSize[]> {
    const { folder } = this.#parts;
    const { name } = file;
    // Which of two would have the name depends on what they hold.
    if ([...this.#coming].some((each) => each.name === name)) throw coming(name);
    if (this.#coming.size >= this.#parts.atOnceMax) throw tooMany(this.#parts.atOnceMax);
    const there = folder.list().find((each) => each.name === name);
    if (there && there.bytes !== file.bytes) throw importExists(name);
    if (!there) this.#requireRoom(file);
    const entry: Coming = { ...file, forgotten: new Set() };
    this.#coming.add(entry);
    try {
      if (!there) return await this.#keep(entry, chunks, signal);
      const same = await this.#accept(entry, undefined, signal);
      await pass(chunks, file);
      return same;
    } finally {
      this.#coming.delete(entry);
    }
  }

  /**
   * These users are forgotten: whatever is on its way now will not name them. Resolves when what is looked at already, and may
   * name them, has its name or none.
   */
  async exclude(userIds: readonly string[]): Promise<void> {
    for (const { forgotten } of this.#coming)
      for (const userId of userIds) if (forgotten.size <= FORGOTTEN_MAX) forgotten.add(userId);
    await Promise.allSettled([...this.#coming].map(({ accepting }) => accepting));
  }

  async #accept(entry: Coming, draft: string | undefined, signal: AbortSignal): Promise<readonly TableSize[]> {
    const { name, sha256, forgotten } = entry;
    if (forgotten.size > FORGOTTEN_MAX) throw userForgotten(name);
    const accepting = this.#parts.accept({ name, sha256, draft, without: [...forgotten] }, signal);
    entry.accepting = accepting;
    return await accepting;
  }

  /** Writes what comes to a draft, which is gone in the end: it has its name, or was refused. */
  async #keep(file: Coming, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<readonly TableSize[]> {
    const { folder } = this.#parts;
    const fail = (error: unknown) => {
      throw notKept(file, error);
    };
    const draft = await folder.makeDraft().catch(fail);
    try {
      await write(draft, file, chunks, signal).catch(fail);
      return await this.#accept(file, draft, signal);
    } finally {
      removeIfPossible(draft);
    }
  }

  /** What is coming counts as what is there; what comes again, once. */
  #requireRoom({ bytes }: IncomingFile): void {
    const { max, totalMiB } = this.#parts.config;
    const sizes = new Map([...this.#parts.folder.list(), ...this.#coming].map((each) => [each.name, each.bytes]));
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    if (sizes.size >= max) throw full(`There are ${sizes.size} model files, as many as imports.max allows`, sizes.size);
    if (total + bytes > totalMiB * MIB)
      throw full(
        `With ${bytes} bytes more model files would have more than the ${totalMiB} MiB of imports.totalMiB`,
        total,
      );
  }
}

async function write(
  path: string,
  file: IncomingFile,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await pass(chunks, file, async (chunk) => {
      signal.throwIfAborted();
      await handle.appendFile(chunk);
    });
  } finally {
    await handle.close();
  }
}

/** Takes all chunks. Throws when they are not as many bytes as they should be. */
async function pass(
  chunks: AsyncIterable<Uint8Array>,
  { name, bytes }: IncomingFile,
  take: (chunk: Uint8Array) => Promise<void> = async () => {},
): Promise<void> {
  let taken = 0;
  for await (const chunk of chunks) {
    taken += chunk.length;
    if (taken > bytes) throw invalidField('header.bytes', `is ${bytes}, and more came: send how many there are`);
    await take(chunk);
  }
  if (taken < bytes) throw damagedFile(name, `${taken} bytes came of the ${bytes} that its header says`);
}

function notKept({ name }: IncomingFile, error: unknown): unknown {
  const isOfDisk = error instanceof Error && 'syscall' in error;
  return isOfDisk
    ? storeFailure(error, 'CHECKPOINT_FAILED', `${name} was not kept`, 'see the cause in the log')
    : error;
}

function coming(name: string): AccreteError {
  const message = `A model file ${name} is being imported already: send this one when that is over`;
  return new AccreteError('MODEL_CHANGING', message, { metadata: { name } });
}

function tooMany(max: number): AccreteError {
  const message = `There are ${max} imports of models already, as many as jobs.max allows: try again later`;
  return new AccreteError('JOBS_FULL', message, { metadata: { max: String(max) } });
}

function full(what: string, count: number): AccreteError {
  const message = `${what}: remove what is not needed (DeleteImport)`;
  return new AccreteError('IMPORTS_FULL', message, { metadata: { present: String(count) } });
}
