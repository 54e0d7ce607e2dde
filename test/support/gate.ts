import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { rating } from './ratings.ts';
import { pluginPath } from './server.ts';
import { makeFolder, type Scope } from './temporary-folder.ts';

/** Holds the learner for as long as a test needs: see plugins/gated.ts. Shut at first, and open when the scope ends. */
export class Gate {
  readonly #path: string;

  constructor(scope: Scope) {
    this.#path = join(makeFolder(scope), 'open');
  }

  /** The model that waits at the gate: one of the configuration's `models`. */
  get model() {
    return { name: 'gated', plugin: pluginPath('gated'), config: { gate: this.#path } };
  }

  /** Resolves when the learner stands before it. */
  async held(): Promise<void> {
    while (!existsSync(`${this.#path}.held`)) await sleep(5);
  }

  open(): void {
    rmSync(`${this.#path}.held`, { force: true });
    writeFileSync(this.#path, '');
  }

  shut(): void {
    rmSync(this.#path, { force: true });
  }
}

/** A rating that is learned only when the gate is open. */
export function heldRating(user: string, item: string): Rating {
  return rating(user, item, 4, { weight: 10 });
}
