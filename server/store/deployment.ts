import type { FusionPeriod } from '../config/fusion-period.ts';
import { AccreteError } from '../errors.ts';
import {
  begunOf,
  type Control,
  decodeControl,
  type LoadedModel,
  type ModelVersion,
  type Promotion,
  pluginOf,
  type Scenario,
  type Settings,
  settingsOf,
  versionOf,
  versionsOf,
} from './control.ts';
import type { Experiment } from './experiment.ts';
import { type Change, withEntry } from './history.ts';
import type { Journal } from './journal.ts';
import { decodeRecord, recordTypeOf } from './record.ts';
import { ofRecord } from './record-contents.ts';

/** What the control records of a journal come to. */
export interface Deployment extends Settings {
  readonly scenarios: ReadonlyMap<string, Scenario>;
  /** By name, in the order in which they were made; absent: there are none. */
  readonly experiments?: ReadonlyMap<string, Experiment>;
}

/** The same of a journal that may not have begun, or that an older version began. */
export type Decided = Partial<Settings> & Pick<Deployment, 'scenarios' | 'experiments'>;

/** Versions of a model that can be brought back, the one that serves among them. */
const VERSIONS_KEPT = 4;

/** What is decided after one more record, number `revision`. */
export function decide<Before extends Decided>(before: Before, control: Control, revision = 0): Before {
  switch (control.type) {
    case 'settings': {
      const { type: _, ...settings } = control;
      return { ...before, ...settings };
    }
    case 'scenario': {
      const scenarios = new Map(before.scenarios);
      if (control.scenario) scenarios.set(control.name, control.scenario);
      else scenarios.delete(control.name);
      return { ...before, scenarios };
    }
    case 'experiment': {
      const experiments = new Map(before.experiments);
      if (control.experiment) experiments.set(control.name, { revision, ...control.experiment });
      else experiments.delete(control.name);
      const { defaultModel } = control;
      if (defaultModel === undefined) return { ...before, experiments };
      const models = before.models?.map((model) => (model.name === defaultModel ? answering(model) : model));
      return { ...before, experiments, defaultModel, models };
    }
    case 'promoted':
    case 'declined':
      return {
        ...before,
        models: before.models?.map((model) => {
          if (model.name !== control.model || model.loadedMs !== control.loadedMs) return model;
          return control.type === 'promoted'
            ? promote(model, control, revision)
            : remember(model, control.change, revision);
        }),
      };
    default:
      return before;
  }
}

/** It answers whoever names none, so it is no shadow any more. */
function answering({ shadow: _, ...model }: LoadedModel): LoadedModel {
  return model;
}

/** The version that serves now is the last in the list, also one that served before. */
export function promote(
  model: LoadedModel,
  { version, origin, createdMs, from, spent, held, config, plugin = model.plugin, fuse, change }: Promotion,
  revision: number,
): LoadedModel {
  const others = versionsOf(model).filter((each) => each.version !== version);
  const made = { version, origin, createdMs, revision, from, spent };
  const versions = [...others, held ? { ...made, held } : made];
  const versionsMade = Math.max(model.versionsMade ?? 1, Number(version));
  const settled = withSettings(model, config && { config, plugin }, versions.slice(-VERSIONS_KEPT));
  const promoted = { ...withPeriod(settled, fuse), versionsMade };
  return change ? remember(promoted, change, revision) : promoted;
}

/** A model with one more entry in its history. */
export function remember(model: LoadedModel, change: Change, revision: number): LoadedModel {
  return { ...model, history: withEntry(model.history, change, revision) };
}

/** A model with these versions, of which the last one serves, with what is its own; undefined: as it was. */
function withSettings(
  model: LoadedModel,
  own: Pick<LoadedModel, 'plugin' | 'config'> | undefined,
  versions: readonly ModelVersion[],
): LoadedModel {
  if (!own) return { ...model, versions };
  // What the others have is no longer the model's.
  const settled = versions.map((each, n) => ({
    ...each,
    ...(n === versions.length - 1 ? own : { config: settingsOf(model, each), plugin: pluginOf(model, each) }),
  }));
  const { config: begunAs, plugin: begunBy } = begunOf(model);
  return { ...model, ...own, begunAs, begunBy, versions: settled };
}

