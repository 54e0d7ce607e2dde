import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { namesIn, removeIfPossible } from '../../store/durable-files.ts';
import type { Trial } from './trial.ts';

/**
 * What a search has found until now, so that one that is cut off and asked for again goes on: a file of lines, each with its
 * checksum. The first says where the window ends, the others what came of a replay. It knows settings and figures, and
 * nobody's ids. What cannot be read or written is done again.
 */

/** In the folder of the state. */
const SEARCHES = 'searches';
/** Searches whose notes are kept; those that were written to last. */
const KEPT = 8;
/** More than the longest search writes. */
const BYTES_MAX = 16 * 2 ** 20;

interface Begun {
  /** The last record of the window. */
  readonly last: number;
}

interface Noted {
  readonly rung: number;
  readonly candidate: number;
  readonly trial: Trial;
}

export class SearchNotes {
  readonly last: number;
  readonly #path: string;
  readonly #trials: Map<string, Trial>;
  #file: number | undefined;

  private constructor(path: string, last: number, noted: readonly Noted[]) {
    this.last = last;
    this.#path = path;
    this.#trials = new Map(noted.map(({ rung, candidate, trial }) => [keyOf(rung, candidate), trial]));
  }

  /** Those of the search `key`, if there are any that `isCurrent`; else new ones, of a window that ends with `last`. */
  static open(state: string, key: string, last: number, isCurrent: (last: number) => boolean): SearchNotes {
    const path = pathOf(state, key);
    const [begun, ...noted] = readLines(path) as [Begun | undefined, ...Noted[]];
    if (begun && isCurrent(begun.last)) {
      const notes = new SearchNotes(path, begun.last, noted);
      // Without what may have been half written.
      notes.#begin(state, [begun, ...noted]);
      return notes;
    }
    const notes = new SearchNotes(path, last, []);
    notes.#begin(state, [{ last }]);
    return notes;
  }

  /** They are needed no more. */
  static remove(state: string, key: string): void {
    removeIfPossible(pathOf(state, key));
  }

  find(rung: number, candidate: number): Trial | undefined {
    return this.#trials.get(keyOf(rung, candidate));
  }

  /** On disk when it returns. */
  add(rung: number, trials: ReadonlyMap<number, Trial>): void {
    const noted = Array.from(trials, ([candidate, trial]): Noted => ({ rung, candidate, trial }));
    for (const { candidate, trial } of noted) this.#trials.set(keyOf(rung, candidate), trial);
    this.#write(noted);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #begin(state: string, lines: readonly object[]): void {
    try {
      const folder = join(state, SEARCHES);
      mkdirSync(folder, { recursive: true });
      tidy(folder, this.#path);
      this.#file = openSync(this.#path, 'w', 0o600);
    } catch {
      return;
    }
    this.#write(lines);
  }

  /** A search that cannot write down what it finds goes on. */
  #write(lines: readonly object[]): void {
    if (this.#file === undefined) return;
    try {
      writeSync(this.#file, lines.map(lineOf).join(''));
      fdatasyncSync(this.#file);
    } catch {
      this.close();
    }
  }
}

function keyOf(rung: number, candidate: number): string {
  return `${rung}/${candidate}`;
}

function pathOf(state: string, key: string): string {
  return join(state, SEARCHES, `${key}.notes`);
}

function lineOf(said: object): string {
  const text = JSON.stringify(said);
  return `${checksumOf(text)} ${text}\n`;
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

/** As far as they are whole. */
function readLines(path: string): object[] {
  const lines: object[] = [];
  try {
    if (statSync(path).size > BYTES_MAX) return [];
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const text = line.slice(9);
      if (line.slice(0, 9) !== `${checksumOf(text)} `) break;
      lines.push(JSON.parse(text) as object);
    }
  } catch {
    // There are none.
  }
  return lines;
}

/** Keeps the latest ones, `path` among them. */
function tidy(folder: string, path: string): void {
  const others = namesIn(folder)
    .map((name) => join(folder, name))
    .filter((other) => other !== path)
    // Another search may remove its own meanwhile.
    .map((other) => ({ other, ms: statSync(other, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.ms - a.ms);
  for (const { other } of others.slice(KEPT - 1)) rmSync(other, { force: true });
}
