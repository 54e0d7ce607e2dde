import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AccreteError } from '../../errors.ts';
import { makeFolderDurably, namesIn, removeIfPossible, renameDurably, syncToDisk } from '../durable-files.ts';
import { storeFailure } from '../failure.ts';

/**
 * Who is being forgotten: a file for each, from before anything is removed until all is. A start that finds one goes on
 * with it. It is the one place where the id may stand then; its name, which says nothing of them, is in the journal.
 */

export interface Note {
  readonly id: string;
  readonly userId: string;
}

const FOLDER = 'forgetting';
const SUFFIX = '.json';
const DRAFT = '.new';
const WHAT = 'who is to be forgotten was not written down, so ask again later';

export class Notes {
  readonly #folder: string;

  /** `data`: the folder of the store. */
  constructor(data: string) {
    this.#folder = join(data, FOLDER);
  }

  /** Writes down that a user is to be forgotten. Throws DISK_FULL, CHECKPOINT_FAILED. */
  async write(userId: string): Promise<Note> {
    const id = randomUUID();
    const path = this.#pathOf(id);
    try {
      await makeFolderDurably(this.#folder);
      await writeFile(path + DRAFT, JSON.stringify({ userId }));
      await renameDurably(path + DRAFT, path);
    } catch (error) {
      removeIfPossible(path + DRAFT);
      throw storeFailure(error, 'CHECKPOINT_FAILED', WHAT, 'see the cause in the log');
    }
    return { id, userId };
  }

  /** All is removed of these. */
  async remove(notes: readonly Note[]): Promise<void> {
    for (const { id } of notes) rmSync(this.#pathOf(id), { force: true });
    await syncToDisk(this.#folder);
  }

  /** Takes away what a process that was killed had not finished writing: nothing was removed then. */
  tidy(): void {
    for (const name of namesIn(this.#folder))
      if (name.endsWith(DRAFT)) rmSync(join(this.#folder, name), { force: true });
  }

  /** Those that are written. Throws STORE_DAMAGED. */
  list(): Note[] {
    return namesIn(this.#folder)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => ({ id: name.slice(0, -SUFFIX.length), userId: userOf(join(this.#folder, name)) }));
  }

  #pathOf(id: string): string {
    return join(this.#folder, id + SUFFIX);
  }
}

function userOf(path: string): string {
  const userId = parseNote(readFileSync(path, 'utf8'));
  if (typeof userId === 'string' && userId !== '') return userId;
  const message =
    `${path}, which says who is to be forgotten, is damaged: nobody is forgotten while it is there. Remove it, and ask ` +
    'again for those of whom ForgetUser had not answered yet';
  throw new AccreteError('STORE_DAMAGED', message, { metadata: { path } });
}

/** Why a text is no JSON would quote it, in the log too. */
function parseNote(text: string): unknown {
  try {
    return (JSON.parse(text) as { userId?: unknown } | null)?.userId;
  } catch {
    return undefined;
  }
}
