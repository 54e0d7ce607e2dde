import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolderDurably, namesIn, removeIfPossible, renameDurably, syncToDisk } from '../durable-files.ts';

/**
 * Model files that were imported: each is there whole or not at all, by a name of its own. To remove one is to remove the
 * file, also while a server runs.
 */

export interface ImportSize {
  readonly name: string;
  readonly bytes: number;
  /** When it was imported, in milliseconds since 1970. */
  readonly createdMs: number;
}

const FOLDER = 'imports';
/** Names begin with no dot, so that none is that of what is not whole yet. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;
const DRAFT = '.new-';
/** What was fetched for one call, which removes it. */
const FETCHED = /^peer-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class ImportFolder {
  readonly path: string;

  /** `data`: the folder of the store. */
  constructor(data: string) {
    this.path = join(data, FOLDER);
  }

  /** Whether an import may be called so: never a path. */
  static isName(name: string): boolean {
    return NAME.test(name);
  }

  /** A name that no other import has, for what goes with the call that fetched it. */
  static makeFetchedName(): string {
    return `peer-${randomUUID()}`;
  }

  /** Whether it is one of those: it does not outlive the process. */
  static isFetchedName(name: string): boolean {
    return FETCHED.test(name);
  }

  /** By name. */
  list(): ImportSize[] {
    return namesIn(this.path)
      .filter((name) => ImportFolder.isName(name))
      .sort()
      .flatMap((name) => {
        // A file may go while one looks.
        const stats = statSync(join(this.path, name), { throwIfNoEntry: false });
        return stats?.isFile() ? [{ name, bytes: stats.size, createdMs: Math.round(stats.mtimeMs) }] : [];
      });
  }

  has(name: string): boolean {
    return existsSync(this.pathOf(name));
  }

  /** `name` is one that `isName` takes. */
  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** A place for what is on its way. */
  async makeDraft(): Promise<string> {
    await makeFolderDurably(this.path);
    return join(this.path, DRAFT + randomUUID());
  }

  /** Gives a draft its name: it is on disk then. */
  async keep(draft: string, name: string): Promise<void> {
    await renameDurably(draft, this.pathOf(name));
  }

  /** Removes an import, durably; one that is not there may be removed. */
  async remove(name: string): Promise<void> {
    if (!this.has(name)) return;
    rmSync(this.pathOf(name), { force: true });
    await syncToDisk(this.path);
  }

  /** At a start, when nobody imports: removes what a process that was killed had not finished, or had fetched for a call. */
  tidy(): void {
    for (const name of namesIn(this.path))
      if (name.startsWith(DRAFT) || ImportFolder.isFetchedName(name)) removeIfPossible(join(this.path, name));
  }
}
