import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * That damage was found in a journal while a server ran on it. The next start reads all of it, however long that takes, and
 * begins only if it is whole by then.
 */
export class DamageMark {
  readonly #path: string;

  /** `directory`: that of the journal. */
  constructor(directory: string) {
    this.#path = join(directory, 'damaged');
  }

  get isSet(): boolean {
    return existsSync(this.#path);
  }

  set(): void {
    writeFileSync(this.#path, '', { flush: true });
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}
