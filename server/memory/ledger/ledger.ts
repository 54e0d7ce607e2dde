import type { Arena } from '../arena.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import type { Reclaimer } from '../readers.ts';
import { prefixed, type StateTables } from '../table.ts';
import { Answers, type AnswersDescriptor } from './answers.ts';
import { Tallies, type TalliesDescriptor } from './tallies.ts';
import { Units, type UnitsDescriptor } from './units.ts';

/** What is known of experiments: units, the latest answers, what is counted. It takes next to nothing before the first one. */

export interface LedgerDescriptor {
  readonly units: UnitsDescriptor;
  readonly answers: AnswersDescriptor;
  readonly tallies: TalliesDescriptor;
}

export class Ledger {
  readonly units: Units;
  readonly answers: Answers;
  readonly tallies: Tallies;

  constructor(arena: Arena, { units, answers, tallies }: LedgerDescriptor) {
    this.units = new Units(arena, units);
    this.answers = new Answers(arena, answers);
    this.tallies = new Tallies(arena, tallies);
  }

  static create(arena: Arena): LedgerDescriptor {
    return {
      units: Units.create(arena).descriptor,
      answers: Answers.create(arena).descriptor,
      tallies: Tallies.create(arena).descriptor,
    };
  }

  /** Rows that a rating may make: one for each arm of experiments whose arms all learn without answering. */
  rowsPerRating = 0;

  /** Bytes that `more` exposures may ask for. */
  growthBytes(more: number): number {
    return more === 0 ? 0 : this.units.growthBytes(more);
  }

  growthByRatings(more: number): number {
    return this.growthBytes(more * this.rowsPerRating);
  }

  get bytes(): number {
    return this.units.bytes + this.answers.bytes;
  }

  stateTables(): StateTables {
    return {
      ...prefixed('units', this.units.stateTables()),
      ...this.answers.stateTables(),
      ...this.tallies.stateTables(),
    };
  }

  rebuild(reclaimer: Reclaimer): void {
    this.units.rebuild(reclaimer);
    this.answers.rebuild(reclaimer);
  }

  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.tallies.hash(kernels, this.answers.hash(kernels, this.units.hash(kernels, seed)));
  }
}
