import assert from 'node:assert/strict';
import { MODELS_MAX } from '../config/keys.ts';
import { AccreteError } from '../errors.ts';
import type { Decision, LoadChange } from '../exchange/messages.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { WritableWorld } from '../memory/world.ts';
import { Model, type ModelDescriptor, type ModelHost, type ModelSpec } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import { dropTables, makeTables, WritableModel } from '../models/writable-model.ts';
import { type Control, encodeControl, type LoadedModel } from '../store/control.ts';
import { type Deployment, decide, requireUnused } from '../store/deployment.ts';
import type { Teacher } from '../teaching/teacher.ts';
import type { Examined } from './examined.ts';

/**
 * What was decided so far, and what calls decide while the server serves: models, the default model, scenarios. A
 * decision is examined, written as a control record in its place among the ratings, and then followed.
 */

/** How long the learner waits for a model that joins: it has a few records left to learn. */
const JOIN_MS = 10_000;

export interface DecisionsParts {
  readonly host: ModelHost & { readonly world: WritableWorld };
  readonly teacher: Teacher;
  readonly revisions: Revisions;
  /** What the journal comes to, and what this start changes in it. */
  readonly deployment: Deployment;
  /** Ratings of the largest batch. */
  readonly ratingsMax: number;
}

export class Decisions {
  readonly #parts: DecisionsParts;
  #deployment: Deployment;
  /** Models that were admitted, by name: another thread teaches them until they join or are discarded. */
  readonly #guests = new Map<string, Model>();
  /** A model that stands ready to join. */
  #joining: WritableModel | undefined;

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
    this.#deployment = parts.deployment;
  }

  get deployment(): Deployment {
    return this.#deployment;
  }

  /** Examines a decision, once everything before it is learned. Throws why it cannot be made. */
  async examine(change: Decision): Promise<Examined> {
    switch (change.type) {
      case 'default':
        requireNamed(change.name, this.#parts.teacher.models);
        return toWrite({ type: 'settings', defaultModel: change.name });
      case 'admit':
        return { record: undefined, descriptor: await this.#admit(change.spec, change.validateOnly) };
      case 'load':
        return this.#load(change);
      case 'discard':
        this.#discard(this.#guests.get(change.name)?.descriptor);
        return NOTHING;
      case 'unload':
        requireUnused(change.name, this.#deployment);
        if (!this.#models.some(({ name }) => name === change.name)) return NOTHING;
        return toWrite({ type: 'settings', models: this.#models.filter(({ name }) => name !== change.name) });
      case 'scenario':
        if (change.scenario?.model) requireNamed(change.scenario.model, this.#models);
        return toWrite(change);
    }
  }

  /** Takes a control record into effect; `isLate`: whoever asked for it was told that it had failed. */
  follow(control: Control, isLate: boolean): void {
    this.#deployment = decide(this.#deployment, control);
    if (control.type === 'settings' && control.models) this.#settle(control.models, isLate);
  }

  /** The record of what was examined last could not be written. */
  abandon(): void {
    this.#joining?.release();
    this.#joining = undefined;
  }

  get #models(): readonly LoadedModel[] {
    return this.#deployment.models;
  }

  /**
   * Makes the tables of a model that is to be loaded, if it fits beside what one more batch of ratings may ask for: so
   * whoever fills them never takes what the stream was promised. Throws MODEL_EXISTS, MODELS_FULL, PLUGIN_INVALID,
   * MEMORY_FULL.
   */
  async #admit(spec: ModelSpec, validateOnly: boolean): Promise<ModelDescriptor> {
    const { host, teacher, ratingsMax } = this.#parts;
    this.#requireFree(spec.name);
    if (this.#models.length + this.#guests.size >= MODELS_MAX) throw tooMany();
    const plugin = await loadPlugin(spec.plugin);
    const descriptor = makeTables(host.arena, plugin, spec, this.#deployment.evaluation.window);
    try {
      const guest = new Model(host, plugin, descriptor);
      this.#guests.set(spec.name, guest);
      teacher.guests.add(guest);
      const needed = host.world.growthBytes(ratingsMax, ratingsMax) + teacher.growthBytes(ratingsMax);
      if (needed > host.arena.freeBytes) throw noRoom(spec.name);
    } catch (error) {
      this.#discard(descriptor);
      throw error;
    }
    if (validateOnly) this.#discard(descriptor);
    return descriptor;
  }

  #requireFree(name: string): void {
    if (!this.#guests.has(name) && !this.#parts.teacher.models.some((model) => model.name === name)) return;
    throw new AccreteError('MODEL_EXISTS', `There is a model ${name} by now: unload it first`, {
      metadata: { model: name },
    });
  }

  /** Gives the tables of a model back that will not join. */
  #discard(descriptor: ModelDescriptor | undefined): void {
    const { host } = this.#parts;
    if (!descriptor) return;
    this.#dismiss(descriptor.name);
    dropTables(host.arena, descriptor, host.world.reclaimer);
  }

  /** A guest is one no longer: it has joined, or never will. */
  #dismiss(name: string): void {
    const guest = this.#guests.get(name);
    if (!guest) return;
    this.#guests.delete(name);
    this.#parts.teacher.guests.delete(guest);
    guest.release();
  }

  /** Another thread has taught the model; when it has learned all that we have, it joins. */
  async #load({ name, rendezvous, exactFrom }: LoadChange): Promise<Examined> {
    const { host, revisions } = this.#parts;
    const guest = this.#guests.get(name);
    assert(guest, `model ${name} was not admitted`);
    const { plugin, descriptor } = guest;
    const loadedMs = Date.now();
    const chosen = { name, plugin: descriptor.plugin, config: { ...descriptor.config }, loadedMs };
    const choice: LoadedModel = exactFrom > 1 ? { ...chosen, exactFrom } : chosen;
    if (!(await new Rendezvous(host.arena, rendezvous).meet(revisions.learned, JOIN_MS))) {
      throw new AccreteError('MODEL_FAILED', `Model ${name} did not catch up with the stream: load it again`);
    }
    this.#joining = WritableModel.attach(host, plugin, descriptor);
    const models = [...this.#models.filter((model) => model.name !== name), choice];
    return { ...toWrite({ type: 'settings', models }), loadedMs };
  }

  /** Teaches the models of a list from here on, and no others. */
  #settle(choices: readonly LoadedModel[], isLate: boolean): void {
    const { teacher, host } = this.#parts;
    const named = new Set(choices.map(({ name }) => name));
    const present = this.#joining ? [...teacher.models, this.#joining] : teacher.models;
    if (this.#joining) this.#dismiss(this.#joining.name);
    this.#joining = undefined;
    teacher.models = present.filter(({ name }) => named.has(name));
    // Of a model whose unloading came late others do not know yet: they may read it, so it stays where it is.
    if (isLate) return;
    for (const model of present) if (!named.has(model.name)) model.drop(host.world.reclaimer);
  }
}

const NOTHING: Examined = { record: undefined };

function toWrite(control: Control): Examined {
  return { record: encodeControl(control) };
}

function tooMany(): AccreteError {
  const message = `There are ${MODELS_MAX} models, as many as a server has: unload one first`;
  return new AccreteError('MODELS_FULL', message, { metadata: { max: String(MODELS_MAX) } });
}

function noRoom(name: string): AccreteError {
  const message = `There is no room for model ${name} beside the ratings to come: unload another model, or raise memory.budgetMiB and start again`;
  return new AccreteError('MEMORY_FULL', message, { metadata: { model: name } });
}

function requireNamed(name: string, models: readonly { readonly name: string }[]): void {
  if (models.some((model) => model.name === name)) return;
  const names = models.map((model) => model.name).join(', ');
  const message = `There is no model ${JSON.stringify(name)}; loaded are ${names}`;
  throw new AccreteError('MODEL_NOT_FOUND', message, { metadata: { model: name } });
}
