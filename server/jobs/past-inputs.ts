import { AccreteError } from '../errors.ts';
import type { Arena } from '../memory/arena.ts';
import type { ModelSpec } from '../models/model-spec.ts';
import { loadPlugin, type ResolvedModel } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest, SavedModel } from '../store/checkpoints/manifest.ts';
import type { LoadedModel } from '../store/control.ts';
import { hasModelTables, restoreModel } from '../teaching/state.ts';
import { promotionsAfter, Succession, type Tenure } from '../teaching/succession.ts';
import { asIn, readVersion } from '../teaching/version-file.ts';
import { versionFolder } from '../teaching/version-folders.ts';
import type { JobContext } from './job-context.ts';
import type { Past } from './past.ts';

/** A model that another one has as an input, as it serves now. */
export interface InputTask {
  readonly spec: ModelSpec;
  /** When it was loaded, which tells it from others of the same name. */
  readonly loadedMs: number;
  /** The settings of its first version. */
  readonly begunAs: LoadedModel['config'];
  /** Its plugin. */
  readonly begunBy: string;
}

interface Known {
  readonly task: InputTask;
  readonly resolved: ResolvedModel;
}

/**
 * The inputs of a model that learns the past: models of the same configurations in the memory of that past, which go
 * through all the versions that served, as they do in a start.
 */
export class PastInputs {
  readonly #known: readonly Known[];
  readonly #past: Past;
  readonly #context: JobContext;
  /** Filled from a checkpoint. */
  readonly #restored = new Map<Known, WritableModel>();
  /** Undefined until they begin to learn. */
  #successions: readonly Succession[] | undefined;
  /** Who learns beside them. */
  #beside: { readonly models: readonly WritableModel[]; readonly arena: Arena } | undefined;

  private constructor(known: readonly Known[], past: Past, context: JobContext) {
    this.#known = known;
    this.#past = past;
    this.#context = context;
  }

  static async prepare(tasks: readonly InputTask[], past: Past, context: JobContext): Promise<PastInputs> {
    const known = await Promise.all(
      tasks.map(async (task) => ({ task, resolved: { spec: task.spec, plugin: await loadPlugin(task.spec.plugin) } })),
    );
    // The journal is read for them alone.
    if (tasks.length === 0) return new PastInputs(known, past, context);
    const tenures = promotionsAfter(context.journal, 0);
    for (const { spec, loadedMs, begunAs, begunBy } of tasks)
      for (const { plugin } of tenures({ name: spec.name, loadedMs, config: begunAs, plugin: begunBy }))
        await loadPlugin(plugin);
    for (const { begunBy } of tasks) await loadPlugin(begunBy);
    return new PastInputs(known, past, context);
  }

  get resolved(): ResolvedModel[] {
    return this.#known.map(({ resolved }) => resolved);
  }

  /** Whether a checkpoint has all of them. */
  areIn(manifest: Manifest): boolean {
    return this.#known.every((known) => savedIn(manifest, known) !== undefined);
  }

  /** The past goes on from this checkpoint: so do those that are in it. */
  restore(folder: CheckpointFolder, manifest: Manifest): void {
    for (const known of this.#known) {
      const saved = savedIn(manifest, known);
      if (!saved) continue;
      const model = this.#make(known, saved.version, saved);
      restoreModel(folder, manifest, model);
      this.#restored.set(known, model);
    }
  }

  /** Those that learn now. */
  get present(): WritableModel[] {
    return (this.#successions ?? []).flatMap(({ models }) => models);
  }

  /**
   * From here on these models learn, whose tables are all in `arena`, and beside them the inputs. One that is of the same name as
   * an input is another one: who has that as an input sees what served.
   */
  teach(models: readonly WritableModel[], arena: Arena): void {
    this.#beside = { models, arena };
    if (!this.#successions) this.#begin();
    this.#past.teach([...this.present, ...models], arena);
  }

  /** Everything up to `revision` is learned. True when others are present from here on. */
  reach(revision: number): boolean {
    return (this.#successions ?? []).map((each) => each.reach(revision)).includes(true);
  }

  #begin(): void {
    const past = this.#past;
    this.#successions = [];
    if (this.#known.length === 0) return;
    const promotionsOf = promotionsAfter(this.#context.journal, past.reached);
    this.#successions = this.#known.map((known) => {
      const { spec, loadedMs, begunAs, begunBy } = known.task;
      const restored = this.#restored.get(known);
      const { config, plugin } = restored?.descriptor ?? { config: begunAs, plugin: begunBy };
      const first = { version: '1', from: 0, since: 0, config, plugin };
      const tenures = [first, ...promotionsOf({ name: spec.name, loadedMs, config, plugin })];
      const last = tenures.at(-1);
      return new Succession(
        tenures,
        (tenure) =>
          tenure === first
            ? (restored ?? this.#make(known, '1', first))
            : this.#fromFile(known, tenure, tenure === last),
        (model) => model.drop(past.world.reclaimer),
      );
    });
    this.reach(past.reached);
    past.onReached = (revision) => {
      if (this.reach(revision) && this.#beside) this.teach(this.#beside.models, this.#beside.arena);
    };
  }

  /**
   * What its file has taken back already is nothing that the others learn on with. One that served meanwhile and whose file is
   * gone, since it was kept anew later or is kept no more, is left out as a start leaves it out.
   */
  #fromFile(known: Known, tenure: Tenure, isLast: boolean): WritableModel | undefined {
    const { version, from } = tenure;
    const { name } = known.task.spec;
    const folder = versionFolder(this.#context.stateFolder, name, version);
    try {
      const manifest = readVersion(folder, from, tenure, asIn(known.resolved, tenure));
      const model = this.#make(known, version, tenure);
      restoreModel(folder, manifest, model);
      this.#past.forgetAsIn(manifest);
      return model;
    } catch (error) {
      const { reason, message } = AccreteError.wrap(error);
      if (isLast || reason !== 'STORE_DAMAGED') throw error;
      this.#context.warn(
        `version ${version} of model ${name}, which served after record ${tenure.since}, cannot be brought back: ${message}. ` +
          'What is learned now, and has it as an input, learns what came then without it',
      );
      return undefined;
    } finally {
      folder.close();
    }
  }

  #make({ resolved }: Known, version: string, form: Pick<Tenure, 'plugin' | 'config'>): WritableModel {
    const { arena } = this.#past.world;
    const { plugin, spec } = asIn(resolved, form);
    return WritableModel.create(this.#past.hostIn(arena), plugin, spec, 1, undefined, version);
  }
}

/** What a checkpoint has of a model, if its plugin can go on with that. */
function savedIn(manifest: Manifest, { task, resolved }: Known): SavedModel | undefined {
  const { name } = task.spec;
  const saved = manifest.models.find((model) => model.name === name && model.loadedMs === task.loadedMs);
  if (!saved) return undefined;
  const { plugin, spec } = asIn(resolved, saved);
  return saved.stateVersion === plugin.stateVersion && hasModelTables(manifest, spec, plugin) ? saved : undefined;
}
