import { f64, NO_ROW, u32 } from '../../../plugins/contract/index.ts';
import type { Arena } from '../arena.ts';
import { hashPair } from '../hash.ts';
import { HashIndex, type HashIndexDescriptor } from '../hash-index.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import type { Reclaimer } from '../readers.ts';
import { type StateTables, Table, type TableDescriptor } from '../table.ts';
import { type ColumnsOf, columnsOf } from './columns.ts';
import { Credits, type CreditsDescriptor } from './credits.ts';
import type { Key } from './units.ts';

/**
 * The latest answers that experiments gave, to be found by their recommendation id and by their user: what outcomes are
 * attributed to. A ring, as its items are: number n is in row n modulo the maximum. Only the learner reads and writes it. Its
 * memory is set aside when the first experiment is made, so that following an answer never asks for any.
 */

const ANSWER = {
  user: u32(2),
  /** 1 + the row of its unit; 0: that was forgotten. */
  unit: u32(),
  run: u32(),
  experiment: u32(),
  outcomes: u32(),
  /** How many items. */
  length: u32(),
  sequence: f64(),
  atMs: f64(),
  /** Its own number, from 1. */
  serial: f64(),
  /** That of the user's answer before this one; 0: none. */
  before: f64(),
  /** That of its first item. */
  first: f64(),
  /** As often as it counts. */
  weight: f64(),
};
/** Of an item that no arm brought into a list of several: `Exposure.teams`. */
export const NO_TEAM = 0xff;
const ITEM = { item: u32(), team: u32() };
/** `max` that are kept; how many there ever were. */
const STATE = { max: f64(), answers: f64(), items: f64() };

/** For each answer that is kept. */
const ITEMS_PER_ANSWER = 16;
/** Of an answer with its items, one credit and its places in the indexes. */
const BYTES_PER_ANSWER = 104 + 8 * ITEMS_PER_ANSWER + 24 + 6 * 8 * 2;
/** The part of a memory budget that answers may take, and the most of them. */
const BUDGET_PART = 1 / 32;
const ANSWERS_MAX = 2 ** 20;
/** Of a user, so many answers are looked through. */
const STEPS_MAX = 64;

export interface AnswersDescriptor {
  readonly answers: TableDescriptor<typeof ANSWER>;
  readonly items: TableDescriptor<typeof ITEM>;
  readonly credits: CreditsDescriptor;
  readonly state: TableDescriptor<typeof STATE>;
  readonly byId: HashIndexDescriptor;
  readonly byUser: HashIndexDescriptor;
}

export interface AnswerFields {
  readonly run: number;
  readonly sequence: number;
  readonly experiment: number;
  readonly user: Key;
  /** The row of its unit. */
  readonly unit: number;
  readonly atMs: number;
  readonly items: ArrayLike<number>;
  readonly teams: ArrayLike<number> | undefined;
  readonly weight: number;
}

interface AnswerId {
  run: number;
  sequence: number;
  experiment: number;
}

export class Answers {
  readonly descriptor: AnswersDescriptor;
  readonly #arena: Arena;
  readonly #answers: Table<typeof ANSWER>;
  readonly #items: Table<typeof ITEM>;
  readonly #credits: Credits;
  readonly #state: Table<typeof STATE>;
  readonly #byId: HashIndex;
  readonly #byUser: HashIndex;
  readonly #at: ColumnsOf<typeof ANSWER>;
  readonly #itemAt: ColumnsOf<typeof ITEM>;

  constructor(arena: Arena, descriptor: AnswersDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#answers = new Table(arena, descriptor.answers);
    this.#items = new Table(arena, descriptor.items);
    this.#credits = new Credits(arena, descriptor.credits);
    this.#state = new Table(arena, descriptor.state);
    this.#byId = new HashIndex(arena, descriptor.byId);
    this.#byUser = new HashIndex(arena, descriptor.byUser);
    this.#at = columnsOf(this.#answers);
    this.#itemAt = columnsOf(this.#items);
  }

