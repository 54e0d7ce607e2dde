import type { StateHashes } from '../exchange/messages.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { AnswerEvents } from './answer-events.ts';
import type { Catalogue } from './catalogue.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { CohortViews } from './cohort-views.ts';
import type { ExperimentReports } from './experiment-reports.ts';
import type { Experiments } from './experiments.ts';
import type { Exposures } from './exposures.ts';
import type { Forgetting } from './forgetting.ts';
import type { Imports } from './imports.ts';
import type { LearnerQueue } from './learner-queue.ts';
import type { ModelChanges } from './model-changes.ts';
import type { ModelDirectory } from './model-directory.ts';
import type { Promotions } from './promotions.ts';
import type { RatingPages } from './rating-pages.ts';
import type { Recommender } from './recommender.ts';
import type { Scenarios } from './scenarios.ts';
import type { Shortlists } from './shortlists.ts';

/** All that answers requests in one thread. It exists once the learner has replayed the journal. */
export interface Serving {
  readonly queue: LearnerQueue;
  readonly recommender: Recommender;
  /** Of the arms of isolated experiments. */
  readonly cohorts: CohortViews;
  readonly shortlists: Shortlists;
  readonly ratingPages: RatingPages;
  readonly directory: ModelDirectory;
  readonly modelChanges: ModelChanges;
  readonly scenarios: Scenarios;
  readonly experiments: Experiments;
  readonly experimentReports: ExperimentReports;
  readonly exposures: Exposures;
  readonly answerEvents: AnswerEvents;
  readonly catalogue: Catalogue;
  readonly revisions: Revisions;
  readonly checkpoints: Checkpoints;
  readonly promotions: Promotions;
  readonly forgetting: Forgetting;
  readonly imports: Imports;
  /** One first rating in so many is ranked; 0: none. */
  readonly rankEvery: number;
  /** Ratings that are live now. */
  readonly liveRatings: () => number;
  /** Bytes on disk of a version of a model. */
  readonly versionBytes: (model: string, version: string) => number;
  /** Hashes over every byte of a model and of what all models of its world share. */
  readonly hashes: (model: string, cohort?: string) => Promise<StateHashes>;
}

/** A serving that may not exist yet: calls that come early wait for it. */
export class Gate {
  #serving: Serving | undefined;
  #failure: unknown;
  readonly #waiting = new Set<() => void>();

  open(serving: Serving): void {
    this.#serving = serving;
    this.#wake();
  }

  /** The server cannot start: whoever waits is told why. */
  fail(failure: unknown): void {
    this.#failure = failure;
    this.#wake();
  }

  /** Rejects with the signal's reason when it is aborted first. */
  enter(signal: () => AbortSignal): Serving | Promise<Serving> {
    return this.#serving ?? this.#wait(signal());
  }

  async #wait(signal: AbortSignal): Promise<Serving> {
    while (!this.#serving) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          this.#waiting.delete(resolve);
          reject(signal.reason);
        };
        if (signal.aborted) return onAbort();
        signal.addEventListener('abort', onAbort, { once: true });
        this.#waiting.add(resolve);
      });
    }
    return this.#serving;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
