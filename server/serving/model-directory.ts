import { AccreteError } from '../errors.ts';
import type { Model } from '../models/model.ts';
import type { ModelChoice } from '../store/control.ts';

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
  /** When it was loaded, in milliseconds since 1970. */
  readonly loadedMs?: number;
  /** The first record that it learned as it came; absent: it learned all. */
  readonly exactFrom?: number;
}

const ENDED_MAX = 16;

export class ModelDirectory {
  readonly #entries = new Map<string, ModelEntry>();
  #models: readonly Model[] = [];
  /** Of the model of requests that name none. */
  defaultName = '';

  /** In the order in which they were asked for. */
  get entries(): Iterable<ModelEntry> {
    return this.#entries.values();
  }

  /** Those that answer. */
  get models(): readonly Model[] {
    return this.#models;
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  find(name: string): ModelEntry | undefined {
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
  }

  /** Throws MODEL_NOT_FOUND. */
  requireEntry(name: string): ModelEntry {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    const message = `There is no model ${JSON.stringify(name)}; loaded are ${this.names.join(', ')}`;
    throw new AccreteError('MODEL_NOT_FOUND', message, { metadata: { model: name } });
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
    return this.#models.find(({ name }) => name === this.defaultName);
  }

  /** Of models that could not be loaded, only the last ones are remembered. */
  #forget(): void {
    const ended = [...this.#entries.values()].filter(
      ({ state, loadedMs }) => state === 'END' && loadedMs === undefined,
    );
    for (const { choice } of ended.slice(0, -ENDED_MAX)) this.#entries.delete(choice.name);
  }

  #settle(): void {
    this.#models = [...this.#entries.values()].flatMap(({ model, state }) =>
      model && state === 'AVAILABLE' ? [model] : [],
    );
  }
}
