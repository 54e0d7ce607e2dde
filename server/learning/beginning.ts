import { AccreteError } from '../errors.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import type { WritableWorld } from '../memory/world.ts';
import { inputsOf, joined, modelsBehind } from '../models/inputs.ts';
import type { ModelHost } from '../models/model.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { begunOf, type LoadedModel, versionOf } from '../store/control.ts';
import { findForgotten } from '../store/forget/forgotten-rows.ts';
import type { Journal } from '../store/journal.ts';
import { experimentsOf, modelsOfArms } from '../teaching/cohort-choices.ts';
import { type Pupil, teachLive } from '../teaching/live.ts';
import { restoreWorld } from '../teaching/restoring.ts';
import { restoreModel } from '../teaching/state.ts';
import { promotionsAfter, Succession, type Tenure } from '../teaching/succession.ts';
import type { Teacher } from '../teaching/teacher.ts';
import { asIn, readVersion } from '../teaching/version-file.ts';
import { versionFolder } from '../teaching/version-folders.ts';
import { makeModels, type Plan } from './plan.ts';
import { type Base, choiceOf, has } from './starting-checkpoint.ts';

/**
 * How the models of a start come to what they were: out of the checkpoint that it begins from, out of the file of their
 * version when the journal has been learned up to its record, or from the first record on. One that others have as an input
 * goes through all the versions that served meanwhile.
 */

export interface BeginningParts {
  readonly plan: Plan;
  readonly base: Base | undefined;
  /** Models whose first version learns the journal anew, by name: there is no base then. */
  readonly anew: ReadonlySet<string>;
  readonly checkpoints: CheckpointFolder;
  readonly journal: Journal;
  /** The folder of checkpoints and versions. */
  readonly state: string;
  readonly host: ModelHost & { readonly world: WritableWorld };
  /** Hears of a version that served, serves no more, and cannot be brought back. */
  readonly onGone: (why: string) => void;
}

export class Beginning {
  readonly #parts: BeginningParts;
  /** Of each model, in their order. */
  readonly #successions: readonly Succession[];
  /** Names of models of which arms of experiments take what they were then. */
  readonly #copied: ReadonlySet<string>;
  /** Who teaches those that are there already. */
  #teacher: Teacher | undefined;

