import { existsSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Files of a store as they were before someone was forgotten. Forgetting puts others in their place, so a second name
 * keeps them; and what is still appended to one is in it.
 */

const FOLDERS = ['journal', join('state', 'versions')];

export class Originals {
  readonly folder: string;
  readonly #data: string;

  constructor(data: string, folder: string) {
    this.#data = data;
    this.folder = folder;
  }

  /** Keeps all files that are new. Once before a forgetting, and often until it is over: files are rewritten at its end. */
  keep(): void {
    for (const folder of FOLDERS) {
      for (const name of namesIn(join(this.#data, folder)).filter((each) => each.endsWith('.mdb'))) {
        const path = join(this.folder, folder, name);
        if (existsSync(path)) continue;
        mkdirSync(dirname(path), { recursive: true });
        linkSync(join(this.#data, folder, name), path);
      }
    }
  }
}

/** Files below a folder; none where there is no such folder. */
export function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
}
