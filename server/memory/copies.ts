/**
 * Room for segments of tables as they were when a checkpoint began: whoever is about to change one that is not saved yet
 * puts a copy here. The learner takes slots, whoever saves gives them back. There are so many and no more: when all are
 * in use, the learner says which segment it wants saved next and waits for that.
 */

export const COPY_BYTES = 256 * 1024;
/** The part of a memory budget that copies take, and what they take at least and at most. */
const BUDGET_PART = 1 / 32;
const SLOTS = { min: 4, max: 256 } as const;
const WAIT_MS = 50;

/** Words in the header: how many slots there are, where they are and where their marks (1: in use) are, */
const COUNT = 0;
const SLOT_AREA = 1;
const MARKS = 2;
/** the index of the word that the learner waits at, and whether nothing will be saved any more. */
const WANTED = 3;
const GIVEN_UP = 4;
export const COPIES_BYTES = 20;

export class Copies {
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #head: number;
  #next = 0;

  /** At `address`, `COPIES_BYTES` bytes that were zero at first. */
  constructor(memory: WebAssembly.Memory, address: number) {
    this.#i32 = new Int32Array(memory.buffer);
    this.#u32 = new Uint32Array(memory.buffer);
    this.#head = address >>> 2;
  }

  /** Sets room aside, of a memory of `budgetBytes`, once. Without it there are no checkpoints. */
  reserve(budgetBytes: number, allocate: (bytes: number) => number): void {
    const wanted = Math.floor((budgetBytes * BUDGET_PART) / COPY_BYTES);
    const slots = Math.min(SLOTS.max, Math.max(SLOTS.min, wanted));
    this.#u32[this.#head + MARKS] = allocate(4 * slots);
    this.#u32[this.#head + SLOT_AREA] = allocate(slots * COPY_BYTES);
    this.#u32[this.#head + COUNT] = slots;
  }

  /** A checkpoint begins. */
  begin(): void {
    Atomics.store(this.#u32, this.#head + GIVEN_UP, 0);
    Atomics.store(this.#u32, this.#head + WANTED, 0);
  }

  /** Nothing will be saved any more: nobody has to wait. By any thread. */
  giveUp(): void {
    Atomics.store(this.#u32, this.#head + GIVEN_UP, 1);
  }

  /** All slots are free again: nobody saves now. */
  clear(): void {
    const marks = this.#u32[this.#head + MARKS] >>> 2;
    this.#u32.fill(0, marks, marks + this.#u32[this.#head + COUNT]);
  }

  /**
   * The address of a free slot for `bytes`; waits until there is one. 0: the word at index `mark` is `pending` no more, or
   * nobody saves.
   */
  take(bytes: number, mark: number, pending: number): number {
    for (;;) {
      const slot = bytes <= COPY_BYTES ? this.#find() : 0;
      if (slot !== 0) return slot;
      const over = Atomics.load(this.#u32, this.#head + GIVEN_UP) === 1 || this.#u32[this.#head + COUNT] === 0;
      if (over || Atomics.load(this.#i32, mark) !== pending) return 0;
      Atomics.store(this.#u32, this.#head + WANTED, mark);
      Atomics.wait(this.#i32, mark, pending, WAIT_MS);
    }
  }

  give(address: number): void {
    const slot = (address - this.#u32[this.#head + SLOT_AREA]) / COPY_BYTES;
    Atomics.store(this.#u32, (this.#u32[this.#head + MARKS] >>> 2) + slot, 0);
  }

  /** Index of the word that the learner waits at, once; 0: it does not wait. */
  takeWanted(): number {
    return Atomics.exchange(this.#u32, this.#head + WANTED, 0);
  }

  #find(): number {
    const marks = this.#u32[this.#head + MARKS] >>> 2;
    const count = this.#u32[this.#head + COUNT];
    for (let n = 0; n < count; n++, this.#next = (this.#next + 1) % count) {
      if (Atomics.load(this.#u32, marks + this.#next) !== 0) continue;
      Atomics.store(this.#u32, marks + this.#next, 1);
      return this.#u32[this.#head + SLOT_AREA] + this.#next * COPY_BYTES;
    }
    return 0;
  }
}
