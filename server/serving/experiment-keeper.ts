import { AccreteError } from '../errors.ts';
import { findExperimentMetric } from '../experiments/metrics.ts';
import { findStops } from '../experiments/rails.ts';
import type { ServedArm } from '../experiments/served.ts';
import { figureOf } from '../experiments/statistics/figures.ts';
import { thompsonShares } from '../experiments/thompson.ts';
import { type Experiment, isRunning } from '../store/experiment.ts';
import type { ExposureMark } from '../store/exposure-mark.ts';
import type { ExperimentReports } from './experiment-reports.ts';
import type { Experiments } from './experiments.ts';
import type { Exposures } from './exposures.ts';
import type { LearnerQueue } from './learner-queue.ts';

/** Looks after experiments: what a crash has lost of them, when they end, which arms stop by themselves, and their shares. */

export interface ExperimentKeeperParts {
  readonly experiments: Experiments;
  readonly exposures: Pick<Exposures, 'close'>;
  readonly reports: Pick<ExperimentReports, 'moments'>;
  /** Notes where they stand. */
  readonly history?: {
    readonly observe: (experiment: Experiment, nowMs: number) => Promise<void>;
    readonly keep: (experiments: ReadonlyMap<string, unknown>) => void;
    readonly save: () => void;
  };
  readonly queue: Pick<LearnerQueue, 'insist'>;
  readonly mark: Pick<ExposureMark, 'read' | 'remove'>;
  /** The last exposure of a run that is logged. */
  readonly logged: (run: number) => number;
  readonly onEnded: (experiment: string, reason: string) => void;
  readonly onStopped: (experiment: string, arm: string, reason: string) => void;
  readonly onLost: (exposures: number) => void;
  readonly onFailure: (error: AccreteError) => void;
  readonly now?: () => number;
}

const LOOK_EVERY_MS = 1000;
/** Guard rails are looked at so often, and arms weighed. */
const RAILS_EVERY_MS = 5000;
const WEIGH_EVERY_MS = 30_000;
/** What takes long is not done again before so many times as long. */
const REST = 50;
/** Why arms cannot begin that would not pass by itself: asked again and again, it would hold up what others are due. */
const ENDING: readonly string[] = ['MEMORY_FULL', 'MODEL_FAILED', 'MODEL_NOT_FOUND'];
/** Shares that would change by less stay as they are. */
const CHANGE_MIN = 0.02;

export class ExperimentKeeper {
  readonly #parts: ExperimentKeeperParts;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** By experiment, when its rails and its shares were looked at last. */
  readonly #looked = new Map<string, Looked>();

  constructor(parts: ExperimentKeeperParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  begin(): void {
    void this.#countLost();
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What is logged goes to the learner. */
  async close(): Promise<void> {
    const { exposures, mark } = this.#parts;
    await this.#looking;
    const isLogged = await exposures.close();
    this.#parts.history?.save();
    // The next start counts what is missing.
    if (isLogged) mark.remove();
  }

  /** Does what is due; one look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error) => this.#parts.onFailure(AccreteError.wrap(error)))
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { experiments } = this.#parts;
    for (const name of this.#looked.keys()) if (!experiments.byName.has(name)) this.#looked.delete(name);
    this.#parts.history?.keep(experiments.byName);
    for (const experiment of experiments.open) {
      try {
        await this.#doWhatIsDue(experiment);
      } catch (error) {
        // The others are looked at all the same.
        this.#parts.onFailure(AccreteError.wrap(error));
      }
    }
  }

  async #doWhatIsDue(experiment: Experiment): Promise<void> {
    if ((experiment.endMs ?? Number.POSITIVE_INFINITY) <= this.#now()) await this.#end(experiment.name);
    else if (isRunning(experiment, this.#now())) await this.#lookAt(experiment);
    else if (experiment.startMs <= this.#now()) await this.#isolate(experiment.name);
  }

  /** Arms that do not fit any more when they are to begin, or whose models do not answer any more, end it. */
  async #isolate(name: string): Promise<void> {
    const { experiments } = this.#parts;
    try {
      await experiments.change({ how: 'isolate', name });
    } catch (error) {
      const { reason, message } = AccreteError.wrap(error);
      if (!ENDING.includes(reason)) throw error;
      await this.#end(name, `it could not begin: ${message}`);
    }
  }

  async #end(name: string, reason = 'it reached its end'): Promise<void> {
    const { experiments, onEnded } = this.#parts;
    await experiments.change({ how: 'stop', name, reason });
    onEnded(name, reason);
  }

