import { isDeepStrictEqual } from 'node:util';
import type { FusionPeriod } from '../config/fusion-period.ts';
import { AccreteError } from '../errors.ts';
import type { FailedModel } from '../exchange/messages.ts';
import { joined, requireNoInput } from '../models/inputs.ts';
import type { Model, ModelDescriptor } from '../models/model.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import { begunOf, type LoadedModel, type ModelChoice } from '../store/control.ts';
import { type Deployment, requireUnused, versionNotFound, withoutVersion } from '../store/deployment.ts';
import type { LearnerQueue } from './learner-queue.ts';
import type { LoadProgress, ModelDirectory, ModelEntry } from './model-directory.ts';
import type { Scenarios } from './scenarios.ts';
import { type ServingInput, servingInputs } from './serving-inputs.ts';

/** Models that come and go while the server serves. The learner decides, in its place among the ratings; then we follow. */

/** A model that learns the journal in a thread of its own. */
export interface Loading {
  /**
   * Resolves when it has nearly caught up with the stream, with the first record that it learned as it came; rejects when
   * it will not.
   */
  readonly caughtUp: Promise<number>;
  /** The address of the rendezvous with that thread. */
  readonly rendezvous: number;
  /** Ends the thread, whatever it does; to be called once. Says what it had failed with by itself. */
  end(): Promise<unknown>;
}

/** `cancelled` stops it, whatever it waits for. */
export type StartLoading = (
  descriptor: ModelDescriptor,
  /** The models that it has as inputs, and theirs. */
  inputs: readonly ServingInput[],
  onProgress: (progress: LoadProgress) => void,
  cancelled: AbortSignal,
) => Loading;

interface Running {
  readonly loaded: Promise<Model>;
  readonly cancelling: AbortController;
}

export interface ModelChangesParts {
  readonly directory: ModelDirectory;
  readonly queue: LearnerQueue;
  readonly startLoading: StartLoading;
  /** Attaches to a model in the shared memory. */
  readonly attach: (resolved: ResolvedModel, descriptor: ModelDescriptor) => Model;
  readonly scenarios: Pick<Scenarios, 'byName'>;
  /** Has a checkpoint made that has all that is learned now. */
  readonly saveSoon: () => void;
  /** Removes the files of versions, all but those that are kept of these models; with `only`, of that model alone. */
  readonly tidy: (models: readonly LoadedModel[], only?: string) => void;
}

/** What a start came to. */
export interface Begun {
  readonly deployment: Deployment;
  readonly failed: readonly FailedModel[];
}

export class ModelChanges {
  readonly #parts: ModelChangesParts;
  readonly #loading = new Map<string, Running>();
  readonly #unloading = new Map<string, Promise<ModelEntry>>();

  constructor(parts: ModelChangesParts) {
    this.#parts = parts;
  }

  /** The models of the start: those that the learner has made, and those that it could not make. */
  begin(made: readonly (readonly [ResolvedModel, ModelDescriptor])[], news: Begun): void {
    const { directory, attach } = this.#parts;
    const decided = new Map(news.deployment.models.map((model) => [model.name, model]));
    for (const [resolved, descriptor] of made) {
      const choice = choiceOf(resolved);
      try {
        this.#answer(choice, attach(resolved, descriptor), decided.get(choice.name));
      } catch (error) {
        const reason = `Plugin ${choice.plugin} failed: ${error}`;
        directory.set({ choice, state: 'END', reason, decided: decided.get(choice.name) });
      }
    }
    for (const { why: reason, ...failed } of news.failed) {
      const { name, plugin, config } = failed;
      directory.set({ choice: { name, plugin, config }, state: 'END', reason, decided: failed });
    }
    this.settle(news.deployment);
    // A candidate may have been saved that was never promoted.
    this.#parts.tidy(news.deployment.models);
  }

  /**
   * Loads a model; one that is there already with the same plugin and configuration is fine. Resolves once it answers.
   * Throws MODEL_EXISTS, MODEL_FAILED, MEMORY_FULL, and what a failed append throws.
   */
  load(resolved: ResolvedModel, shadow = false): Promise<Model> {
    const { name } = resolved.spec;
    const unloading = this.#unloading.get(name);
    if (unloading) return unloading.catch(() => {}).then(() => this.load(resolved, shadow));
    this.#requireFree(resolved);
    const model = this.#parts.directory.find(name)?.model;
    return this.#loading.get(name)?.loaded ?? (model ? Promise.resolve(model) : this.#start(resolved, shadow));
  }

