import { type Arena, HEADER } from './arena.ts';

/** Counts for metrics, written by the learner and read by all threads. They start at zero with the process. */

const NAMES = [
  'ratingsAccepted',
  'ratingsRefused',
  'requestsAccepted',
  'requestsRefused',
  'requestsDuplicate',
  'lagSeconds',
  /** Ratings and events, and bytes of records, since the process began: at its start too. */
  'eventsLearned',
  'bytesLearned',
] as const;
export type CounterName = (typeof NAMES)[number];

export class Counters {
  readonly #f64: Float64Array;

  constructor(arena: Arena) {
    this.#f64 = new Float64Array(arena.memory.buffer, HEADER.counters, NAMES.length);
  }

  get(name: CounterName): number {
    return this.#f64[NAMES.indexOf(name)];
  }

  add(name: CounterName, amount: number): void {
    this.#f64[NAMES.indexOf(name)] += amount;
  }

  set(name: CounterName, value: number): void {
    this.#f64[NAMES.indexOf(name)] = value;
  }
}