  static create(arena: Arena): Answers {
    return new Answers(arena, {
      answers: Table.create(arena, ANSWER).descriptor,
      items: Table.create(arena, ITEM).descriptor,
      credits: Credits.create(arena),
      state: Table.create(arena, STATE).descriptor,
      byId: HashIndex.create(arena, 16).descriptor,
      byUser: HashIndex.create(arena, 16).descriptor,
    });
  }

  /** Whether its memory is set aside. */
  get isReserved(): boolean {
    return this.#state.rows > 0;
  }

  /** How many are kept. */
  get max(): number {
    return this.isReserved ? this.#arena.f64[this.#double('max')] : answersMax(this.#arena.budgetBytes);
  }

  /** Answers that there ever were. */
  get count(): number {
    return this.isReserved ? this.#arena.f64[this.#double('answers')] : 0;
  }

  /** The time between the oldest answer that is kept and the latest; undefined while none had to go. */
  get keptMs(): number | undefined {
    const { count, max } = this;
    if (count < max) return undefined;
    const [latest, oldest] = [this.atMs(count % max), this.atMs((count + 1) % max)];
    // Of one that was forgotten nothing is known.
    return latest > 0 && oldest > 0 ? latest - oldest : undefined;
  }

  /** Bytes that are set aside. */
  get bytes(): number {
    return this.isReserved ? BYTES_PER_ANSWER * this.max : 0;
  }

