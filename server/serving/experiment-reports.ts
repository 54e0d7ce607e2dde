import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ExperimentMoments, readMoments } from '../experiments/arm-moments.ts';
import { findExperimentMetric } from '../experiments/metrics.ts';
import { confidenceOf, type Report, reportOf } from '../experiments/report.ts';
import { secondsFor, unitsFor } from '../experiments/statistics/power.ts';
import type { Reader } from '../memory/readers.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { World } from '../memory/world.ts';
import type { Experiment } from '../store/experiment.ts';
import type { ExperimentHistory } from './experiment-history.ts';

/** Reads reports from the memory, between other calls. */

/** What an experiment takes. */
export interface Plan {
  /** Of memory that isolated arms will hold at the start. */
  readonly bytes: number;
  readonly units: number | undefined;
  readonly seconds: number | undefined;
}

export interface ExperimentReportsParts {
  readonly reader: Reader;
  readonly world: World;
  readonly revisions: Revisions;
  readonly history: ExperimentHistory;
}

/** The longest that other calls wait for this. */
const SLICE_MS = 2;
/** What a plan is made for. */
const WANTED = { effect: 0.05, power: 0.8 } as const;

export class ExperimentReports {
  readonly #parts: ExperimentReportsParts;

  constructor(parts: ExperimentReportsParts) {
    this.#parts = parts;
  }

  async report(experiment: Experiment): Promise<Report> {
    const { reader, world, revisions } = this.#parts;
    const revision = revisions.learned;
    const moments = await this.moments(experiment);
    return reader.run(() => reportOf(world.ledger, experiment, moments, revision));
  }

  /** Notes where it stands, if that is due. */
  async observe(experiment: Experiment, nowMs: number): Promise<void> {
    const { history } = this.#parts;
    if (!history.isDue(experiment.name, nowMs)) return;
    const startMs = performance.now();
    history.note(experiment.name, await this.report(experiment), nowMs, performance.now() - startMs);
  }

  /** Where it stood, the latest last. */
  historyOf({ name }: Experiment) {
    return this.#parts.history.of(name);
  }

  /** `metrics`: those that are wanted, by name; without it all. */
  async moments(experiment: Experiment, metrics?: readonly string[]): Promise<ExperimentMoments> {
    const { reader, world } = this.#parts;
    const steps = readMoments(world.ledger, experiment, metrics);
    let sliceMs = performance.now();
    for (;;) {
      const { done, value } = reader.run(() => steps.next());
      if (done) return value;
      if (performance.now() - sliceMs < SLICE_MS) continue;
      await nextTurn();
      sliceMs = performance.now();
    }
  }

  /**
   * By the traffic of experiments that are kept: without one that has a figure of the metric, nobody knows what another one
   * needs.
   */
  async plan(experiment: Experiment, others: Iterable<Experiment>): Promise<Plan> {
    const metric = findExperimentMetric(experiment.primaryMetric);
    const shares = experiment.cuts.at(-1)?.shares ?? [];
    const smallest = Math.min(...shares.slice(1).filter((share) => share > 0));
    for (const other of [...others].reverse()) {
      if (!metric || other.name === experiment.name) continue;
      const { arms, units } = await this.moments(other);
      const control = arms[0].sums.get(metric.name);
      const { alpha } = confidenceOf(experiment);
      const needed = control && unitsFor(metric, control, { ...WANTED, alpha, shares: [shares[0], smallest] });
      if (!needed) continue;
      const until = other.ended?.atMs ?? Date.now();
      const whole = { seconds: Math.max(1, (until - other.startMs) / 1000), units: units * experiment.eligibleShare };
      // Nobody knows how many of them came in its first half: as if they came evenly.
      const half = { seconds: whole.seconds / 2, units: whole.units / 2 };
      return { bytes: 0, units: needed, seconds: secondsFor(needed, half, whole) };
    }
    return { bytes: 0, units: undefined, seconds: undefined };
  }
}
