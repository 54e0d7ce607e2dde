import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { rating } from './ratings.ts';
import { pluginPath } from './server.ts';
import { makeFolder, type Scope } from './temporary-folder.ts';

/** Holds jobs that make a version of a model, at a point of their work: see plugins/refitting.ts. All go on at the scope's end. */

/** A rating of `holdingRating`, wherever the job comes to it, or the refit. */
export type HoldPoint = 'learn' | 'refit';

export class Holds {
  readonly #folder: string;

  constructor(scope: Scope) {
    this.#folder = makeFolder(scope);
  }

  /** A model of the configuration's `models`: its refit adds `gain` to what it expects. */
  model(name: string, more: { start?: number; gain?: number } = {}) {
    return { name, plugin: pluginPath('refitting'), config: { ...more, holds: this.#folder } };
  }

  /** `rating`: of the point `learn`. */
  shut(point: HoldPoint, rating?: Rating): void {
    // Who was held before may have said so once more while it was let go.
    rmSync(this.#path(`${point}.held`), { force: true });
    const draft = this.#path(`${point}.new`);
    writeFileSync(draft, String(rating?.weight ?? 0));
    renameSync(draft, this.#path(point));
  }

  open(point: HoldPoint): void {
    for (const path of [this.#path(point), this.#path(`${point}.held`)]) rmSync(path, { force: true });
  }

  /** Resolves when a job stands there. */
  async held(point: HoldPoint): Promise<void> {
    while (!this.isHeld(point)) await sleep(5);
  }

  isHeld(point: HoldPoint): boolean {
    return existsSync(this.#path(`${point}.held`));
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

let made = 0;

/** A rating at which a job can be held, and at no other one. */
export function holdingRating(user: string, item: string): Rating {
  return rating(user, item, 4, { weight: 9 + ++made / 1024 });
}
