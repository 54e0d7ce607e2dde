import { randomInt } from 'node:crypto';
import { unitKey } from '../allocation/unit-key.ts';
import type { AccreteError } from '../errors.ts';
import { ASK } from '../exchange/messages.ts';
import { formatRecommendationId, prefixOfRun } from '../memory/ledger/recommendation-id.ts';
import { type Exposure, encodeExposures, exposureBytes } from '../store/exposure-codec.ts';
import type { ExposureMark } from '../store/exposure-mark.ts';
import type { Assignment } from './experiments.ts';
import type { LearnerAnswer, LearnerQueue } from './learner-queue.ts';

/**
 * Names answers, and logs those of experiments off the hot path: they are collected, and go to the learner together, at most
 * `FLUSH_MS` later. A rating that may name one of them does not overtake it.
 */

const FLUSH_MS = 50;
/** So many go at once. */
const BATCH = { exposures: 1024, bytes: 256 * 1024 } as const;
/** While the learner takes none, so many wait; what comes then is counted as lost. */
const WAITING_MAX = { exposures: 65_536, bytes: 16 * 2 ** 20 } as const;
const RETRY_MS = 5;
const TELL_EVERY_MS = 10_000;

/** What an answer showed. */
export interface Shown {
  /** "": nobody who is known by an id. */
  readonly userId: string;
  /** NO_ITEM: nobody who has one. */
  readonly userRow: number;
  readonly rows: ArrayLike<number>;
  readonly propensities?: ArrayLike<number> | undefined;
  readonly teams?: ArrayLike<number> | undefined;
}

export interface ExposuresParts {
  readonly queue: Pick<LearnerQueue, 'offer'>;
  readonly mark: ExposureMark;
  /** By which ids of this store are told from others. */
  readonly store: number;
  /** Hears of exposures that are not logged, and why. */
  readonly onLost: (count: number, why: AccreteError) => void;
}

export class Exposures {
  readonly run = randomInt(2 ** 32);
  readonly #parts: ExposuresParts;
  /** All ids of this run begin so. */
  readonly #prefix = Buffer.from(prefixOfRun(this.run));
  /** Of answers of experiments, and of others. */
  #sequence = 0;
  #others = 0;
  #waiting: Exposure[] = [];
  #bytes = 0;
  readonly #lost = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  /** The learner took none the last time. */
  #isRefused = false;
  /** Asks that were not answered yet, and who waits for that. */
  #sending = 0;
  readonly #idle: (() => void)[] = [];
  #untold = 0;
  #toldMs = 0;

  constructor(parts: ExposuresParts) {
    this.#parts = parts;
  }

  /** The id that the next answer of an experiment will get, or the next one of none. */
  next(assignment: Assignment | undefined): string {
    const experiment = assignment?.experiment.number ?? 0;
    const sequence = 1 + (assignment ? this.#sequence : this.#others);
    return formatRecommendationId({ run: this.run, experiment, sequence }, this.#parts.store);
  }

  /** The id of an answer; one of an experiment is logged. */
  name(assignment: Assignment | undefined, shown: Shown): string {
    const { store } = this.#parts;
    const { run } = this;
    if (!assignment) return formatRecommendationId({ run, experiment: 0, sequence: ++this.#others }, store);
    const { experiment, index, unit } = assignment;
    const { number } = experiment;
    const sequence = ++this.#sequence;
    this.#parts.mark.issue(run, sequence);
    const key = unitKey(unit);
    const user = shown.userId === '' ? 0n : shown.userId === unit ? key : unitKey(shown.userId);
    this.#keep({
      sequence,
      atMs: Date.now(),
      experiment: number,
      arm: index,
      unit: key,
      user,
      row: shown.userRow,
      items: shown.rows,
      propensities: shown.propensities,
      teams: shown.teams,
    });
    return formatRecommendationId({ run, experiment: number, sequence }, store);
  }

  /** Before a request of ratings goes to the learner: what it may name goes first. */
  precede(request: Uint8Array): void {
    if (this.#waiting.length === 0) return;
    const bytes = Buffer.from(request.buffer, request.byteOffset, request.length);
    if (bytes.includes(this.#prefix)) this.#flush();
  }

  /** Sends all that waits; resolves when the learner has it: false where some are neither logged nor counted as lost. */
  async close(): Promise<boolean> {
    this.#flush();
    while (this.#waiting.length > 0 || this.#sending > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    return this.#lost.size === 0;
  }

  #keep(exposure: Exposure): void {
    if (this.#waiting.length >= WAITING_MAX.exposures || this.#bytes >= WAITING_MAX.bytes) {
      this.#countLost(exposure.experiment, 1);
      return;
    }
    this.#waiting.push(exposure);
    this.#bytes += exposureBytes(exposure);
    const isDue = this.#waiting.length >= BATCH.exposures || this.#bytes >= BATCH.bytes;
    if (isDue && !this.#isRefused) this.#flush();
    else this.#schedule(FLUSH_MS);
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => this.#flush(), ms);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#waiting.length > 0 || this.#lost.size > 0) {
      const exposures = firstBatch(this.#waiting);
      const lost = new Map(this.#lost);
      const payload = encodeExposures({ run: this.run, lost, exposures });
      const isTaken = this.#parts.queue.offer(ASK.exposures, payload, (answer) => this.#hear(answer, exposures, lost));
      this.#isRefused = !isTaken;
      if (!isTaken) return void this.#schedule(RETRY_MS);
      this.#sending++;
      this.#lost.clear();
      this.#waiting.splice(0, exposures.length);
      this.#bytes -= bytesOf(exposures);
    }
  }

  #hear(answer: LearnerAnswer, exposures: readonly Exposure[], lost: ReadonlyMap<number, number>): void {
    this.#sending--;
    if (answer.type === 'refused') {
      // Nobody knows whether a failed append was taken after all: what was is counted as lost too.
      for (const [experiment, count] of lost) this.#countLost(experiment, count);
      for (const { experiment } of exposures) this.#countLost(experiment, 1);
      this.#untold += exposures.length;
      this.#tellLost(answer.refusal);
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** As long as the disk is full, now and then. */
  #tellLost(why: AccreteError): void {
    const nowMs = Date.now();
    if (this.#untold === 0 || nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#parts.onLost(this.#untold, why);
    this.#untold = 0;
    this.#toldMs = nowMs;
  }

  #countLost(experiment: number, count: number): void {
    this.#lost.set(experiment, (this.#lost.get(experiment) ?? 0) + count);
  }
}

/** One at least. */
function firstBatch(waiting: readonly Exposure[]): Exposure[] {
  let bytes = 0;
  const more = waiting.findIndex((exposure, n) => {
    bytes += exposureBytes(exposure);
    return n > 0 && (n >= BATCH.exposures || bytes > BATCH.bytes);
  });
  return waiting.slice(0, more < 0 ? waiting.length : more);
}

function bytesOf(exposures: readonly Exposure[]): number {
  return exposures.reduce((sum, exposure) => sum + exposureBytes(exposure), 0);
}
