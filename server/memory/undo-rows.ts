import type { UndoLog } from './undo-log.ts';

/** What the thread that saves a checkpoint took out of the log, by segment. */

export class UndoRows {
  readonly #log: UndoLog;
  readonly #bytesMax: number;
  /** By mark, in the order of their first rows. */
  readonly #kept = new Map<number, KeptRows>();
  /** Marks of segments that are saved: what comes of them is of no use. */
  readonly #done = new Set<number>();
  #bytes = 0;

  /** Of itself it takes no more out of the log than `bytesMax`: then whoever writes has to wait. */
  constructor(log: UndoLog, bytesMax: number) {
    this.#log = log;
    this.#bytesMax = bytesMax;
  }

  /** Makes room in the log. */
  take(): void {
    if (this.#bytes < this.#bytesMax) this.#drain(this.#bytesMax);
  }

  /** The mark of a segment of which there are rows: saving it makes room. Undefined: there is none. */
  get first(): number | undefined {
    return this.#kept.keys().next().value;
  }

  /** Calls `put` with each row that was kept of a segment, which is saved with that; a row's oldest bytes come last. */
  putBack(mark: number, put: (row: number, bytes: Uint8Array) => void): void {
    this.#drain(Number.POSITIVE_INFINITY);
    this.#kept.get(mark)?.eachBack(put);
    this.forget(mark);
  }

  /** Nothing of this segment is wanted any more. */
  forget(mark: number): void {
    this.#bytes -= this.#kept.get(mark)?.bytes ?? 0;
    this.#kept.delete(mark);
    this.#done.add(mark);
  }

  #drain(bytesMax: number): void {
    this.#log.drain((mark, row, bytes) => {
      if (this.#done.has(mark)) return true;
      const kept = this.#kept.get(mark) ?? new KeptRows(bytes.length);
      this.#kept.set(mark, kept);
      kept.add(row, bytes);
      this.#bytes += bytes.length;
      return this.#bytes < bytesMax;
    });
  }
}

/** Rows of one segment, all of the same width. */
class KeptRows {
  readonly #width: number;
  readonly #rows: number[] = [];
  #room: Buffer;

  constructor(width: number) {
    this.#width = width;
    this.#room = Buffer.allocUnsafeSlow(width);
  }

  get bytes(): number {
    return this.#rows.length * this.#width;
  }

  add(row: number, bytes: Uint8Array): void {
    if (this.bytes === this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.bytes);
      larger.set(this.#room);
      this.#room = larger;
    }
    this.#room.set(bytes, this.bytes);
    this.#rows.push(row);
  }

  eachBack(visit: (row: number, bytes: Uint8Array) => void): void {
    for (let n = this.#rows.length - 1; n >= 0; n--) {
      visit(this.#rows[n], this.#room.subarray(n * this.#width, (n + 1) * this.#width));
    }
  }
}
