import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { MODELS_MAX } from '../config/keys.ts';
import { AccreteError } from '../errors.ts';
import type { Decision, ExperimentChange, LoadChange, PromoteChange } from '../exchange/messages.ts';
import { Rendezvous } from '../memory/rendezvous.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { WritableWorld } from '../memory/world.ts';
import { requireInputs } from '../models/input-rules.ts';
import { type Joined, joined, modelsBehind, requireNoInput } from '../models/inputs.ts';
import { requireKinds } from '../models/kinds-asked.ts';
import { Model, type ModelDescriptor, type ModelHost } from '../models/model.ts';
import type { ModelSpec } from '../models/model-spec.ts';
import { loadPlugin } from '../models/plugins.ts';
import { dropTables, makeTables, WritableModel } from '../models/writable-model.ts';
import { type Control, encodeControl, type LoadedModel, type Promotion } from '../store/control.ts';
import {
  type Deployment,
  decide,
  modelChanging,
  modelNotFound,
  requireUnused,
  withoutVersion,
} from '../store/deployment.ts';
import type { Change as ModelChange } from '../store/history.ts';
import type { Classrooms } from '../teaching/classrooms.ts';
import { cohortsOf, experimentsOf } from '../teaching/cohort-choices.ts';
import type { Teacher } from '../teaching/teacher.ts';
import { withCohorts } from './cohort-intake.ts';
import type { Examined } from './examined.ts';
import { examineExperiment } from './experiments.ts';

/**
 * What was decided so far, and what calls decide while the server serves: models, the default model, scenarios. A
 * decision is examined, written as a control record in its place among the ratings, and then followed.
 */

/** How long the learner waits for a model that joins: it has a few records left to learn. */
const JOIN_MS = 10_000;

type AdmitVersion = Extract<Decision, { type: 'admitVersion' }>;

export interface DecisionsParts {
  readonly host: ModelHost & { readonly world: WritableWorld };
  readonly teacher: Teacher;
  readonly classrooms: Classrooms;
  readonly revisions: Revisions;
  /** What the journal comes to, and what this start changes in it. */
  readonly deployment: Deployment;
  /** Ratings of the largest batch. */
  readonly ratingsMax: number;
}