/** A model with another fusion period since the last of its versions serves; null: none; undefined: that which it has. */
function withPeriod(model: LoadedModel, fuse: FusionPeriod | null | undefined): LoadedModel {
  if (fuse === undefined) return model;
  const { fuse: before = null, ...others } = model;
  const versions = versionsOf(model).map((each, n, { length }) =>
    n === length - 1 || each.fuse !== undefined ? each : { ...each, fuse: before },
  );
  return fuse ? { ...others, fuse, versions } : { ...others, versions };
}

/** `why`: what else is done with it. */
export function modelChanging(name: string, why = 'Another version of it is being made'): AccreteError {
  const message = `Model ${name} cannot be changed now. ${why}: wait until that is over, or cancel it`;
  return new AccreteError('MODEL_CHANGING', message, { metadata: { model: name } });
}

/** A model without one of its kept versions. Throws VERSION_NOT_FOUND, and MODEL_IN_USE for the one that serves. */
export function withoutVersion(model: LoadedModel, version: string): LoadedModel {
  const { name } = model;
  const versions = versionsOf(model);
  const metadata = { model: name, version };
  if (versionOf(model).version === version) {
    const message = `Version ${version} of model ${name} serves: roll back to another one first, or unload the model`;
    throw new AccreteError('MODEL_IN_USE', message, { metadata });
  }
  if (!versions.some((each) => each.version === version)) throw versionNotFound(name, version, versions);
  return { ...model, versions: versions.filter((each) => each.version !== version) };
}

export function versionNotFound(model: string, version: string, kept: readonly ModelVersion[]): AccreteError {
  const message = `Model ${model} has no version ${JSON.stringify(version)}: kept are ${kept.map((each) => each.version).join(', ')}`;
  return new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model, version } });
}

export function modelNotFound(name: string, loaded: readonly string[]): AccreteError {
  const message = `There is no model ${JSON.stringify(name)}; loaded are ${loaded.join(', ')}`;
  return new AccreteError('MODEL_NOT_FOUND', message, { metadata: { model: name } });
}

/** Throws MODEL_IN_USE for the default model, and for one that a scenario or an arm answers by. */
export function requireUnused(
  name: string,
  { defaultModel, scenarios, experiments }: Pick<Deployment, 'defaultModel' | 'scenarios' | 'experiments'>,
) {
  const scenario = [...scenarios.values()].find(({ model }) => model === name);
  const experiment = [...(experiments?.values() ?? [])].find(
    ({ ended, arms }) => !ended && arms.some(({ model, stopReason }) => model === name && stopReason === undefined),
  );
  if (name !== defaultModel && !scenario && !experiment) return;
  const why = scenario
    ? `scenario ${scenario.name} answers by it: change or delete that one first`
    : experiment
      ? `an arm of experiment ${experiment.name} answers by it: stop that one first`
      : 'it is the default model: set another one first';
  throw new AccreteError('MODEL_IN_USE', `Model ${name} cannot be unloaded: ${why}`, { metadata: { model: name } });
}

/** What was decided `before`, by a checkpoint at `revision`, and by the control records after it. */
export function readDecided(
  journal: Journal,
  before?: { readonly revision: number; readonly decided: Decided },
): Decided {
  let decided: Decided = before?.decided ?? { scenarios: new Map() };
  for (const { revision, record } of journal.read(before ? before.revision + 1 : journal.firstRevision)) {
    if (recordTypeOf(record) !== 'control') continue;
    const { payload } = decodeRecord(record, revision);
    decided = decide(
      decided,
      ofRecord(revision, () => decodeControl(payload)),
      revision,
    );
  }
  return decided;
}
