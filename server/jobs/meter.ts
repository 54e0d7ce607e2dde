/** Progress is told so often, if it is made. */
const TELL_MS = 500;

/** How far a job has come. */
export interface JobProgress {
  /** What is being done, in lower case. */
  readonly phase: string;
  /** Done of this phase, and the whole of it, in `unit`. */
  readonly completed: number;
  readonly total: number;
  readonly unit: string;
  /** Time left in all phases, in milliseconds; undefined while it is not known. */
  readonly remainingMs: number | undefined;
}

/** Counts what a job has done, and tells it now and then: at the start of the work, then twice a second. */
export class Meter {
  readonly #tell: (progress: JobProgress) => void;
  readonly #now: () => number;
  #phase = { name: '', unit: '', total: 0, startMs: 0 };
  #completed = 0;
  #toldMs = Number.NEGATIVE_INFINITY;
  /** How long the phases after this one will take; undefined while nobody knows. */
  laterMs: number | undefined = 0;

  constructor(tell: (progress: JobProgress) => void, now = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Begins a phase of `total` steps. */
  begin(name: string, unit: string, total: number, laterMs: number | undefined = 0): void {
    this.#phase = { name, unit, total, startMs: this.#now() };
    this.#completed = 0;
    this.laterMs = laterMs;
    this.#tellInTime();
  }

  /** Counts steps of the phase. */
  add(steps = 1): void {
    this.#completed += steps;
    this.#tellInTime();
  }

  #tellInTime(): void {
    const now = this.#now();
    if (now - this.#toldMs < TELL_MS) return;
    this.#toldMs = now;
    const { name: phase, unit, total, startMs } = this.#phase;
    const completed = Math.min(this.#completed, total);
    const left = completed > 0 ? ((now - startMs) * (total - completed)) / completed : undefined;
    const remainingMs = left === undefined || this.laterMs === undefined ? undefined : left + this.laterMs;
    this.#tell({ phase, unit, completed, total, remainingMs });
  }
}
