import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How the figures of experiments moved, in a file beside the journal. It is no part of the state: where it is lost or cannot be
 * written, pages of reports show less of the past, and nothing else changes.
 */

const FILE = 'experiments.points.json';
const FORMAT = 1;

export class PointsFile {
  readonly #path: string;

  constructor(data: string) {
    this.#path = join(data, FILE);
  }

  /** By experiment; nothing where there is no file that can be read. */
  read(): Readonly<Record<string, unknown>> {
    try {
      const { format, points } = JSON.parse(readFileSync(this.#path, 'utf8'));
      return format === FORMAT && typeof points === 'object' && points ? points : {};
    } catch {
      return {};
    }
  }

  write(points: Readonly<Record<string, unknown>>): void {
    try {
      const path = `${this.#path}.tmp`;
      writeFileSync(path, JSON.stringify({ format: FORMAT, points }));
      renameSync(path, this.#path);
    } catch {
      // A full disk, mostly: the next time.
    }
  }
}