  constructor(parts: BeginningParts) {
    this.#parts = parts;
    const { models, deployment } = parts.plan;
    this.#copied = modelsOfArms(experimentsOf(deployment));
    this.#successions = models.map((resolved) => {
      const tenures = this.#tenuresOf(resolved);
      const last = tenures.at(-1);
      return new Succession(
        tenures,
        (tenure) =>
          tenure.from === 0 ? this.#begin(resolved, tenure) : this.#return(resolved, tenure, tenure === last),
        (model) => model.drop(parts.host.world.reclaimer),
      );
    });
  }

  /** The models that learn from the beginning. */
  makeModels(): WritableModel[] {
    for (const succession of this.#successions) succession.reach(0);
    return this.#models;
  }

  /** Fills the world and these models from the checkpoint. The revision that they are at then. */
  restore(teacher: Teacher): number {
    const { base, checkpoints, host } = this.#parts;
    if (!base) return 0;
    const { manifest, beginners } = base;
    restoreWorld(checkpoints, manifest, host.world);
    const live = { ...host, kernels: loadHostKernels(host.arena.memory) };
    for (const model of teacher.models) {
      if (beginners.has(model.name))
        teachLive(host.world, manifest.revision, live, this.#pupil(model), teacher.options);
      else {
        restoreModel(checkpoints, manifest, model);
        teacher.examine(model, manifest.revision);
      }
    }
    checkpoints.close();
    return manifest.revision;
  }

  /** Everything up to `revision` is learned: models whose version begins, or serves, from there on do so. */
  reach(revision: number, teacher: Teacher): void {
    let isChanged = false;
    this.#teacher = teacher;
    for (const succession of this.#successions) if (succession.reach(revision)) isChanged = true;
    if (isChanged) teacher.models = this.#models;
  }

  get #models(): WritableModel[] {
    return this.#successions.flatMap(({ models }) => models);
  }

  #tenuresOf(resolved: ResolvedModel): Tenure[] {
    const { plan, base, journal, anew } = this.#parts;
    const choice = choiceOf(plan.deployment, resolved);
    const isAnew = anew.has(choice.name);
    const { version, revision: since, ...file } = versionOf(choice);
    const { config, plugin } = choice;
    const from = isAnew ? 0 : file.from;
    const isInput = plan.models.some((other) => inputsOf(other).includes(choice.name)) || this.#copied.has(choice.name);
    const isThere = from === 0 && !(isAnew && isInput);
    if (isThere || (base && has(base.manifest, choice, resolved)))
      return [{ version, from: 0, since: 0, config, plugin }];
    const begun = this.#begunAs(choice);
    const served = isInput
      ? [...this.#firstOf(begun, resolved), ...promotionsAfter(journal, base?.manifest.revision ?? 0)(begun)]
      : [];
    const tenures = isAnew
      ? served.map((tenure) => (tenure.version === '1' ? { ...tenure, from: 0 } : tenure))
      : served;
    return tenures.at(-1)?.since === since ? tenures : [{ version, from, since, config, plugin }];
  }

  /** What was decided of a model when the base was made; without one, as it was loaded. */
  #begunAs(choice: LoadedModel): LoadedModel {
    const { name, loadedMs } = choice;
    const models = this.#parts.base?.manifest.decided.models;
    const before = models?.find((model) => model.name === name && model.loadedMs === loadedMs);
    return before ?? { ...choice, ...begunOf(choice) };
  }

  /** The version that served when the base was made; none where it does not have it as it would be made now. */
  #firstOf(begun: LoadedModel, resolved: ResolvedModel): Tenure[] {
    const { base } = this.#parts;
    const { config, plugin } = begun;
    if (!base) return [{ version: '1', from: 0, since: 0, config, plugin }];
    if (!has(base.manifest, begun, asIn(resolved, begun))) return [];
    return [{ version: versionOf(begun).version, from: 0, since: 0, config, plugin }];
  }

  #pupil({ plugin, descriptor }: WritableModel): Pupil {
    const all = this.#parts.plan.models.map((resolved) => joined(resolved));
    const inputs = modelsBehind([joined({ plugin, spec: descriptor })], all);
    return { plugin, descriptor, inputs: inputs.map(({ resolved }) => resolved) };
  }

  #begin(now: ResolvedModel, tenure: Tenure): WritableModel | undefined {
    const { plan, host } = this.#parts;
    const { version } = tenure;
    const resolved = asIn(now, tenure);
    const { plugin, spec } = resolved;
    const { window } = plan.deployment.evaluation;
    const make = () => WritableModel.create(host, plugin, spec, window, undefined, version);
    return makeModels({ ...plan, models: [resolved] }, make)[0];
  }

  /** Where the file of the version that serves is gone, the model joins those that failed. */
  #return(resolved: ResolvedModel, tenure: Tenure, isLast: boolean): WritableModel | undefined {
    const { state, plan, onGone } = this.#parts;
    const { version, from } = tenure;
    const choice = choiceOf(plan.deployment, resolved);
    const folder = versionFolder(state, choice.name, version);
    try {
      const manifest = readVersion(folder, from, tenure, asIn(resolved, tenure));
      const model = this.#begin(resolved, tenure);
      if (!model) return undefined;
      restoreModel(folder, manifest, model);
      const broken = model.findNotFinite();
      if (broken !== undefined)
        throw new AccreteError('STORE_DAMAGED', `in its file ${broken} has numbers that are not finite`);
      // The checkpoint that this start began from has none of it: under its name is what served before.
      for (const table of Object.values(model.stateTables())) table.abandonSaving();
      this.#forgetAsIn(manifest);
      return model;
    } catch (error) {
      const { reason, message } = AccreteError.wrap(error);
      if (reason !== 'STORE_DAMAGED') throw error;
      if (isLast) {
        const remedy =
          'restore its file from a backup and start again, or unload the model and load it again, and train it anew with Fuse';
        const why = `Version ${version} cannot be brought back: ${message}; ${remedy}`;
        plan.failed.push({ ...choice, why });
      } else
        onGone(
          `version ${version} of model ${choice.name}, which served after record ${tenure.since}, cannot be brought back: ${message}. Models that have it as an input learn what came then without it`,
        );
      return undefined;
    } finally {
      folder.close();
    }
  }

  /** What a version has taken back already is nothing that the others learn on with: the journal may still have it. */
  #forgetAsIn({ revision, forgettings = [] }: Manifest): void {
    const { journal, host } = this.#parts;
    for (const user of findForgotten(forgettings, () => journal.read(revision + 1)))
      if (host.world.users.isSomebody(user)) this.#teacher?.forget(user, revision);
  }
}