  async #lookAt(experiment: Experiment): Promise<void> {
    const { name, guardRails, allocation, startMs } = experiment;
    const nowMs = this.#now();
    const looked = this.#looked.get(name) ?? { railsMs: startMs, weighedMs: startMs, tookMs: 0 };
    const restMs = REST * looked.tookMs;
    const isForRails = guardRails.length > 0 && nowMs - looked.railsMs >= Math.max(RAILS_EVERY_MS, restMs);
    const isToWeigh = allocation === 'thompson' && nowMs - looked.weighedMs >= Math.max(WEIGH_EVERY_MS, restMs);
    await this.#parts.history?.observe(experiment, nowMs);
    const beganMs = performance.now();
    if (isForRails) await this.#stopArms(experiment);
    if (isToWeigh) await this.#weigh(name);
    this.#looked.set(name, {
      railsMs: isForRails ? nowMs : looked.railsMs,
      weighedMs: isToWeigh ? nowMs : looked.weighedMs,
      tookMs: isForRails || isToWeigh ? performance.now() - beganMs : looked.tookMs,
    });
  }

  async #stopArms(experiment: Experiment): Promise<void> {
    const { experiments, reports, onStopped } = this.#parts;
    const { name } = experiment;
    const served: readonly (ServedArm | undefined)[] = experiments.servedOf(name);
    const metrics = experiment.guardRails.map(({ metric }) => metric);
    const moments = await reports.moments(experiment, metrics);
    for (const { arm, reason } of findStops(experiment, moments, served)) {
      await experiments.change({ how: 'stopArm', name, arm, reason });
      onStopped(name, arm, reason);
    }
  }

  async #weigh(name: string): Promise<void> {
    const { experiments, reports } = this.#parts;
    const experiment = experiments.byName.get(name);
    if (!experiment || experiment.ended) return;
    const metric = findExperimentMetric(experiment.primaryMetric);
    if (!metric) return;
    const { arms } = await reports.moments(experiment, [metric.name]);
    const estimates = experiment.arms.map(({ stopReason }, n) => {
      const sums = arms[n].sums.get(metric.name);
      return stopReason === undefined ? sums && figureOf(sums) : null;
    });
    const weights = thompsonShares(estimates, metric, experiment.allocationFloor);
    const shares = experiment.cuts.at(-1)?.shares ?? [];
    if (weights.every((weight, n) => Math.abs(weight - shares[n]) < CHANGE_MIN)) return;
    await experiments.change({ how: 'weigh', name, weights });
  }

  async #countLost(): Promise<void> {
    const { experiments, queue, mark, logged, onLost, onFailure } = this.#parts;
    const before = mark.read();
    if (!before) return;
    const lost = Math.max(0, before.issued - logged(before.run));
    try {
      if (lost > 0 && experiments.open.length > 0) {
        await queue.insist({ type: 'crashed', run: before.run, lost });
        onLost(lost);
      }
      // Counted once, also where this run ends before it has given any.
      if (mark.read()?.run === before.run) mark.remove();
    } catch (error) {
      onFailure(AccreteError.wrap(error));
    }
  }
}

/** When the rails and the shares of an experiment were looked at last, and how long that took. */
interface Looked {
  readonly railsMs: number;
  readonly weighedMs: number;
  readonly tookMs: number;
}