  /** Bytes that `reserve` will ask for. */
  get reserveBytes(): number {
    if (this.isReserved) return 0;
    const { max } = this;
    const tables =
      this.#answers.growthBytes(max) + this.#items.growthBytes(ITEMS_PER_ANSWER * max) + this.#credits.growthBytes(max);
    return tables + [this.#byId, this.#byUser].reduce((sum, index) => sum + index.growthBytes(max), 0);
  }

  /** Sets its memory aside, once. Throws MEMORY_FULL. */
  reserve(reclaimer: Reclaimer, max = this.max): void {
    this.#answers.reserve(max);
    this.#items.reserve(ITEMS_PER_ANSWER * max);
    this.#credits.reserve(max, reclaimer);
    for (const index of [this.#byId, this.#byUser]) index.rebuild(max, reclaimer);
    if (this.isReserved) return;
    this.#state.grow(1);
    this.#arena.f64[this.#double('max')] = max;
  }

  /** The row of an answer; -1: it is not kept. */
  find(id: Readonly<AnswerId>): number {
    return this.#byId.find(idHash(id), this.#isNamed, id);
  }

  add(fields: AnswerFields, reclaimer: Reclaimer): number {
    const { u32: words, f64: doubles } = this.#arena;
    const { max } = this;
    this.#state.touch(0);
    const serial = ++doubles[this.#double('answers')];
    const row = serial % max;
    this.#answers.grow(Math.min(max, serial + 1));
    this.#removeAnswer(row);
    this.#answers.clear(row);
    const { user, items, teams } = fields;
    words[this.#at.user(row) >>> 2] = user.low;
    words[(this.#at.user(row) >>> 2) + 1] = user.high;
    words[this.#at.unit(row) >>> 2] = fields.unit + 1;
    words[this.#at.run(row) >>> 2] = fields.run;
    words[this.#at.experiment(row) >>> 2] = fields.experiment;
    words[this.#at.length(row) >>> 2] = items.length;
    doubles[this.#at.sequence(row) >>> 3] = fields.sequence;
    doubles[this.#at.atMs(row) >>> 3] = fields.atMs;
    doubles[this.#at.serial(row) >>> 3] = serial;
    doubles[this.#at.weight(row) >>> 3] = fields.weight;
    doubles[this.#at.first(row) >>> 3] = this.#addItems(items, teams);
    this.#byId.add(idHash(fields), row, reclaimer);
    if (user.low !== 0 || user.high !== 0) {
      const before = this.#findLatest(user);
      if (before >= 0) {
        doubles[this.#at.before(row) >>> 3] = doubles[this.#at.serial(before) >>> 3];
        this.#byUser.remove(userHash(user), before);
      }
      this.#byUser.add(userHash(user), row, reclaimer);
    }
    return row;
  }

  /** The rows of a user's answers, the latest first. */
  *ofUser(user: Key): Generator<number> {
    let row = this.#findLatest(user);
    for (let step = 0; row >= 0 && step < STEPS_MAX; step++) {
      yield row;
      row = this.#rowOf(this.#arena.f64[this.#at.before(row) >>> 3]);
    }
  }

  /** The place of an item in an answer, from 0; -1: it was not shown, or that is not kept. */
  placeOf(row: number, item: number): number {
    const first = this.#arena.f64[this.#at.first(row) >>> 3];
    const length = this.#arena.u32[this.#at.length(row) >>> 2];
    const rows = ITEMS_PER_ANSWER * this.max;
    if (this.#arena.f64[this.#double('items')] - first > rows) return -1;
    for (let n = 0; n < length; n++)
      if (this.#arena.u32[this.#itemAt.item((first + n) % rows) >>> 2] === item) return n;
    return -1;
  }

  /** Which arm brought the item at a place of an answer. */
  teamOf(row: number, place: number): number {
    const at = (this.#arena.f64[this.#at.first(row) >>> 3] + place) % (ITEMS_PER_ANSWER * this.max);
    return this.#arena.u32[this.#itemAt.team(at) >>> 2];
  }

  atMs(row: number): number {
    return this.#arena.f64[this.#at.atMs(row) >>> 3];
  }

  weight(row: number): number {
    return this.#arena.f64[this.#at.weight(row) >>> 3];
  }

  experiment(row: number): number {
    return this.#arena.u32[this.#at.experiment(row) >>> 2];
  }

  /** The row of its unit; -1: that was forgotten. */
  unit(row: number): number {
    return this.#arena.u32[this.#at.unit(row) >>> 2] - 1;
  }

  /** Whether it was for this user, or for nobody who is known. */
  isFor(row: number, { low, high }: Key): boolean {
    const at = this.#at.user(row) >>> 2;
    const { u32: words } = this.#arena;
    return (words[at] === low && words[at + 1] === high) || (words[at] === 0 && words[at + 1] === 0);
  }

  /** Counts an outcome of an answer: "duplicate" if it was counted before, else whether it is the answer's first. */
  credit(row: number, item: number, kind: number, reclaimer: Reclaimer): 'first' | 'further' | 'duplicate' {
    const { u32: words, f64: doubles } = this.#arena;
    if (!this.#credits.add({ answer: doubles[this.#at.serial(row) >>> 3], item, kind }, this.max, reclaimer))
      return 'duplicate';
    this.#answers.touch(row);
    return words[this.#at.outcomes(row) >>> 2]++ === 0 ? 'first' : 'further';
  }

  /** The numbers of the answers that were for a user, or of one of these units. */
  serialsOf(user: Key, units: readonly number[]): number[] {
    const meant = new Set(units);
    const serials: number[] = [];
    for (let row = 0; row < this.#answers.rows; row++) {
      const serial = this.#arena.f64[this.#at.serial(row) >>> 3];
      if (serial === 0) continue;
      if (meant.has(this.unit(row)) || (this.#hasUser(row) && this.isFor(row, user))) serials.push(serial);
    }
    return serials;
  }

  /** Lets go of an answer, by its own number, and of what it showed. */
  forget(serial: number): void {
    const row = this.#rowOf(serial);
    if (row < 0) return;
    const { u32: words, f64: doubles } = this.#arena;
    const rows = ITEMS_PER_ANSWER * this.max;
    const first = doubles[this.#at.first(row) >>> 3];
    const isKept = doubles[this.#double('items')] - first <= rows;
    for (let n = 0; isKept && n < words[this.#at.length(row) >>> 2]; n++) {
      const at = (first + n) % rows;
      this.#items.touch(at);
      words[this.#itemAt.item(at) >>> 2] = NO_ROW;
      words[this.#itemAt.team(at) >>> 2] = 0;
    }
    this.#removeAnswer(row);
    this.#answers.clear(row);
  }

  stateTables(): StateTables {
    return { answers: this.#answers, items: this.#items, answerState: this.#state, ...this.#credits.stateTables() };
  }

  rebuild(reclaimer: Reclaimer): void {
    if (!this.isReserved) return;
    this.reserve(reclaimer);
    const latest = new Map<string, { row: number; serial: number }>();
    for (let row = 0; row < this.#answers.rows; row++) {
      const serial = this.#arena.f64[this.#at.serial(row) >>> 3];
      if (serial === 0) continue;
      this.#byId.add(idHash(this.#idOf(row)), row, reclaimer);
      if (!this.#hasUser(row)) continue;
      const { low, high } = this.#userOf(row);
      const before = latest.get(`${low},${high}`);
      if (!before || before.serial < serial) latest.set(`${low},${high}`, { row, serial });
    }
    for (const { row } of latest.values()) this.#byUser.add(userHash(this.#userOf(row)), row, reclaimer);
    this.#credits.rebuild(reclaimer);
  }

  hash(kernels: HostKernels, seed: bigint): bigint {
    const tables = [this.#state, this.#answers, this.#items];
    return tables.reduce((hash, table) => table.hash(kernels, hash), this.#credits.hash(kernels, seed));
  }

  /** The number of the first. */
  #addItems(items: ArrayLike<number>, teams: ArrayLike<number> | undefined): number {
    const { u32: words, f64: doubles } = this.#arena;
    const rows = ITEMS_PER_ANSWER * this.max;
    const first = doubles[this.#double('items')];
    this.#items.grow(Math.min(rows, first + items.length));
    for (let n = 0; n < items.length; n++) {
      const at = (first + n) % rows;
      this.#items.touch(at);
      words[this.#itemAt.item(at) >>> 2] = items[n];
      words[this.#itemAt.team(at) >>> 2] = teams ? teams[n] : NO_TEAM;
    }
    doubles[this.#double('items')] = first + items.length;
    return first;
  }

  #removeAnswer(row: number): void {
    if (row >= this.#answers.rows || this.#arena.f64[this.#at.serial(row) >>> 3] === 0) return;
    this.#byId.remove(idHash(this.#idOf(row)), row);
    if (this.#hasUser(row) && this.#findLatest(this.#userOf(row)) === row)
      this.#byUser.remove(userHash(this.#userOf(row)), row);
  }

  #findLatest(user: Key): number {
    return this.#byUser.find(userHash(user), this.#isLatest, user);
  }

  /** The row of an answer by its own number; -1: it is not kept. */
  #rowOf(serial: number): number {
    if (serial === 0) return -1;
    const row = serial % this.max;
    return this.#arena.f64[this.#at.serial(row) >>> 3] === serial ? row : -1;
  }

  #hasUser(row: number): boolean {
    const { low, high } = this.#userOf(row);
    return low !== 0 || high !== 0;
  }

  #userOf(row: number): Key {
    const at = this.#at.user(row) >>> 2;
    return { low: this.#arena.u32[at], high: this.#arena.u32[at + 1] };
  }

  #idOf(row: number): AnswerId {
    const { u32: words, f64: doubles } = this.#arena;
    return {
      run: words[this.#at.run(row) >>> 2],
      sequence: doubles[this.#at.sequence(row) >>> 3],
      experiment: words[this.#at.experiment(row) >>> 2],
    };
  }

  #double(name: keyof typeof STATE): number {
    return this.#state.column(name)(0) >>> 3;
  }

  readonly #isNamed = (row: number, { run, sequence, experiment }: Readonly<AnswerId>): boolean => {
    const { u32: words, f64: doubles } = this.#arena;
    return (
      doubles[this.#at.sequence(row) >>> 3] === sequence &&
      words[this.#at.run(row) >>> 2] === run &&
      words[this.#at.experiment(row) >>> 2] === experiment
    );
  };

  readonly #isLatest = (row: number, user: Key): boolean => this.#hasUser(row) && this.isFor(row, user);
}

/** As many as fit into their part of a memory budget. */
function answersMax(budgetBytes: number): number {
  return Math.max(64, Math.min(ANSWERS_MAX, Math.floor((budgetBytes * BUDGET_PART) / BYTES_PER_ANSWER)));
}

function idHash({ run, sequence }: Readonly<AnswerId>): number {
  return hashPair(run, sequence >>> 0);
}

function userHash({ low, high }: Key): number {
  return hashPair(low, high);
}
