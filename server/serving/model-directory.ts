import { AccreteError } from '../errors.ts';
import type { Model } from '../models/model.ts';
import { Peers } from '../models/peers.ts';
import { type LoadedModel, type ModelChoice, type ModelVersion, type Promotion, versionOf } from '../store/control.ts';
import { modelChanging, modelNotFound, promote, remember } from '../store/deployment.ts';
import type { Change } from '../store/history.ts';

/** The models of a server by name, as the serving thread knows them: those that answer, and those that do not yet, or no more. */

/** As on the wire. */
export type ModelState = 'START' | 'LOADING' | 'AVAILABLE' | 'UNLOADING' | 'END';

/** How far loading has come, in records of the journal. */
export interface LoadProgress {
  readonly completed: number;
  readonly total: number;
  readonly remainingMs: number | undefined;
}

export interface ModelEntry {
  readonly choice: ModelChoice;
  readonly state: ModelState;
  /** Why it is in this state, in words; "": nothing to say. */
  readonly reason: string;
  /** What answers; there is none before AVAILABLE. */
  readonly model?: Model;
  readonly progress?: LoadProgress;
  /** What is decided of it; there is none before it was loaded. */
  readonly decided?: LoadedModel;
}

/** A version that is about to take a place. */
interface Expected {
  readonly name: string;
  readonly model: Model;
  readonly hasJoined: () => boolean;
}

const ENDED_MAX = 16;

export class ModelDirectory {
  readonly #entries = new Map<string, ModelEntry>();
  #models: readonly Model[] = [];
  /** Those that answer, as they see each other. */
  readonly peers = new Peers();
  #expected: readonly Expected[] = [];
  readonly #changing = new Set<string>();
  readonly #searched = new Map<string, AbortController>();
  /** Of the model of requests that name none. */
  defaultName = '';

  /** In the order in which they were asked for. */
  get entries(): Iterable<ModelEntry> {
    this.#welcome();
    return this.#entries.values();
  }

  /** Those that answer. */
  get models(): readonly Model[] {
    this.#welcome();
    return this.#models;
  }

  /** What is decided of all of them. */
  get decided(): LoadedModel[] {
    return [...this.#entries.values()].flatMap(({ decided }) => decided ?? []);
  }

  /** From the moment on when it has joined, this model answers in the place of the one that serves; undefined: it will not. */
  expect(name: string, model: Model | undefined, hasJoined = () => false): void {
    const others = this.#expected.filter((each) => each.name !== name);
    this.#expected = model ? [...others, { name, model, hasJoined }] : others;
  }

  /** One who changes a model, or its versions, at a time. Throws MODEL_CHANGING. */
  async change<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    this.requireUnchanging(name);
    this.#changing.add(name);
    try {
      return await work();
    } finally {
      this.#changing.delete(name);
    }
  }

  /** One search for settings of a model at a time, until its `end`; `gone`: the model is. Throws MODEL_CHANGING. */
  beginSearch(name: string): { readonly gone: AbortSignal; readonly end: () => void } {
    this.requireUnchanging(name);
    if (this.#searched.has(name)) throw modelChanging(name, 'Settings are being searched for it already');
    const search = new AbortController();
    this.#searched.set(name, search);
    return { gone: search.signal, end: () => this.#searched.delete(name) };
  }

  /** Throws MODEL_CHANGING while another version of the model is being made. */
  requireUnchanging(name: string): void {
    if (this.#changing.has(name)) throw modelChanging(name);
  }

  /** A promotion is decided by record `revision`. */
  promote(promotion: Promotion, revision: number): ModelVersion {
    this.#welcome();
    const entry = this.requireEntry(promotion.model);
    const decided = promote(entry.decided as LoadedModel, promotion, revision);
    this.#entries.set(promotion.model, {
      ...entry,
      choice: { ...entry.choice, plugin: decided.plugin, config: decided.config },
      decided,
    });
    return versionOf(decided);
  }

  /** The history of a model has one more entry, by record `revision`. */
  remember(name: string, change: Change, revision: number): void {
    const entry = this.#entries.get(name);
    if (!entry?.decided) return;
    this.#entries.set(name, { ...entry, decided: remember(entry.decided, change, revision) });
  }

  /** When a model is fused by itself, or whether it answers only who names it, is decided. */
  amend(name: string, more: Pick<LoadedModel, 'fuse'> | Pick<LoadedModel, 'shadow'>): void {
    const entry = this.#entries.get(name);
    if (entry?.decided) this.#entries.set(name, { ...entry, decided: { ...entry.decided, ...more } });
  }

  /** Those that may answer in the place of another one. */
  get substitutes(): Model[] {
    return this.models.filter(({ name }) => !this.#entries.get(name)?.decided?.shadow);
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  find(name: string): ModelEntry | undefined {
    this.#welcome();
    return this.#entries.get(name);
  }

  /** What is known of a model from now on. */
  set(entry: ModelEntry): void {
    // The one that ended last is remembered longest, wherever it stood before.
    if (entry.state === 'END') this.#entries.delete(entry.choice.name);
    this.#entries.set(entry.choice.name, entry);
    if (entry.state === 'END') this.#forget();
    this.#settle();
  }

  delete(name: string): void {
    this.#entries.delete(name);
    this.#settle();
    this.#searched.get(name)?.abort(modelNotFound(name, this.names));
  }

  /** Throws MODEL_NOT_FOUND. */
  requireEntry(name: string): ModelEntry {
    this.#welcome();
    const entry = this.#entries.get(name);
    if (entry) return entry;
    throw modelNotFound(name, this.names);
  }

  /** The model of that name, when it answers. Throws MODEL_NOT_FOUND, MODEL_FAILED. */
  require(name: string): Model {
    const { state, reason, model } = this.requireEntry(name);
    if (model && state === 'AVAILABLE') return model;
    const why = reason === '' ? state : `${state}: ${reason}`;
    throw new AccreteError('MODEL_FAILED', `Model ${name} does not answer now (${why})`, { metadata: { model: name } });
  }

  /** The model of requests that name none, when it answers. */
  findDefault(): Model | undefined {
    return this.models.find(({ name }) => name === this.defaultName);
  }

  /** Of models that could not be loaded, only the last ones are remembered. */
  #forget(): void {
    const ended = [...this.#entries.values()].filter(({ state, decided }) => state === 'END' && decided === undefined);
    for (const { choice } of ended.slice(0, -ENDED_MAX)) this.#entries.delete(choice.name);
  }

  /** Versions that have joined since take their places. */
  #welcome(): void {
    if (this.#expected.length === 0) return;
    for (const { name, model, hasJoined } of this.#expected) {
      if (!hasJoined()) continue;
      this.expect(name, undefined);
      const entry = this.#entries.get(name);
      if (entry) this.#entries.set(name, { ...entry, model });
      this.#settle();
    }
  }

  #settle(): void {
    this.#models = [...this.#entries.values()].flatMap(({ model, state }) =>
      model && state === 'AVAILABLE' ? [model] : [],
    );
    this.peers.settle(this.#models);
  }
}
