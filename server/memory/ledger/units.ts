import { f64, u32 } from '../../../plugins/contract/index.ts';
import type { Arena } from '../arena.ts';
import { hashPair } from '../hash.ts';
import { HashIndex, type HashIndexDescriptor } from '../hash-index.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import type { Reclaimer } from '../readers.ts';
import { type StateTables, Table, type TableDescriptor } from '../table.ts';
import { type ColumnsOf, columnsOf } from './columns.ts';

/**
 * What is known of every unit (a user, most often) that an arm of an experiment answered: a row for each arm. The rows of a
 * unit in an experiment hang together, the latest arm first. One thread writes, all read.
 */

const COUNTS = {
  key: u32(2),
  experiment: u32(),
  arm: u32(),
  /** 1 + the row of the arm that it had before; 0: none. Of a row that is free: of the next free one. */
  before: u32(),
  /** Answers, and outcomes. */
  exposures: u32(),
  outcomes: u32(),
  /** Outcomes of items that the control, and that the other arm, brought into a list of both. */
  controlCredits: u32(),
  otherCredits: u32(),
  /** What was live of the unit when it was first answered: ratings, and events. */
  ratingsBefore: u32(),
  eventsBefore: u32(),
};
const SUMS = {
  firstMs: f64(),
  lastMs: f64(),
  /**
   * From here on each observation counts as often as the arm's share has fallen since it began to have one: once, where shares
   * stay as they are.
   */
  /** Answers, and those that led to an outcome. */
  shown: f64(),
  converted: f64(),
  /** Outcomes with a value: their number, the sum of the values, and of their squares. */
  valued: f64(),
  value: f64(),
  valueSquares: f64(),
  /** First ratings of which the arm's model expected something; the errors' absolute values, squares and fourth powers. */
  errors: f64(),
  absoluteError: f64(),
  squaredError: f64(),
  fourthError: f64(),
  /** Those that it ranked: 1/log2(1 + rank), its square, and how many were within the cutoff. */
  ranks: f64(),
  gain: f64(),
  gainSquares: f64(),
  hits: f64(),
  /** Of ratings that were live before the first answer. */
  valueBefore: f64(),
};
const UNIT = { ...COUNTS, ...SUMS };
const STATE = { held: u32(), free: u32() };

/** A row's number of these is 0 when it is free: experiments are numbered from 1. */
export type UnitCount = Exclude<keyof typeof COUNTS, 'key' | 'before'>;
export type UnitSum = keyof typeof SUMS;

export interface UnitsDescriptor {
  readonly rows: TableDescriptor<typeof UNIT>;
  readonly state: TableDescriptor<typeof STATE>;
  readonly index: HashIndexDescriptor;
}

/** A key of 64 bits. */
export interface Key {
  low: number;
  high: number;
}

/** Of 64 bits, as exposures have it. */
export function keyOf(key: bigint): Key {
  return { low: Number(key & 0xffff_ffffn), high: Number(key >> 32n) };
}

interface Asked extends Key {
  experiment: number;
}

export class Units {
  readonly descriptor: UnitsDescriptor;
  readonly #arena: Arena;
  readonly #rows: Table<typeof UNIT>;
  readonly #state: Table<typeof STATE>;
  readonly #index: HashIndex;
  readonly #at: ColumnsOf<typeof UNIT>;
  readonly #asked: Asked = { low: 0, high: 0, experiment: 0 };

  constructor(arena: Arena, descriptor: UnitsDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#rows = new Table(arena, descriptor.rows);
    this.#state = new Table(arena, descriptor.state);
    this.#index = new HashIndex(arena, descriptor.index);
    this.#at = columnsOf(this.#rows);
  }

  static create(arena: Arena): Units {
    return new Units(arena, {
      rows: Table.create(arena, UNIT).descriptor,
      state: Table.create(arena, STATE).descriptor,
      index: HashIndex.create(arena, 16).descriptor,
    });
  }

  /** Rows, free ones included. */
  get rows(): number {
    return this.#rows.rows;
  }

  get bytes(): number {
    return this.#rows.bytes;
  }

  growthBytes(more: number): number {
    return this.#rows.growthBytes(more) + this.#index.growthBytes(more);
  }

  count(row: number, name: UnitCount): number {
    return this.#arena.u32[this.#at[name](row) >>> 2];
  }

  sum(row: number, name: UnitSum): number {
    return this.#arena.f64[this.#at[name](row) >>> 3];
  }

  add(row: number, name: UnitCount, more = 1): void {
    this.#rows.touch(row);
    this.#arena.u32[this.#at[name](row) >>> 2] += more;
  }

  addTo(row: number, name: UnitSum, more: number): void {
    this.#rows.touch(row);
    this.#arena.f64[this.#at[name](row) >>> 3] += more;
  }

  set(row: number, name: UnitSum, value: number): void {
    this.#rows.touch(row);
    this.#arena.f64[this.#at[name](row) >>> 3] = value;
  }

  /** Whether it is of the first arm that its unit had, as far as that is known. */
  isFirst(row: number): boolean {
    return this.#before(row) < 0;
  }

  /** The row of the latest arm that a unit had in an experiment; -1: it had none. */
  find(experiment: number, key: Key): number {
    return this.#index.find(this.#ask(experiment, key), this.#matches, this.#asked);
  }

  /** Its row of an arm; -1: it never had that one. */
  findArm(experiment: number, key: Key, arm: number): number {
    let row = this.find(experiment, key);
    while (row >= 0 && this.count(row, 'arm') !== arm) row = this.#before(row);
    return row;
  }

