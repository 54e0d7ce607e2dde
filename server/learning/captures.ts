import assert from 'node:assert/strict';
import type { Arena } from '../memory/arena.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { StateTables, Table } from '../memory/table.ts';
import type { WritableWorld } from '../memory/world.ts';
import type { Model } from '../models/model.ts';
import type { Capture, CapturedTable } from '../store/checkpoints/capture.ts';
import type { Deployment } from '../store/deployment.ts';
import { allTables, describeModel } from '../teaching/state.ts';

/**
 * The learner's side of a checkpoint. Capturing marks what changed since the last one, so that another thread can save it
 * as it is now while learning goes on; nothing is copied here. One at a time.
 */

export interface CapturesParts {
  readonly arena: Arena;
  readonly world: WritableWorld;
  readonly models: () => readonly Model[];
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
    const { arena, world, models, deployment, revisions } = this.#parts;
    const { scenarios, experiments, ...settings } = deployment();
    const tables = allTables(world, models());
    const places = Object.fromEntries(Object.entries(world.features).map(([name, { places }]) => [name, places]));
    const captured = [...Object.values(tables), ...Object.values(places)];
    const revision = revisions.learned;
    const decided = new Map(settings.models.map((model) => [model.name, model]));
    const capture = {
      revision,
      since: whole ? undefined : this.#since,
      decided: {
        ...settings,
        scenarios: [...scenarios.values()],
        ...(experiments && { experiments: [...experiments.values()] }),
      },
      models: models().map((model) => describeModel(model, decided.get(model.name) ?? { loadedMs: 0 })),
      tables: capturedTables(tables),
      blocks: capturedTables(places),
    };
    arena.undo.begin();
    world.reclaimer.hold();
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
    const { arena, world } = this.#parts;
    const { revision, tables } = this.#running;
    this.#running = undefined;
    this.#since = isSaved ? revision : undefined;
    if (!isSaved) for (const table of tables) table.abandonSaving();
    arena.undo.close();
    world.reclaimer.release();
  }
}

function capturedTables(tables: StateTables): Record<string, CapturedTable> {
  return Object.fromEntries(
    Object.entries(tables).map(([key, { descriptor, rows }]) => [key, { descriptor, rows }] as const),
  );
}
