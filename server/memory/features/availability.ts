import { eachRun, f64, u32 } from '../../../plugins/contract/index.ts';
import type { Arena } from '../arena.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import { type StateTables, Table, type TableDescriptor } from '../table.ts';

/**
 * Which rows may be recommended, and when. A row beyond the last one may always be. One thread writes, all read. The
 * kernel `excludeUnavailable` knows this layout and these marks.
 */

const COLUMNS = { from: f64(), until: f64(), marks: u32() };

/** Something is known of the row. */
const KNOWN = 1;
const DELETED = 2;
const UNAVAILABLE = 4;
/** `from` and `until` count. */
const TIMED = 8;
const RESTRICTED = DELETED | UNAVAILABLE | TIMED;

export interface AvailabilityDescriptor {
  readonly rows: TableDescriptor<typeof COLUMNS>;
  /** Where the number of restricted rows is. */
  readonly restricted: number;
}

/** When a row may be recommended. */
export interface Times {
  readonly available: boolean;
  /** From this time on, in seconds since 1970. */
  readonly fromSeconds: number;
  /** Before this time. */
  readonly untilSeconds: number;
}

export class Availability {
  readonly descriptor: AvailabilityDescriptor;
  readonly #arena: Arena;
  readonly #table: Table<typeof COLUMNS>;
  readonly #restricted: number;
  readonly #from: (row: number) => number;
  readonly #until: (row: number) => number;
  readonly #marks: (row: number) => number;

  constructor(arena: Arena, descriptor: AvailabilityDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#table = new Table(arena, descriptor.rows);
    this.#restricted = descriptor.restricted >>> 2;
    this.#from = this.#table.column('from');
    this.#until = this.#table.column('until');
    this.#marks = this.#table.column('marks');
  }

  static create(arena: Arena): Availability {
    return new Availability(arena, { rows: Table.create(arena, COLUMNS).descriptor, restricted: arena.allocate(4) });
  }

  get rows(): number {
    return this.#table.rows;
  }

  /** How many rows are deleted, unavailable or bound to times, in effect or not: 0 says that there is nothing to check. */
  get restrictedCount(): number {
    return Atomics.load(this.#arena.u32, this.#restricted);
  }

  /** Bytes that a copy of it takes. */
  get copyBytes(): number {
    return this.#table.copyBytes;
  }

  growthBytes(more: number): number {
    return this.#table.growthBytes(more);
  }

  reserve(rows: number): void {
    this.#table.reserve(rows);
  }

  /** Makes rows up to `rows`: nothing is known of them, and they are available. */
  grow(rows: number): void {
    this.#table.grow(rows);
  }

  isKnown(row: number): boolean {
    return (this.#read(row) & KNOWN) !== 0;
  }

  isDeleted(row: number): boolean {
    return (this.#read(row) & DELETED) !== 0;
  }

  /** Whether a row may be recommended at time `now`, in seconds. */
  isAvailable(row: number, now: number): boolean {
    const marks = this.#read(row);
    if ((marks & (DELETED | UNAVAILABLE)) !== 0) return false;
    if ((marks & TIMED) === 0) return true;
    const { f64: doubles } = this.#arena;
    return now >= doubles[this.#from(row) >>> 3] && now < doubles[this.#until(row) >>> 3];
  }

  /** Sets -Infinity for each of the rows 0 .. count - 1 that may not be recommended at time `now`; `scores`: f32 each. */
  exclude(kernels: HostKernels, scores: number, count: number, now: number): void {
    if (this.restrictedCount === 0) return;
    eachRun(this.#table, 0, Math.min(count, this.rows), (row, length) =>
      kernels.excludeUnavailable(scores + 4 * row, this.#from(row), this.#table.stride, length, now),
    );
  }

  /** Says that something is known of a row, and when it may be recommended. */
  set(row: number, { available, fromSeconds, untilSeconds }: Times): void {
    const timed = fromSeconds > 0 || untilSeconds < Number.POSITIVE_INFINITY;
    const marks = KNOWN | (available ? 0 : UNAVAILABLE) | (timed ? TIMED : 0);
    this.#write(row, marks, timed ? fromSeconds : 0, timed ? untilSeconds : 0);
  }

  /** Says that a row is deleted: nothing is known of it any more. */
  delete(row: number): void {
    this.#write(row, DELETED, 0, 0);
  }

  /** Nothing is known of a row any more, as if it had never been told of. */
  clear(row: number): void {
    if (row < this.rows) this.#write(row, 0, 0, 0);
  }

  /** What has to be saved of it. */
  stateTables(): StateTables {
    return { rows: this.#table };
  }

  /** Counts anew what restored rows restrict. */
  rebuild(): void {
    let restricted = 0;
    for (let row = 0; row < this.rows; row++) if ((this.#read(row) & RESTRICTED) !== 0) restricted++;
    Atomics.store(this.#arena.u32, this.#restricted, restricted);
  }

  /** Continues hash `seed` over every row. */
  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#table.hash(kernels, seed);
  }

  #read(row: number): number {
    return row < this.rows ? Atomics.load(this.#arena.u32, this.#marks(row) >>> 2) : 0;
  }

  #write(row: number, marks: number, from: number, until: number): void {
    const { u32: words, f64: doubles } = this.#arena;
    const at = this.#marks(row) >>> 2;
    this.#table.touch(row);
    const change = Number((marks & RESTRICTED) !== 0) - Number((words[at] & RESTRICTED) !== 0);
    // Counted before the first restriction is in force, so that a reader who counts none meets none that is.
    if (change > 0) Atomics.add(words, this.#restricted, 1);
    // Old and new times mixed could let a row through that neither does: it is unavailable while they change.
    Atomics.store(words, at, words[at] | UNAVAILABLE);
    doubles[this.#from(row) >>> 3] = from;
    doubles[this.#until(row) >>> 3] = until;
    Atomics.store(words, at, marks);
    if (change < 0) Atomics.sub(words, this.#restricted, 1);
  }
}
