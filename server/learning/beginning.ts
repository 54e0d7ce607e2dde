import { isDeepStrictEqual } from 'node:util';
import { AccreteError } from '../errors.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import type { WritableWorld } from '../memory/world.ts';
import type { ModelHost } from '../models/model.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { type LoadedModel, versionOf } from '../store/control.ts';
import { findForgotten } from '../store/forget/forgotten-rows.ts';
import type { Journal } from '../store/journal.ts';
import { restoreWorld } from '../teaching/base.ts';
import { teachLive } from '../teaching/live.ts';
import { hasModelTables, restoreModel, versionFolder } from '../teaching/state.ts';
import type { Teacher } from '../teaching/teacher.ts';
import { type Base, choiceOf, has } from './base.ts';
import { makeModels, type Plan } from './plan.ts';

/**
 * How the models of a start come to what they were: out of the checkpoint that it begins from, out of the file of their
 * version when the journal has been learned up to its record, or from the first record on.
 */

export interface BeginningParts {
  readonly plan: Plan;
  readonly base: Base | undefined;
  readonly journal: Pick<Journal, 'read'>;
  readonly checkpoints: CheckpointFolder;
  /** The folder of checkpoints and versions. */
  readonly state: string;
  readonly host: ModelHost & { readonly world: WritableWorld };
}

interface Waiting {
  readonly choice: LoadedModel;
  readonly resolved: ResolvedModel;
  /** The record of its file. */
  readonly from: number;
}

export class Beginning {
  readonly #parts: BeginningParts;
  /** Models whose version is in a file, in the order of its record. */
  readonly #waiting: Waiting[];

  constructor(parts: BeginningParts) {
    this.#parts = parts;
    const { plan, base } = parts;
    this.#waiting = plan.models
      .map((resolved) => {
        const choice = choiceOf(plan.deployment, resolved);
        return { choice, resolved, from: versionOf(choice).from };
      })
      .filter(({ choice, resolved, from }) => from > 0 && !(base && has(base.manifest, choice, resolved)))
      .sort((a, b) => a.from - b.from);
  }

  /** The models that learn from the beginning. */
  makeModels(): WritableModel[] {
    const { plan } = this.#parts;
    const late = new Set(this.#waiting.map(({ resolved }) => resolved));
    const models = plan.models.filter((resolved) => !late.has(resolved));
    return makeModels({ ...plan, models }, (resolved) => this.#make(resolved, this.#versionOf(resolved)));
  }

  /** Fills the world and these models from the checkpoint. The revision that they are at then. */
  restore(teacher: Teacher): number {
    const { base, checkpoints, host } = this.#parts;
    if (!base) return 0;
    const { manifest, beginners } = base;
    restoreWorld(checkpoints, manifest, host.world);
    const live = { ...host, kernels: loadHostKernels(host.arena.memory) };
    for (const model of teacher.models) {
      if (beginners.has(model.name)) teachLive(host.world, manifest.revision, live, model, teacher.options);
      else restoreModel(checkpoints, manifest, model);
    }
    checkpoints.close();
    return manifest.revision;
  }

  /** Everything up to `revision` is learned: models whose version begins there learn from now on. */
  reach(revision: number, teacher: Teacher): void {
    while (this.#waiting.length > 0 && this.#waiting[0].from <= revision) {
      const { choice, resolved, from } = this.#waiting.shift() as Waiting;
      const model = this.#return(choice, resolved, from, teacher);
      if (model) teacher.models = this.#inOrder([...teacher.models, model]);
    }
  }

  /** A version whose file is gone joins the models that failed. */
  #return(choice: LoadedModel, resolved: ResolvedModel, from: number, teacher: Teacher): WritableModel | undefined {
    const { state, plan } = this.#parts;
    const { version } = versionOf(choice);
    const folder = versionFolder(state, choice.name, version);
    try {
      const manifest = folder.manifest(from);
      requireReadable(manifest, choice, resolved);
      folder.verify(manifest);
      const [model] = makeModels({ ...plan, models: [resolved] }, () => this.#make(resolved, version));
      if (!model) return undefined;
      restoreModel(folder, manifest, model);
      // The checkpoint that this start began from has none of it: under its name is what served before.
      for (const table of Object.values(model.stateTables())) table.abandonSaving();
      this.#forgetAsIn(manifest, teacher);
      return model;
    } catch (error) {
      const { reason, message } = AccreteError.wrap(error);
      if (reason !== 'STORE_DAMAGED') throw error;
      const why = `Version ${version} cannot be brought back: ${message}; restore its file from a backup and start again, or unload the model and load it again`;
      plan.failed.push({ ...choice, why });
      return undefined;
    } finally {
      folder.close();
    }
  }

  /** What a version has taken back already is nothing that the others learn on with: the journal may still have it. */
  #forgetAsIn({ revision, forgettings = [] }: Manifest, teacher: Teacher): void {
    const { journal, host } = this.#parts;
    for (const user of findForgotten(forgettings, () => journal.read(revision + 1)))
      if (host.world.users.isSomebody(user)) teacher.forget(user, revision);
  }

  #versionOf(resolved: ResolvedModel): string {
    return versionOf(choiceOf(this.#parts.plan.deployment, resolved)).version;
  }

  #make({ plugin, spec }: ResolvedModel, version: string): WritableModel {
    const { plan, host } = this.#parts;
    return WritableModel.create(host, plugin, spec, plan.deployment.evaluation.window, undefined, version);
  }

  #inOrder(models: readonly WritableModel[]): WritableModel[] {
    return this.#parts.plan.deployment.models.flatMap(({ name }) => models.filter((model) => model.name === name));
  }
}

/** What wrote the file of a version must have laid out its tables as this start does. Throws STORE_DAMAGED. */
function requireReadable(manifest: Manifest, { name, config }: LoadedModel, { plugin, spec }: ResolvedModel): void {
  const saved = manifest.models.find((model) => model.name === name);
  if (saved?.stateVersion !== plugin.stateVersion) {
    const message = `its file has state version ${saved?.stateVersion} of its plugin, and the plugin has ${plugin.stateVersion} by now`;
    throw new AccreteError('STORE_DAMAGED', message);
  }
  if (!hasModelTables(manifest, spec, plugin))
    throw new AccreteError('STORE_DAMAGED', 'its file has other tables than its plugin declares by now');
  if (!isDeepStrictEqual(saved.config, JSON.parse(JSON.stringify(config))))
    throw new AccreteError('STORE_DAMAGED', 'its file is of a model with other settings');
}
