import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Control } from '../store/control.ts';
import { type Decided, type Deployment, decide } from '../store/deployment.ts';
import type { Classrooms } from '../teaching/classrooms.ts';
import type { CohortChoice } from '../teaching/cohort.ts';
import { cohortsKept, experimentsOf } from '../teaching/cohort-choices.ts';
import { restoreCohort } from '../teaching/restore-cohort.ts';
import { lostIn } from './lost-worlds.ts';
import { type Base, decidedIn } from './starting-checkpoint.ts';

/** The worlds of arms while a start learns the journal again: at each record those are there that were there then. */

export interface CohortsParts {
  readonly classrooms: Classrooms;
  readonly checkpoints: CheckpointFolder;
  readonly base: Base | undefined;
  /** What the journal comes to. */
  readonly deployment: Deployment;
}

export class Cohorts {
  readonly #parts: CohortsParts;
  /** Keys of worlds that were there, and of which nobody knows any more what they were. */
  readonly #lost: ReadonlySet<string>;
  #decided: Decided;

  constructor(parts: CohortsParts) {
    this.#parts = parts;
    this.#lost = new Set(parts.base ? lostIn(parts.base, parts.deployment).map(({ key }) => key) : []);
    this.#decided = parts.base ? decidedIn(parts.base.manifest) : { scenarios: new Map() };
  }

  /** Fills those that the checkpoint has from which the start begins. Throws STORE_DAMAGED, MEMORY_FULL. */
  restore(): void {
    const { classrooms, checkpoints, base, deployment } = this.#parts;
    if (!base) return;
    classrooms.resume(this.#decided);
    for (const choice of this.#wanted())
      restoreCohort(checkpoints, base.manifest, choice, classrooms, deployment.evaluation.window);
    checkpoints.close();
  }

  /** Record `revision` is learned again. Throws MEMORY_FULL. */
  follow(control: Control, revision: number): void {
    if (control.type !== 'experiment') return;
    this.#decided = decide(this.#decided, control, revision);
    const { classrooms } = this.#parts;
    const before = classrooms.cohorts.map(({ key }) => key);
    classrooms.settle(this.#wanted());
    // Nobody reads yet.
    classrooms.retire(before);
  }

  #wanted(): CohortChoice[] {
    const kept = cohortsKept(experimentsOf(this.#decided), experimentsOf(this.#parts.deployment));
    // One made now would be a copy of the main world, which has learned what everybody did.
    return kept.filter(({ key }) => !this.#lost.has(key));
  }
}