  /** Throws what `load` would throw at once. */
  async examine(resolved: ResolvedModel): Promise<void> {
    const { directory, queue } = this.#parts;
    const { spec } = resolved;
    this.#requireFree(resolved);
    if (directory.find(spec.name)?.model || this.#loading.has(spec.name)) return;
    await queue.change({ type: 'admit', spec, validateOnly: true });
  }

  /** Throws MODEL_EXISTS when the name is taken by another plugin or configuration, or by a model that failed. */
  #requireFree({ spec: { name, plugin, config } }: ResolvedModel): void {
    const entry = this.#parts.directory.find(name);
    if (!entry || entry.state === 'END') return;
    const { model, decided } = entry;
    // What serves by now may be of other settings, or of a blend.
    const choice = decided ? begunOf(decided) : entry.choice;
    const failed = model && model.prequential.quarantinedAt > 0;
    if (!failed && choice.plugin === plugin && isDeepStrictEqual({ ...choice.config }, { ...config })) return;
    const how = failed ? 'that failed' : 'with another plugin or configuration';
    const message = `There is a model ${name} ${how}: unload it first, or choose another name`;
    throw new AccreteError('MODEL_EXISTS', message, { metadata: { model: name } });
  }

  /** Takes a model out. Throws MODEL_NOT_FOUND, MODEL_IN_USE. */
  unload(name: string): Promise<ModelEntry> {
    const running = this.#unloading.get(name);
    if (running) return running;
    const unloaded = this.#unload(name).finally(() => this.#unloading.delete(name));
    this.#unloading.set(name, unloaded);
    return unloaded;
  }

