import { type Report, reportOf } from '../experiments/report.ts';
import type { Reader } from '../memory/readers.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { World } from '../memory/world.ts';
import type { Experiment } from '../store/experiment.ts';

/** Reads reports from the memory. */

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
}

export class ExperimentReports {
  readonly #parts: ExperimentReportsParts;

  constructor(parts: ExperimentReportsParts) {
    this.#parts = parts;
  }

  report(experiment: Experiment): Report {
    const { reader, world, revisions } = this.#parts;
    const revision = revisions.learned;
    return reader.run(() => reportOf(world.ledger, experiment, revision));
  }

  plan(_experiment: Experiment): Plan {
    return { bytes: 0, units: undefined, seconds: undefined };
  }
}