export class Decisions {
  readonly #parts: DecisionsParts;
  #deployment: Deployment;
  /** A model that stands ready to join, and where it met the learner. */
  #joining: { readonly model: WritableModel; readonly meeting: Rendezvous } | undefined;
  /** The models before a promotion of which whoever asked for it was told that it had failed. */
  #unserved: readonly LoadedModel[] | undefined;
  /** Versions whose place was taken, and that others may still read, by the name of their model. */
  readonly #replaced = new Map<string, WritableModel>();

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
        return this.#setDefault(change.name);
      case 'admit':
        this.#requireFree(change.spec.name);
        return { record: undefined, descriptor: await this.#admit(change.spec, '1', change.validateOnly) };
      case 'admitVersion':
        return this.#admitVersion(change);
      case 'load':
        return this.#load(change);
      case 'promote':
        return this.#promote(change);
      case 'declined':
        return this.#decline(change.name, change.change);
      case 'period':
        return this.#amend(change.name, { fuse: change.fuse ?? undefined });
      case 'shadow':
        if (change.shadow) requireNoDefault(change.name, this.#deployment);
        return this.#amend(change.name, change.shadow ? { shadow: true } : ANSWERING);
      case 'retire':
        this.#retire(change.name);
        return NOTHING;
      case 'retireCohorts':
        this.#parts.classrooms.retire(change.keys);
        return NOTHING;
      case 'discard':
        this.#discard(this.#parts.teacher.guests.get(change.name)?.descriptor);
        return NOTHING;
      case 'unload':
        requireUnused(change.name, this.#deployment);
        requireNoInput(change.name, [...this.#parts.teacher.models, ...this.#parts.teacher.guests.values()]);
        if (!this.#models.some(({ name }) => name === change.name)) return NOTHING;
        this.#requireUnchanging(change.name);
        return toWrite({ type: 'settings', models: this.#models.filter(({ name }) => name !== change.name) });
      case 'dropVersion':
        return this.#dropVersion(change.name, change.version);
      case 'scenario':
        if (change.scenario?.model) requireNamed(change.scenario.model, this.#models);
        return toWrite(change);
      case 'experiment':
        return this.#isolate(change, examineExperiment(change, this.#deployment, this.#parts));
      case 'crashed':
        return toWrite(change);
    }
  }

  /** Takes control record `revision` into effect; `isLate`: whoever asked for it was told that it had failed. */
  follow(control: Control, revision: number, isLate: boolean): void {
    const before = this.#deployment;
    this.#deployment = decide(before, control, revision);
    if (control.type === 'promoted' && !this.#joining) this.#unserved ??= before.models;
    if (control.type === 'settings' && control.models) {
      this.#settle(control.models, isLate);
      this.#unserved = undefined;
    }
    if (control.type === 'promoted') this.#replace(control.model);
    if (control.type === 'experiment') this.#parts.classrooms.settle(cohortsOf(experimentsOf(this.#deployment)));
  }

  /** The record of what was examined last could not be written. */
  abandon(): void {
    this.#parts.classrooms.abandon();
    this.#joining?.model.release();
    this.#joining = undefined;
  }

  /**
   * A promotion that came late has no tables any more: the version before it goes on serving, and this record, which makes
   * that so for a restart too, is to be written next. Undefined: there is none.
   */
  amends(): Control | undefined {
    const served = this.#unserved;
    if (!served) return undefined;
    const models = this.#models.map((model): LoadedModel => {
      const before = served.find((each) => isSame(each, model));
      return before ? { ...before, versionsMade: model.versionsMade } : model;
    });
    return { type: 'settings', models };
  }

  get #models(): readonly LoadedModel[] {
    return this.#deployment.models;
  }

  /** All models; of those that could not be made the names alone. */
  #present() {
    const { models } = this.#parts.teacher;
    return this.#models.map(({ name }) => {
      const made = models.find((model) => model.name === name);
      return made ? { plugin: made.plugin, spec: made.descriptor } : name;
    });
  }

  /**
   * Makes the tables of a model that is to be loaded, if it fits beside what one more batch of ratings may ask for: so
   * whoever fills them never takes what the stream was promised. Throws MODELS_FULL, PLUGIN_INVALID, MEMORY_FULL.
   */
  async #admit(spec: ModelSpec, version: string, validateOnly: boolean): Promise<ModelDescriptor> {
    const { host, teacher, classrooms, ratingsMax } = this.#parts;
    if (this.#models.length + teacher.guests.size >= MODELS_MAX) throw tooMany();
    const plugin = await loadPlugin(spec.plugin);
    requireInputs([{ plugin, spec }], this.#present(), () => '');
    requireKinds([{ plugin, spec }], this.#deployment.kinds, () => '');
    this.#requireSettledInputs(joined({ plugin, spec }));
    const descriptor = makeTables(host.arena, plugin, spec, this.#deployment.evaluation.window, version);
    try {
      teacher.guests.set(spec.name, new Model(host, plugin, descriptor));
      const needed = classrooms.growthBytes(
        ({ world, teacher }) => world.growthBytes(ratingsMax, ratingsMax) + teacher.growthBytes(ratingsMax),
      );
      if (needed > host.arena.freeBytes) throw noRoom(spec.name);
    } catch (error) {
      this.#discard(descriptor);
      throw error;
    }
    if (validateOnly) this.#discard(descriptor);
    return descriptor;
  }

  /** Throws MODEL_NOT_FOUND, MODEL_CHANGING, MODEL_FAILED, and what `#admit` throws. */
  async #admitVersion({ name, version, ...asked }: AdmitVersion): Promise<Examined> {
    const { teacher } = this.#parts;
    requireNamed(name, teacher.models);
    this.#requireUnchanging(name);
    for (const guest of teacher.guests.values())
      if (modelsBehind([guest], teacher.models).some((input) => input.name === name)) throw modelChanging(guest.name);
    const { namespace, plugin, config } = (teacher.models.find((model) => model.name === name) as Model).descriptor;
    const spec = { namespace, name, plugin: asked.plugin ?? plugin, config: asked.config ?? config };
    return { record: undefined, descriptor: await this.#admit(spec, version, false), model: this.#find(name) };
  }

  /** Whoever learns the past learns it with the versions of its inputs that served: those are to stay what they are. */
  #requireSettledInputs(model: Joined): void {
    for (const { name } of modelsBehind([model], this.#parts.teacher.models)) this.#requireUnchanging(name);
  }

  #find(name: string): LoadedModel {
    return this.#models.find((model) => model.name === name) as LoadedModel;
  }

  #dropVersion(name: string, version: string): Examined {
    requireNamed(name, this.#models);
    this.#requireUnchanging(name);
    const left = withoutVersion(this.#find(name), version);
    return toWrite({ type: 'settings', models: this.#models.map((model) => (model.name === name ? left : model)) });
  }

  /** Throws MODEL_CHANGING. */
  #requireUnchanging(name: string): void {
    if (this.#parts.teacher.guests.has(name) || this.#replaced.has(name)) throw modelChanging(name);
  }

  #requireFree(name: string): void {
    const { teacher } = this.#parts;
    if (!teacher.guests.has(name) && !teacher.models.some((model) => model.name === name)) return;
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
    const { guests } = this.#parts.teacher;
    guests.get(name)?.release();
    guests.delete(name);
  }

  /** Another thread has taught the model; when it has learned all that we have, it joins. */
  async #load({ name, rendezvous, exactFrom, shadow }: LoadChange): Promise<Examined> {
    const { descriptor } = await this.#meet(name, rendezvous);
    const loadedMs = Date.now();
    const own = { name, plugin: descriptor.plugin, config: { ...descriptor.config }, loadedMs };
    const chosen = shadow ? { ...own, shadow } : own;
    const choice: LoadedModel = exactFrom > 1 ? { ...chosen, exactFrom } : chosen;
    const models = [...this.#models.filter((model) => model.name !== name), choice];
    return { ...toWrite({ type: 'settings', models }), loadedMs };
  }

  /** The same of another version of a model that serves. */
  async #promote({ name, rendezvous, origin, from, spent, held, fuse, change }: PromoteChange): Promise<Examined> {
    const { version, config, plugin } = (await this.#meet(name, rendezvous)).descriptor;
    const { loadedMs, config: before, plugin: by, fuse: period = null } = this.#find(name);
    const createdMs = Date.now();
    const serving = {
      version,
      origin,
      createdMs,
      from,
      spent,
      ...(held && { held }),
      ...((plugin !== by || differs(config, before)) && { config: { ...config }, plugin }),
      ...(fuse !== undefined && !isDeepStrictEqual(fuse, period) && { fuse }),
    };
    const promotion: Promotion = { type: 'promoted', model: name, loadedMs, ...serving, change };
    return { ...toWrite(promotion), promotion };
  }

  /** It answers whoever names none, so it is no shadow any more. */
  #setDefault(name: string): Examined {
    const settings = { type: 'settings', defaultModel: name } as const;
    return toWrite(this.#find(name).shadow ? { ...settings, models: this.#amended(name, ANSWERING) } : settings);
  }

  #isolate(change: ExperimentChange, examined: Examined): Examined {
    const { classrooms, host, ratingsMax } = this.#parts;
    return withCohorts(change, examined, this.#deployment, { classrooms, arena: host.arena, ratingsMax });
  }

  /** What is decided of a model is this too from here on. */
  #amend(name: string, more: Amendment): Examined {
    requireNamed(name, this.#models);
    const models = this.#amended(name, more);
    return isDeepStrictEqual(models, this.#models) ? NOTHING : toWrite({ type: 'settings', models });
  }

  /** What is undefined is as if it had never been said. */
  #amended(name: string, more: Amendment): readonly LoadedModel[] {
    return this.#models.map((each) =>
      each.name === name ? (JSON.parse(JSON.stringify({ ...each, ...more })) as LoadedModel) : each,
    );
  }

  #decline(name: string, change: ModelChange): Examined {
    requireNamed(name, this.#models);
    return toWrite({ type: 'declined', model: name, loadedMs: this.#find(name).loadedMs, change });
  }

  /** Waits until the guest stands where we are. */
  async #meet(name: string, rendezvous: number): Promise<WritableModel> {
    const { host, revisions, teacher } = this.#parts;
    const guest = teacher.guests.get(name);
    assert(guest, `model ${name} was not admitted`);
    const meeting = new Rendezvous(host.arena, rendezvous);
    if (!(await meeting.meet(revisions.learned, JOIN_MS))) {
      throw new AccreteError('MODEL_FAILED', `Model ${name} did not catch up with the stream: try again`);
    }
    this.#joining = { model: WritableModel.attach(host, guest.plugin, guest.descriptor), meeting };
    return this.#joining.model;
  }

  /** The model that stands ready is a guest no longer. */
  #takeJoining(): WritableModel | undefined {
    if (!this.#joining) return undefined;
    const { model, meeting } = this.#joining;
    this.#joining = undefined;
    this.#dismiss(model.name);
    meeting.join();
    return model;
  }

  /** Teaches the models of a list from here on, and no others. */
  #settle(choices: readonly LoadedModel[], isLate: boolean): void {
    const { teacher, host } = this.#parts;
    const named = new Set(choices.map(({ name }) => name));
    const joined = this.#takeJoining();
    const present = joined ? [...teacher.models, joined] : teacher.models;
    teacher.models = present.filter(({ name }) => named.has(name));
    // Of a model whose unloading came late others do not know yet: they may read it, so it stays where it is.
    if (isLate) return;
    for (const model of present) if (!named.has(model.name)) model.drop(host.world.reclaimer);
  }

  /** Teaches the version that joins in the place of the one that served. A record that came late has none. */
  #replace(name: string): void {
    const { teacher } = this.#parts;
    const joined = this.#takeJoining();
    if (!joined) return;
    for (const model of teacher.models) if (model.name === name) this.#replaced.set(name, model);
    teacher.models = teacher.models.map((model) => (model.name === name ? joined : model));
  }

  #retire(name: string): void {
    this.#replaced.get(name)?.drop(this.#parts.host.world.reclaimer);
    this.#replaced.delete(name);
  }
}

function isSame(one: LoadedModel, other: LoadedModel): boolean {
  return one.name === other.name && one.loadedMs === other.loadedMs;
}

/** As they are written down. */
function differs(one: object, other: object): boolean {
  const [a, b] = [one, other].map((config) => JSON.parse(JSON.stringify(config)) as unknown);
  return !isDeepStrictEqual(a, b);
}

/** What may be said of a model while it serves. */
type Amendment = Pick<LoadedModel, 'fuse'> | { readonly shadow: true | undefined };
const ANSWERING: Amendment = { shadow: undefined };

function requireNoDefault(name: string, { defaultModel }: Deployment): void {
  if (name !== defaultModel) return;
  const message = `Model ${name} is the default model, which answers whoever names none: set another one first`;
  throw new AccreteError('MODEL_IN_USE', message, { metadata: { model: name } });
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
  const names = models.map((model) => model.name);
  if (!names.includes(name)) throw modelNotFound(name, names);
}
