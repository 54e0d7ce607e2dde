import type { FusionPeriod } from '../config/fusion-period.ts';
import { AccreteError, type ErrorReason } from '../errors.ts';
import type { LoadedModel } from '../store/control.ts';
import { beginsPeriod, type Change } from '../store/history.ts';
import type { ModelDirectory, ModelEntry } from './model-directory.ts';

/**
 * Models that are fused by themselves when their period is over. The period counts from what the history says of the last Fuse,
 * so a server that was stopped goes on where it was; and it is over once, however many of its length have passed. One model at a
 * time: nothing waits in a queue, whoever is due still is when the one before is done.
 */

export interface FusionPeriodsParts {
  readonly directory: ModelDirectory;
  /** Makes a candidate, has it judged, and promotes it or not, of which the history tells. */
  readonly fuse: (model: string, period: FusionPeriod, signal: AbortSignal) => Promise<void>;
  /** Has the history tell of one that came to no decision. */
  readonly record: (model: string, change: Change) => Promise<void>;
  readonly onDue: (model: string, period: FusionPeriod, passed: number) => void;
  /** It is not done now; `isOver`: not before the next period either. */
  readonly onFailure: (model: string, error: AccreteError, isOver: boolean) => void;
  readonly now?: () => number;
}

const LOOK_EVERY_MS = 1000;
/** What is not to be done just now is tried again after so long. */
const RETRY_MS = 10_000;

/** Nothing is wrong with the Fuse: somebody else is at it, or the disk takes nothing now. */
const PASSING: readonly ErrorReason[] = [
  'MODEL_CHANGING',
  'JOBS_FULL',
  'QUEUE_FULL',
  'DRAINING',
  'DISK_FULL',
  'APPEND_FAILED',
];

/** Where a period begins. */
interface Beginning {
  readonly learned: number;
  readonly atMs: number;
}

interface Attempt extends Beginning {
  readonly loadedMs: number;
}

export class FusionPeriods {
  readonly #parts: FusionPeriodsParts;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  /** The last attempt of a model, of which the history may not tell. */
  readonly #attempts = new Map<string, Attempt>();
  readonly #retryAtMs = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(parts: FusionPeriodsParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  begin(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  /** What is being made is left off. */
  stop(reason: AccreteError): void {
    clearInterval(this.#timer);
    this.#stopping.abort(reason);
  }

  /** What part of its period has passed, by model: 1 and more is over. */
  passed(): Map<string, number> {
    const passed = new Map<string, number>();
    for (const entry of this.#parts.directory.entries) {
      const part = this.#passed(entry);
      if (part !== undefined) passed.set(entry.choice.name, part);
    }
    return passed;
  }

  /** Fuses the model whose period has been over for longest, if there is one and nothing is being fused. */
  async look(): Promise<void> {
    if (this.#running || this.#stopping.signal.aborted) return;
    const nowMs = this.#now();
    for (const remembered of [this.#attempts, this.#retryAtMs])
      for (const name of remembered.keys()) if (!this.#parts.directory.find(name)) remembered.delete(name);
    const due = [...this.passed()].filter(
      ([name, passed]) => passed >= 1 && nowMs >= (this.#retryAtMs.get(name) ?? Number.NEGATIVE_INFINITY),
    );
    const [most] = due.sort(([, one], [, other]) => other - one);
    if (!most) return;
    this.#running = true;
    try {
      await this.#fuse(...most);
    } finally {
      this.#running = false;
    }
  }

  async #fuse(name: string, passed: number): Promise<void> {
    const { directory, fuse, record, onDue, onFailure } = this.#parts;
    const { model, decided } = directory.requireEntry(name);
    if (!model || !decided?.fuse) return;
    const { fuse: period, loadedMs } = decided;
    const learned = model.prequential.events;
    const previous = model.version;
    onDue(name, period, passed);
    try {
      await fuse(name, period, this.#stopping.signal);
      this.#attempts.set(name, { learned, atMs: this.#now(), loadedMs });
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return;
      const error = AccreteError.wrap(thrown);
      const isOver = !PASSING.includes(error.reason);
      onFailure(name, error, isOver);
      if (!isOver) return void this.#retryAtMs.set(name, this.#now() + RETRY_MS);
      const atMs = this.#now();
      this.#attempts.set(name, { learned, atMs, loadedMs });
      const { strategy, sources } = period;
      const how = { kind: 'fuse', by: 'period', strategy, sources, reason: error.message } as const;
      await record(name, { ...how, outcome: 'failed', atMs, learned, previous, version: '' });
    }
  }

  #passed({ state, model, decided }: ModelEntry): number | undefined {
    if (!decided?.fuse || !model || state !== 'AVAILABLE' || model.prequential.quarantinedAt > 0) return undefined;
    const { everyEvents = Number.POSITIVE_INFINITY, everySeconds = Number.POSITIVE_INFINITY } = decided.fuse;
    const since = this.#beginningOf(decided);
    const { events } = model.prequential;
    // A version that was brought back without someone who is forgotten by now has learned less than the one before.
    const learned = events - since.learned;
    if (learned <= 0) return 0;
    return Math.max(learned / everyEvents, (this.#now() - since.atMs) / (1000 * everySeconds));
  }

  #beginningOf({ name, loadedMs, exactFrom = 1, history = [] }: LoadedModel): Beginning {
    const last = history.findLast(beginsPeriod) ?? { learned: 0, atMs: loadedMs, revision: 0 };
    // What began anew with what was live counts from there.
    const told = exactFrom > last.revision ? { learned: 0, atMs: last.atMs } : last;
    const tried = this.#attempts.get(name);
    return tried?.loadedMs === loadedMs && tried.atMs > told.atMs ? tried : told;
  }
}
