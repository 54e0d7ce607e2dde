import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How the figures of experiments moved, in a file of each in a folder beside the journal. They are no part of the state: where
 * one is lost or cannot be written, a report shows less of the past, and nothing else changes.
 */

const FOLDER = 'experiments.points';
const SUFFIX = '.json';
const FORMAT = 1;

export class PointsFiles {
  readonly #folder: string;

  constructor(data: string) {
    this.#folder = join(data, FOLDER);
  }

  /** By experiment, those of every file that can be read. */
  read(): Map<string, readonly unknown[]> {
    const found = new Map<string, readonly unknown[]>();
    for (const file of this.#names()) {
      const experiment = file.slice(0, -SUFFIX.length);
      const points = this.#readOne(experiment);
      if (points) found.set(experiment, points);
    }
    return found;
  }

  write(experiment: string, points: readonly unknown[]): void {
    try {
      if (!existsSync(this.#folder)) mkdirSync(this.#folder);
      const path = this.#pathOf(experiment);
      writeFileSync(`${path}.tmp`, JSON.stringify({ format: FORMAT, points }));
      renameSync(`${path}.tmp`, path);
    } catch {
      // A full disk, mostly: the next time.
    }
  }

  remove(experiment: string): void {
    try {
      rmSync(this.#pathOf(experiment), { force: true });
    } catch {
      // The next start reads it, and tries again.
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith(SUFFIX));
    } catch {
      return [];
    }
  }

  #readOne(experiment: string): readonly unknown[] | undefined {
    try {
      const { format, points } = JSON.parse(readFileSync(this.#pathOf(experiment), 'utf8'));
      return format === FORMAT && Array.isArray(points) ? points : undefined;
    } catch {
      return undefined;
    }
  }

  /** Names of experiments are names of files. */
  #pathOf(experiment: string): string {
    return join(this.#folder, `${experiment}${SUFFIX}`);
  }
}
