import { AccreteError } from '../errors.ts';
import type { ExposureMark } from '../store/exposure-mark.ts';
import type { Experiments } from './experiments.ts';
import type { Exposures } from './exposures.ts';
import type { LearnerQueue } from './learner-queue.ts';

/** Looks after experiments: what a crash has lost of them, and when they end. */

export interface ExperimentKeeperParts {
  readonly experiments: Experiments;
  readonly exposures: Exposures;
  readonly queue: Pick<LearnerQueue, 'insist'>;
  readonly mark: ExposureMark;
  /** The last exposure of a run that is logged. */
  readonly logged: (run: number) => number;
  readonly onEnded: (experiment: string, reason: string) => void;
  readonly onLost: (exposures: number) => void;
  readonly onFailure: (error: AccreteError) => void;
  readonly now?: () => number;
}

const LOOK_EVERY_MS = 1000;

export class ExperimentKeeper {
  readonly #parts: ExperimentKeeperParts;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

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
    await exposures.close();
    mark.remove();
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
    const { experiments, onEnded } = this.#parts;
    for (const { name, endMs = Number.POSITIVE_INFINITY } of experiments.open) {
      if (endMs > this.#now()) continue;
      const reason = 'it reached its end';
      await experiments.change({ how: 'stop', name, reason });
      onEnded(name, reason);
    }
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
    } catch (error) {
      onFailure(AccreteError.wrap(error));
    }
  }
}