  /** The row that the unit of `row` has of another arm; -1: it never had that one. */
  besides(row: number, arm: number): number {
    return this.findArm(this.count(row, 'experiment'), this.#keyOf(row), arm);
  }

  /** The row of a unit that `arm` answers now, made where there is none. Throws MEMORY_FULL, and then nothing has changed. */
  obtain(experiment: number, key: Key, arm: number, reclaimer: Reclaimer): { row: number; isNew: boolean } {
    const latest = this.find(experiment, key);
    if (latest >= 0 && this.count(latest, 'arm') === arm) return { row: latest, isNew: false };
    const known = this.findArm(experiment, key, arm);
    if (known >= 0) {
      this.#lead(known, latest, this.#ask(experiment, key), reclaimer);
      return { row: known, isNew: false };
    }
    const row = this.#take(reclaimer);
    const { u32: words } = this.#arena;
    words[this.#at.key(row) >>> 2] = key.low;
    words[(this.#at.key(row) >>> 2) + 1] = key.high;
    words[this.#at.experiment(row) >>> 2] = experiment;
    words[this.#at.arm(row) >>> 2] = arm;
    words[this.#at.before(row) >>> 2] = latest + 1;
    const hash = this.#ask(experiment, key);
    if (latest >= 0) this.#index.remove(hash, latest);
    this.#index.add(hash, row, reclaimer);
    return { row, isNew: true };
  }

  /** The rows of a unit, whatever the experiment is. */
  rowsOf(key: Key): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.rows; row++) if (this.#isHeld(row) && this.#isOf(row, key)) rows.push(row);
    return rows;
  }

  /** Frees rows that are all of a unit. */
  forget(rows: readonly number[]): void {
    const meant = new Set(rows);
    this.#release((row) => meant.has(row));
  }

  /** Frees all rows of an experiment. */
  drop(experiment: number): number {
    return this.#release((row) => this.count(row, 'experiment') === experiment);
  }

  stateTables(): StateTables {
    return { rows: this.#rows, state: this.#state };
  }

  rebuild(reclaimer: Reclaimer): void {
    this.#index.rebuild(this.#arena.u32[this.#word('held')] ?? 0, reclaimer);
    const behind = new Set<number>();
    for (let row = 0; row < this.rows; row++) if (this.#isHeld(row)) behind.add(this.#before(row));
    for (let row = 0; row < this.rows; row++) {
      if (!this.#isHeld(row) || behind.has(row)) continue;
      const key = this.#keyOf(row);
      this.#index.add(this.#ask(this.count(row, 'experiment'), key), row, reclaimer);
    }
  }

  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#rows.hash(kernels, this.#state.hash(kernels, seed));
  }

  /** An arm that a unit had before is its latest again. */
  #lead(row: number, latest: number, hash: number, reclaimer: Reclaimer): void {
    const words = this.#arena.u32;
    let at = latest;
    while (this.#before(at) !== row) at = this.#before(at);
    this.#rows.touch(at);
    this.#rows.touch(row);
    words[this.#at.before(at) >>> 2] = words[this.#at.before(row) >>> 2];
    words[this.#at.before(row) >>> 2] = latest + 1;
    this.#index.remove(hash, latest);
    this.#index.add(hash, row, reclaimer);
  }

  #take(reclaimer: Reclaimer): number {
    const words = this.#arena.u32;
    this.#index.reserve(reclaimer);
    if (this.#state.rows === 0) this.#state.grow(1);
    this.#state.touch(0);
    const free = words[this.#word('free')];
    const row = free === 0 ? this.#rows.rows : free - 1;
    if (free === 0) this.#rows.grow(row + 1);
    this.#rows.touch(row);
    if (free !== 0) words[this.#word('free')] = words[this.#at.before(row) >>> 2];
    words[this.#word('held')]++;
    return row;
  }

  #release(isMeant: (row: number) => boolean): number {
    const words = this.#arena.u32;
    let count = 0;
    for (let row = 0; row < this.rows; row++) {
      if (!this.#isHeld(row) || !isMeant(row)) continue;
      // All rows of a unit in an experiment go together: only the latest is in the index.
      const hash = this.#ask(this.count(row, 'experiment'), this.#keyOf(row));
      if (this.#index.find(hash, (other) => other === row, undefined) === row) this.#index.remove(hash, row);
      this.#rows.clear(row);
      this.#state.touch(0);
      words[this.#at.before(row) >>> 2] = words[this.#word('free')];
      words[this.#word('free')] = row + 1;
      words[this.#word('held')]--;
      count++;
    }
    return count;
  }

  #word(name: keyof typeof STATE): number {
    return this.#state.rows === 0 ? 0 : this.#state.column(name)(0) >>> 2;
  }

  #isHeld(row: number): boolean {
    return this.count(row, 'experiment') !== 0;
  }

  #before(row: number): number {
    return this.#arena.u32[this.#at.before(row) >>> 2] - 1;
  }

  #keyOf(row: number): Key {
    const at = this.#at.key(row) >>> 2;
    return { low: this.#arena.u32[at], high: this.#arena.u32[at + 1] };
  }

  #isOf(row: number, { low, high }: Key): boolean {
    const at = this.#at.key(row) >>> 2;
    return this.#arena.u32[at] === low && this.#arena.u32[at + 1] === high;
  }

  /** What to look for, and its hash. */
  #ask(experiment: number, { low, high }: Key): number {
    this.#asked.experiment = experiment;
    this.#asked.low = low;
    this.#asked.high = high;
    return hashPair(low ^ Math.imul(experiment, 0x9e37_79b1), high);
  }

  readonly #matches = (row: number, asked: Asked): boolean =>
    this.#isOf(row, asked) && this.#arena.u32[this.#at.experiment(row) >>> 2] === asked.experiment;
}