  async #unload(name: string): Promise<ModelEntry> {
    const { directory, queue, scenarios, tidy } = this.#parts;
    directory.requireEntry(name);
    // The learner says so too, which knows best; here it costs nobody the model for a moment.
    requireUnused(name, { defaultModel: directory.defaultName, scenarios: scenarios.byName });
    requireNoInput(name, directory.models);
    directory.requireUnchanging(name);
    await this.#cancel(name);
    const entry = directory.requireEntry(name);
    // Nobody reads it from here on; only then may its memory go.
    directory.set({ ...entry, state: 'UNLOADING', reason: '' });
    try {
      await queue.change({ type: 'unload', name });
    } catch (error) {
      directory.set({ ...directory.requireEntry(name), state: entry.state, reason: entry.reason });
      throw error;
    }
    directory.delete(name);
    entry.model?.release();
    tidy([], name);
    return { choice: entry.choice, state: 'END', reason: 'it was unloaded' };
  }

  /** Lets go of a kept version. Throws MODEL_NOT_FOUND, VERSION_NOT_FOUND, MODEL_IN_USE, MODEL_CHANGING. */
  async dropVersion(name: string, version: string): Promise<ModelEntry> {
    const { directory, queue, tidy } = this.#parts;
    const { decided } = directory.requireEntry(name);
    if (!decided) throw versionNotFound(name, version, []);
    withoutVersion(decided, version);
    return directory.change(name, async () => {
      await queue.change({ type: 'dropVersion', name, version });
      const entry = directory.requireEntry(name);
      const left = { ...entry, decided: withoutVersion(entry.decided as LoadedModel, version) };
      directory.set(left);
      tidy([left.decided], name);
      return left;
    });
  }

  /** Throws MODEL_NOT_FOUND, MODEL_FAILED. Returns the name of the default until now. */
  async setDefault(name: string): Promise<string> {
    const { directory, queue } = this.#parts;
    const { prequential } = directory.require(name);
    if (prequential.quarantinedAt > 0) {
      const message = `Model ${name} failed and answers no more: choose another one`;
      throw new AccreteError('MODEL_FAILED', message, { metadata: { model: name } });
    }
    await queue.change({ type: 'default', name });
    const before = directory.defaultName;
    directory.defaultName = name;
    directory.amend(name, { shadow: false });
    return before;
  }

  /** Says when the server fuses a model by itself. Throws MODEL_NOT_FOUND. */
  async schedule(name: string, fuse: FusionPeriod | undefined): Promise<void> {
    const { directory, queue } = this.#parts;
    directory.requireEntry(name);
    await queue.change({ type: 'period', name, fuse: fuse ?? null });
    directory.amend(name, { fuse });
  }

  /** Says whether a model answers only who names it. Throws MODEL_NOT_FOUND, MODEL_IN_USE. */
  async setShadow(name: string, shadow: boolean): Promise<void> {
    const { directory, queue } = this.#parts;
    if ((directory.requireEntry(name).decided?.shadow ?? false) === shadow) return;
    await queue.change({ type: 'shadow', name, shadow });
    directory.amend(name, { shadow });
  }

  /** Follows what was decided without us. */
  settle({ models, defaultModel }: Deployment): void {
    const { directory } = this.#parts;
    directory.defaultName = defaultModel;
    const named = new Map(models.map((model) => [model.name, model]));
    for (const entry of [...directory.entries]) {
      const decided = named.get(entry.choice.name);
      if (!decided && entry.state === 'AVAILABLE') directory.delete(entry.choice.name);
      else if (decided && entry.decided?.loadedMs === decided.loadedMs) directory.set({ ...entry, decided });
    }
  }

  /** Ends the loading of a model, if it is being loaded. */
  async #cancel(name: string): Promise<void> {
    const running = this.#loading.get(name);
    running?.cancelling.abort();
    await running?.loaded.catch(() => {});
  }

  #start(resolved: ResolvedModel, shadow: boolean): Promise<Model> {
    const { directory } = this.#parts;
    const choice = choiceOf(resolved);
    directory.set({ choice, state: 'START', reason: '' });
    const cancelling = new AbortController();
    const load = async () => {
      try {
        const { model, decided } = await this.#join(resolved, shadow, cancelling.signal);
        this.#answer(choice, model, decided);
        return model;
      } catch (error) {
        directory.set({ choice, state: 'END', reason: AccreteError.wrap(error).message });
        throw error;
      } finally {
        this.#loading.delete(choice.name);
      }
    };
    const loaded = load();
    this.#loading.set(choice.name, { loaded, cancelling });
    return loaded;
  }

  #answer(choice: ModelChoice, model: Model, decided: LoadedModel | undefined): void {
    this.#parts.directory.set({ choice, state: 'AVAILABLE', reason: '', model, decided });
  }

  /** Whatever fails, the model is gone afterwards as if it had never been: nothing may fail once the learner has it. */
  async #join(resolved: ResolvedModel, shadow: boolean, cancelled: AbortSignal): Promise<Joined> {
    const { queue, attach, directory, startLoading } = this.#parts;
    const { spec } = resolved;
    const choice = choiceOf(resolved);
    const { descriptor } = await queue.change({ type: 'admit', spec, validateOnly: false });
    const onProgress = (progress: LoadProgress) => directory.set({ choice, state: 'LOADING', reason: '', progress });
    const loading = startLoading(
      descriptor as ModelDescriptor,
      servingInputs([joined(resolved)], directory),
      onProgress,
      cancelled,
    );
    let model: Model | undefined;
    try {
      const exactFrom = await loading.caughtUp;
      model = attach(resolved, descriptor as ModelDescriptor);
      const { rendezvous } = loading;
      const { loadedMs } = await queue.change({ type: 'load', name: spec.name, rendezvous, exactFrom, shadow });
      // What it began with is in no journal: as soon as it is in a checkpoint, the one in which it began may go.
      if (exactFrom > 1) this.#parts.saveSoon();
      await loading.end();
      const own = { ...choice, loadedMs: loadedMs ?? Date.now(), ...(shadow && { shadow }) };
      const decided = exactFrom > 1 ? { ...own, exactFrom } : own;
      return { model, decided };
    } catch (error) {
      model?.release();
      const failure = await loading.end();
      await queue.insist({ type: 'discard', name: spec.name });
      throw cancelled.aborted ? unloaded(spec.name) : (failure ?? error);
    }
  }
}

interface Joined {
  readonly model: Model;
  readonly decided: LoadedModel;
}

function choiceOf({ spec: { name, plugin, config } }: ResolvedModel): ModelChoice {
  return { name, plugin, config };
}

function unloaded(model: string): AccreteError {
  const message = `Model ${model} was unloaded while it was being loaded`;
  return new AccreteError('MODEL_FAILED', message, { metadata: { model } });
}
