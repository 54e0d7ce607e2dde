import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How many exposures a run of the server has given out, in a file beside the journal: after a crash that says how many of them
 * may have been lost. It is written without a flush, so that it outlives the process and not the power.
 */

/** It is written once for so many: what a crash may have lost is counted by that much too much at most. */
export const MARKED_AT_ONCE = 16;

const FILE = 'exposures.run';
const BYTES = 12;

export interface RunMark {
  readonly run: number;
  /** The last sequence that may have been given out. */
  readonly issued: number;
}

export class ExposureMark {
  readonly #path: string;
  readonly #bytes = Buffer.alloc(BYTES);
  #file: number | undefined;
  #issued = 0;

  constructor(data: string) {
    this.#path = join(data, FILE);
  }

  /** What the run before has left; undefined: it ended in order, or gave none. */
  read(): RunMark | undefined {
    try {
      const bytes = readFileSync(this.#path);
      if (bytes.length < BYTES) return undefined;
      return { run: bytes.readUInt32LE(0), issued: bytes.readDoubleLE(4) };
    } catch {
      return undefined;
    }
  }

  /** To be called before this sequence is given out. A disk that takes nothing is no reason not to answer. */
  issue(run: number, sequence: number): void {
    if (sequence <= this.#issued) return;
    this.#issued = sequence + MARKED_AT_ONCE - 1;
    this.#bytes.writeUInt32LE(run);
    this.#bytes.writeDoubleLE(this.#issued, 4);
    try {
      this.#file ??= openSync(this.#path, 'w');
      writeSync(this.#file, this.#bytes, 0, BYTES, 0);
    } catch {
      this.#close();
    }
  }

  /** All that was given out is logged, or counted as lost. */
  remove(): void {
    this.#close();
    this.#issued = 0;
    rmSync(this.#path, { force: true });
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
