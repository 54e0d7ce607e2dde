import { AccreteError } from '../errors.ts';
import type { Decision, LoadChange } from '../exchange/messages.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { WritableWorld } from '../memory/world.ts';
import { dropTables, type ModelHost, WritableModel } from '../models/model.ts';
import { loadPlugin } from '../models/plugins.ts';
import type { Control, LoadedModel } from '../store/control.ts';
import { type Deployment, decide, requireUnused } from '../store/deployment.ts';
import type { Teacher } from '../teaching/teacher.ts';

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
}

export class Decisions {
  readonly #parts: DecisionsParts;
  #deployment: Deployment;
  /** A model that stands ready to join. */
  #joining: WritableModel | undefined;

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
    this.#deployment = parts.deployment;
  }

  get deployment(): Deployment {
    return this.#deployment;
  }

  /**
   * The record that makes a change, once everything before it is learned; undefined: it needs none. Throws why it cannot be
   * made.
   */
  examine(change: Decision): Control | Promise<Control> | undefined {
    switch (change.type) {
      case 'default':
        requireNamed(change.name, this.#parts.teacher.models);
        return { type: 'settings', defaultModel: change.name };
      case 'unload':
        requireUnused(change.name, this.#deployment);
        return { type: 'settings', models: this.#models.filter(({ name }) => name !== change.name) };
      case 'load':
        return this.#load(change);
      case 'discard':
        dropTables(this.#parts.host.arena, change.descriptor, this.#parts.host.world.reclaimer);
        return undefined;
      case 'scenario':
        if (change.scenario?.model) requireNamed(change.scenario.model, this.#models);
        return change;
    }
  }

  /** Takes a control record into effect. */
  follow(control: Control): void {
    this.#deployment = decide(this.#deployment, control);
    if (control.type === 'settings' && control.models) this.#settle(control.models);
  }

  /** The record of what was examined last could not be written. */
  abandon(): void {
    this.#joining?.release();
    this.#joining = undefined;
  }

  get #models(): readonly LoadedModel[] {
    return this.#deployment.models;
  }

  /** The loader has made the model's tables in the shared memory; when it has learned all that we have, it joins. */
  async #load({ descriptor, rendezvous }: LoadChange): Promise<Control> {
    const { host, teacher, revisions } = this.#parts;
    const { name, plugin: specifier, config } = descriptor;
    const choice = { name, plugin: specifier, config: { ...config }, loadedMs: Date.now() };
    if (teacher.models.some((model) => model.name === name)) {
      throw new AccreteError('MODEL_EXISTS', `There is a model ${name} by now: unload it first`);
    }
    const plugin = await loadPlugin(specifier);
    const { learned } = revisions;
    if (!(await new Rendezvous(host.arena, rendezvous).meet(learned, JOIN_MS))) {
      throw new AccreteError('MODEL_FAILED', `Model ${name} did not catch up with the stream: load it again`);
    }
    this.#joining = WritableModel.attach(host, plugin, descriptor);
    return { type: 'settings', models: [...this.#models.filter((model) => model.name !== name), choice] };
  }

  /** Teaches the models of a list from here on, and no others. */
  #settle(choices: readonly LoadedModel[]): void {
    const { teacher, host } = this.#parts;
    const named = new Set(choices.map(({ name }) => name));
    const present = this.#joining ? [...teacher.models, this.#joining] : teacher.models;
    this.#joining = undefined;
    teacher.models = present.filter(({ name }) => named.has(name));
    for (const model of present) if (!named.has(model.name)) model.drop(host.world.reclaimer);
  }
}

function requireNamed(name: string, models: readonly { readonly name: string }[]): void {
  if (models.some((model) => model.name === name)) return;
  const names = models.map((model) => model.name).join(', ');
  const message = `There is no model ${JSON.stringify(name)}; loaded are ${names}`;
  throw new AccreteError('MODEL_NOT_FOUND', message, { metadata: { model: name } });
}
