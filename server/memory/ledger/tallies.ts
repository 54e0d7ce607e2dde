import { f64, u32 } from '../../../plugins/contract/index.ts';
import type { Arena } from '../arena.ts';
import type { HostKernels } from '../kernels/host-kernels.ts';
import { type StateTables, Table, type TableDescriptor } from '../table.ts';

/** What is counted of an experiment as a whole, and up to where the exposures of each run of the server are logged. */

const TALLY = { experiment: u32(), late: f64(), duplicate: f64(), foreign: f64(), lost: f64(), ofLost: f64() };
const RUN = { run: u32(), logged: f64() };

/** Runs that are remembered. */
const RUNS_MAX = 64;

export type Tally = Exclude<keyof typeof TALLY, 'experiment'>;

export interface TalliesDescriptor {
  readonly tallies: TableDescriptor<typeof TALLY>;
  readonly runs: TableDescriptor<typeof RUN>;
}

export class Tallies {
  readonly descriptor: TalliesDescriptor;
  readonly #arena: Arena;
  readonly #tallies: Table<typeof TALLY>;
  readonly #runs: Table<typeof RUN>;

  constructor(arena: Arena, descriptor: TalliesDescriptor) {
    this.descriptor = descriptor;
    this.#arena = arena;
    this.#tallies = new Table(arena, descriptor.tallies);
    this.#runs = new Table(arena, descriptor.runs);
  }

  static create(arena: Arena): Tallies {
    return new Tallies(arena, {
      tallies: Table.create(arena, TALLY).descriptor,
      runs: Table.create(arena, RUN).descriptor,
    });
  }

  get(experiment: number, name: Tally): number {
    const row = this.#find(experiment);
    return row < 0 ? 0 : this.#arena.f64[this.#tallies.column(name)(row) >>> 3];
  }

  add(experiment: number, name: Tally, more = 1): void {
    const found = this.#find(experiment);
    const row = found < 0 ? this.#make(experiment) : found;
    this.#tallies.touch(row);
    this.#arena.f64[this.#tallies.column(name)(row) >>> 3] += more;
  }

  /** Of an experiment that is not kept any more. */
  drop(experiment: number): void {
    const row = this.#find(experiment);
    if (row >= 0) this.#tallies.clear(row);
  }

  /** The last exposure of a run that is logged; 0: none is known. */
  logged(run: number): number {
    const row = this.#findRun(run);
    return row < 0 ? 0 : this.#arena.f64[this.#runs.column('logged')(row) >>> 3];
  }

  knows(run: number): boolean {
    return this.#findRun(run) >= 0;
  }

  /** Exposures of a run are logged up to this one. A new run takes the place of the one that is known longest. */
  log(run: number, sequence: number): void {
    const words = this.#arena.u32;
    let row = this.#findRun(run);
    if (row < 0) {
      row = Math.min(this.#runs.rows, RUNS_MAX - 1);
      if (this.#runs.rows < RUNS_MAX) this.#runs.grow(row + 1);
      else this.#moveUp();
      this.#runs.clear(row);
      words[this.#runs.column('run')(row) >>> 2] = run;
    }
    this.#runs.touch(row);
    this.#arena.f64[this.#runs.column('logged')(row) >>> 3] = Math.max(sequence, this.logged(run));
  }

  stateTables(): StateTables {
    return { tallies: this.#tallies, runs: this.#runs };
  }

  hash(kernels: HostKernels, seed: bigint): bigint {
    return this.#runs.hash(kernels, this.#tallies.hash(kernels, seed));
  }

  #find(experiment: number): number {
    const at = this.#tallies.column('experiment');
    for (let row = 0; row < this.#tallies.rows; row++) if (this.#arena.u32[at(row) >>> 2] === experiment) return row;
    return -1;
  }

  /** The row of one that is gone, or a new one. */
  #make(experiment: number): number {
    const free = this.#find(0);
    const row = free < 0 ? this.#tallies.rows : free;
    this.#tallies.grow(row + 1);
    this.#tallies.touch(row);
    this.#arena.u32[this.#tallies.column('experiment')(row) >>> 2] = experiment;
    return row;
  }

  #findRun(run: number): number {
    const at = this.#runs.column('run');
    for (let row = 0; row < this.#runs.rows; row++) if (this.#arena.u32[at(row) >>> 2] === run) return row;
    return -1;
  }

  #moveUp(): void {
    const { u32: words, f64: doubles } = this.#arena;
    const [run, logged] = [this.#runs.column('run'), this.#runs.column('logged')];
    for (let row = 0; row < RUNS_MAX - 1; row++) {
      this.#runs.touch(row);
      words[run(row) >>> 2] = words[run(row + 1) >>> 2];
      doubles[logged(row) >>> 3] = doubles[logged(row + 1) >>> 3];
    }
  }
}
