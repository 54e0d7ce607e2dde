import { f64, u32 } from '../../../plugins/contract/index.ts';
import type { Arena } from '../arena.ts';
import { hashPair } from '../hash.ts';
import { HashIndex, type HashIndexDescriptor } from '../hash-index.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import type { Reclaimer } from '../readers.ts';
import { type StateTables, Table, type TableDescriptor } from '../table.ts';
import { type ColumnsOf, columnsOf } from './columns.ts';

/** The latest outcomes that were counted, so that none counts twice: a ring like that of the answers. */

const CREDIT = { answer: f64(), item: u32(), kind: u32() };
const STATE = { credits: f64() };

export interface CreditsDescriptor {
  readonly rows: TableDescriptor<typeof CREDIT>;
  readonly state: TableDescriptor<typeof STATE>;
  readonly index: HashIndexDescriptor;
}

/** An outcome: `answer` is that one's own number, from 1. */
export interface Credit {
  readonly answer: number;
  readonly item: number;
  readonly kind: number;
}

export class Credits {
  readonly #arena: Arena;
  readonly #rows: Table<typeof CREDIT>;
  readonly #state: Table<typeof STATE>;
  readonly #index: HashIndex;
  readonly #at: ColumnsOf<typeof CREDIT>;

  constructor(arena: Arena, descriptor: CreditsDescriptor) {
    this.#arena = arena;
    this.#rows = new Table(arena, descriptor.rows);
    this.#state = new Table(arena, descriptor.state);
    this.#index = new HashIndex(arena, descriptor.index);
    this.#at = columnsOf(this.#rows);
  }

  static create(arena: Arena): CreditsDescriptor {
    return {
      rows: Table.create(arena, CREDIT).descriptor,
      state: Table.create(arena, STATE).descriptor,
      index: HashIndex.create(arena, 16).descriptor,
    };
  }

  growthBytes(max: number): number {
    return this.#rows.growthBytes(max) + this.#state.growthBytes(1) + this.#index.growthBytes(max);
  }

  /** Sets aside what `max` of them take. Throws MEMORY_FULL. */
  reserve(max: number, reclaimer: Reclaimer): void {
    this.#rows.reserve(max);
    this.#index.rebuild(max, reclaimer);
    if (this.#state.rows === 0) this.#state.grow(1);
  }

  /** Remembers one in the place of the oldest of `max`; false when it was counted before. */
  add(credit: Credit, max: number, reclaimer: Reclaimer): boolean {
    if (this.#index.find(hashOf(credit), this.#matches, credit) >= 0) return false;
    const { u32: words, f64: doubles } = this.#arena;
    this.#state.touch(0);
    const number = doubles[this.#state.column('credits')(0) >>> 3]++;
    const row = number % max;
    this.#rows.grow(Math.min(max, number + 1));
    const before = this.#read(row);
    if (before.answer !== 0) this.#index.remove(hashOf(before), row);
    this.#rows.touch(row);
    doubles[this.#at.answer(row) >>> 3] = credit.answer;
    words[this.#at.item(row) >>> 2] = credit.item;
    words[this.#at.kind(row) >>> 2] = credit.kind;
    this.#index.add(hashOf(credit), row, reclaimer);
    return true;
  }

  stateTables(): StateTables {
    return { credits: this.#rows, creditState: this.#state };
  }

  rebuild(reclaimer: Reclaimer): void {
    for (let row = 0; row < this.#rows.rows; row++) {
      const credit = this.#read(row);
      if (credit.answer !== 0) this.#index.add(hashOf(credit), row, reclaimer);
    }
  }

  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#rows.hash(kernels, this.#state.hash(kernels, seed));
  }

  #read(row: number): Credit {
    const { u32: words, f64: doubles } = this.#arena;
    return {
      answer: doubles[this.#at.answer(row) >>> 3],
      item: words[this.#at.item(row) >>> 2],
      kind: words[this.#at.kind(row) >>> 2],
    };
  }

  readonly #matches = (row: number, { answer, item, kind }: Credit): boolean => {
    const there = this.#read(row);
    return there.answer === answer && there.item === item && there.kind === kind;
  };
}

function hashOf({ answer, item, kind }: Credit): number {
  return hashPair(Math.imul(answer >>> 0, 0x9e37_79b1) ^ item, kind);
}
