import assert from 'node:assert/strict';
import type { Arena } from '../memory/arena.ts';
import type { Revisions } from '../memory/revisions.ts';
import { prefixed, type StateTables, type Table } from '../memory/table.ts';
import type { Capture, CapturedTable } from '../store/checkpoints/capture.ts';
import { cohortPrefix } from '../store/checkpoints/manifest.ts';
import type { Deployment } from '../store/deployment.ts';
import type { Classroom } from '../teaching/classroom.ts';
import type { Classrooms } from '../teaching/classrooms.ts';
import { allTables, describeModel } from '../teaching/state.ts';

/**
 * The learner's side of a checkpoint. Capturing marks what changed since the last one, so that another thread can save it
 * as it is now while learning goes on; nothing is copied here. One at a time.
 */

export interface CapturesParts {
  readonly arena: Arena;
  readonly classrooms: Classrooms;
  readonly deployment: () => Deployment;
  readonly revisions: Revisions;
}

export class Captures {
  readonly #parts: CapturesParts;
  /** The revision of the checkpoint that has all that is not marked. */
  #since: number | undefined;
  #running: { readonly revision: number; readonly tables: readonly Table[] } | undefined;

  constructor(parts: CapturesParts) {
    this.#parts = parts;
  }

  /** The latest checkpoint. */
  get since(): number | undefined {
    return this.#since;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** The state was restored from a checkpoint. */
  begunFrom(revision: number): void {
    this.#since = revision;
  }

  /** Between two records: captures the state. `whole`: all of it, as if there was no checkpoint yet. */
  begin(whole: boolean): Capture {
    assert(this.#running === undefined, 'one checkpoint at a time');
    const { arena, classrooms, deployment, revisions } = this.#parts;
    const { main, cohorts } = classrooms;
    const { scenarios, experiments, ...settings } = deployment();
    const ofCohorts = (tablesOf: (classroom: Classroom) => StateTables) =>
      cohorts.map((cohort) => prefixed(cohortPrefix(cohort.key), tablesOf(cohort)));
    const tables: StateTables = Object.assign(stateOf(main), ...ofCohorts(stateOf));
    const places: StateTables = Object.assign(placesOf(main), ...ofCohorts(placesOf));
    const captured = [...Object.values(tables), ...Object.values(places)];
    const revision = revisions.learned;
    const decided = new Map(settings.models.map((model) => [model.name, model]));
    const describe = ({ teacher }: Classroom) =>
      teacher.models.map((model) => describeModel(model, decided.get(model.name) ?? { loadedMs: 0 }));
    const capture = {
      revision,
      since: whole ? undefined : this.#since,
      decided: {
        ...settings,
        scenarios: [...scenarios.values()],
        ...(experiments && { experiments: [...experiments.values()] }),
      },
      models: describe(main),
      cohorts: cohorts.length > 0 ? Object.fromEntries(cohorts.map((each) => [each.key, describe(each)])) : undefined,
      tables: capturedTables(tables),
      blocks: capturedTables(places),
    };
    arena.undo.begin();
    for (const { world } of classrooms.all) world.reclaimer.hold();
    for (const table of captured) {
      if (capture.since === undefined) table.abandonSaving();
      table.beginSaving();
    }
    this.#running = { revision, tables: captured };
    return capture;
  }

  /** The capture is saved, or will not be: then the next one takes everything. Nobody reads it any more. */
  end(isSaved: boolean): void {
    if (!this.#running) return;
    const { arena, classrooms } = this.#parts;
    const { revision, tables } = this.#running;
    this.#running = undefined;
    this.#since = isSaved ? revision : undefined;
    if (!isSaved) for (const table of tables) table.abandonSaving();
    arena.undo.close();
    for (const { world } of classrooms.all) world.reclaimer.release();
  }
}

function stateOf({ world, teacher }: Classroom): StateTables {
  return allTables(world, teacher.models);
}

function placesOf({ world }: Classroom): StateTables {
  return Object.fromEntries(Object.entries(world.features).map(([name, { places }]) => [name, places]));
}

function capturedTables(tables: StateTables): Record<string, CapturedTable> {
  return Object.fromEntries(
    Object.entries(tables).map(([key, { descriptor, rows }]) => [key, { descriptor, rows }] as const),
  );
}
