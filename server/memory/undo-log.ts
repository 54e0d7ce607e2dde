/**
 * Rows of tables as they were when a checkpoint began: whoever is about to change one that is not saved yet puts it here.
 * A ring of bytes: the learner writes, whoever saves takes out (`UndoRows`). It is set aside once, and holds no more: when
 * it is full the learner waits.
 *
 * An entry is (index of the segment's mark, row, bytes, 0), u32 each, and the row's bytes. One whose mark is 0 fills the
 * rest of the ring, before the next one begins at its start.
 */

/** The part of a memory budget that the ring takes, and what it takes at least and at most. */
const BUDGET_PART = 1 / 64;
const RING_BYTES = { min: 2 ** 20, max: 2 ** 26 } as const;
const WAIT_MS = 50;

/** Words in the header: where the ring is and how long, */
const ADDRESS = 0;
const CAPACITY = 1;
/** bytes that were ever written and taken, modulo 2^32, */
const WRITTEN = 2;
const TAKEN = 3;
/** whether somebody saves, and how many checkpoints began. */
const IS_OPEN = 4;
const CHECKPOINT = 5;
export const UNDO_LOG_BYTES = 24;

const HEAD_BYTES = 16;
/** Of entries. */
const ALIGNMENT = 16;

export class UndoLog {
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #u8: Uint8Array;
  readonly #head: number;

  /** At `address`, `UNDO_LOG_BYTES` bytes that were zero at first. */
  constructor(memory: WebAssembly.Memory, address: number) {
    this.#i32 = new Int32Array(memory.buffer);
    this.#u32 = new Uint32Array(memory.buffer);
    this.#u8 = new Uint8Array(memory.buffer);
    this.#head = address >>> 2;
  }

  /** Sets room aside, of a memory of `budgetBytes`, once. Without it there are no checkpoints. */
  reserve(budgetBytes: number, allocate: (bytes: number) => number): void {
    const wanted = 2 ** Math.floor(Math.log2(budgetBytes * BUDGET_PART));
    const bytes = Math.min(RING_BYTES.max, Math.max(RING_BYTES.min, wanted));
    this.#u32[this.#head + ADDRESS] = allocate(bytes);
    this.#u32[this.#head + CAPACITY] = bytes;
  }

  get capacity(): number {
    return this.#u32[this.#head + CAPACITY];
  }

  /** A number of the checkpoint that is being written, another one for each. */
  get checkpoint(): number {
    return this.#u32[this.#head + CHECKPOINT];
  }

  /** A checkpoint begins: the log is empty. By the thread that writes, when nobody saves. */
  begin(): void {
    this.#u32[this.#head + CHECKPOINT]++;
    Atomics.store(this.#u32, this.#head + TAKEN, Atomics.load(this.#u32, this.#head + WRITTEN));
    Atomics.store(this.#u32, this.#head + IS_OPEN, this.capacity > 0 ? 1 : 0);
  }

  /** Nothing is saved any more: nobody has to wait. By any thread. */
  close(): void {
    Atomics.store(this.#u32, this.#head + IS_OPEN, 0);
    Atomics.notify(this.#i32, this.#head + TAKEN);
  }

  /** Keeps a row of `bytes` at `address`; waits until there is room. False: nobody saves. By the thread that writes. */
  keep(mark: number, row: number, address: number, bytes: number): boolean {
    const at = this.#makeRoom(entryBytes(bytes));
    if (at === 0) return false;
    const words = this.#u32;
    words[at >>> 2] = mark;
    words[(at >>> 2) + 1] = row;
    words[(at >>> 2) + 2] = bytes;
    this.#u8.copyWithin(at + HEAD_BYTES, address, address + bytes);
    // Whoever sees the row changed sees this first.
    Atomics.store(words, this.#head + WRITTEN, words[this.#head + WRITTEN] + entryBytes(bytes));
    return true;
  }

  /**
   * Takes out all that is in it, in order, until `take` says that it wants no more. What `take` sees is gone afterwards. By
   * the thread that saves.
   */
  drain(take: (mark: number, row: number, bytes: Uint8Array) => boolean): void {
    const words = this.#u32;
    const start = words[this.#head + ADDRESS];
    const written = Atomics.load(words, this.#head + WRITTEN);
    let taken = words[this.#head + TAKEN];
    for (let goesOn = true; goesOn && taken !== written; ) {
      const at = start + (taken % this.capacity);
      const mark = words[at >>> 2];
      const bytes = words[(at >>> 2) + 2];
      taken = (taken + (mark === 0 ? bytes : entryBytes(bytes))) >>> 0;
      if (mark === 0) continue;
      goesOn = take(mark, words[(at >>> 2) + 1], this.#u8.subarray(at + HEAD_BYTES, at + HEAD_BYTES + bytes));
    }
    Atomics.store(words, this.#head + TAKEN, taken);
    Atomics.notify(this.#i32, this.#head + TAKEN);
  }

  /** Where the next entry goes; 0: nobody saves. */
  #makeRoom(size: number): number {
    const words = this.#u32;
    const written = words[this.#head + WRITTEN];
    const left = this.capacity - (written % this.capacity);
    const skipped = size > left ? left : 0;
    for (;;) {
      if (Atomics.load(words, this.#head + IS_OPEN) === 0) return 0;
      const taken = Atomics.load(words, this.#head + TAKEN);
      if (((written - taken) >>> 0) + skipped + size <= this.capacity) break;
      Atomics.wait(this.#i32, this.#head + TAKEN, taken | 0, WAIT_MS);
    }
    const start = words[this.#head + ADDRESS];
    if (skipped === 0) return start + (written % this.capacity);
    const at = (start + (written % this.capacity)) >>> 2;
    words[at] = 0;
    words[at + 2] = skipped;
    Atomics.store(words, this.#head + WRITTEN, written + skipped);
    return start;
  }
}

function entryBytes(bytes: number): number {
  return Math.ceil((HEAD_BYTES + bytes) / ALIGNMENT) * ALIGNMENT;
}
