import type { FuseSource } from '../../proto/gen/accrete/v1/fuse.ts';
import { AccreteError } from '../errors.ts';
import type { SourceTask, VersionSource } from '../jobs/fuse/source-tasks.ts';
import { misfitOf, shapeOf } from '../jobs/fuse/strategies/comparable.ts';
import { SAME_RATINGS, STRATEGIES, type Strategy, type StrategyName } from '../jobs/fuse/strategies/strategies.ts';
import type { Model, ModelDescriptor } from '../models/model.ts';
import type { ModelDirectory } from '../serving/model-directory.ts';
import { type LoadedModel, pluginOf, settingsOf, versionOf } from '../store/control.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import { Fields } from './fields.ts';
import { requireVersion } from './rollback-model.ts';

/** Where the sources of a Fuse are. Throws INVALID_FIELD, MODEL_NOT_FOUND, MODEL_FAILED, VERSION_NOT_FOUND. */
export function sourcesOf(
  sources: readonly FuseSource[],
  model: Model,
  name: StrategyName,
  directory: ModelDirectory,
  fetched: ReadonlyMap<string, string>,
): SourceTask[] {
  const strategy: Strategy = STRATEGIES[name];
  if (strategy.from === 'ratings') return [];
  const fields = new Fields();
  const tasks = sources.flatMap((source, n) => {
    const found = find(source, `sources[${n}]`, model, directory, fetched);
    const fault = typeof found === 'string' ? found : faultOf(found, model, strategy, directory);
    if (typeof found !== 'string' && fault === undefined) return found;
    fields.refuse(`sources[${n}].${source.source?.$case}`, fault ?? '');
    return [];
  });
  fields.check();
  return tasks;
}

/** A source, or what is wrong with it. */
function find(
  { source }: FuseSource,
  at: string,
  model: Model,
  directory: ModelDirectory,
  fetched: ReadonlyMap<string, string>,
): SourceTask | string {
  switch (source?.$case) {
    case 'model':
      return taskOf(`${at}.model`, requireLearning(directory.require(source.value)), directory);
    case 'version':
      if (source.value === model.version)
        return 'is the version that serves, which is part of what comes of it: name an earlier one';
      return taskOf(`${at}.version`, model, directory, source.value);
    case 'file':
      if (!ImportFolder.isName(source.value)) return 'is no name of an imported file: never send a path';
      return { type: 'file', field: `${at}.file`, file: source.value };
    case 'address': {
      const file = fetched.get(source.value);
      return file === undefined ? 'is fetched for calls alone' : { type: 'file', field: `${at}.address`, file };
    }
    default:
      return 'names no source';
  }
}

/** The version of a model that serves, or another one. */
export function taskOf(
  field: string,
  { name, descriptor }: Model,
  directory: ModelDirectory,
  wanted?: string,
): VersionSource {
  const decided = directory.requireEntry(name).decided as LoadedModel;
  const kept = wanted === undefined ? versionOf(decided) : requireVersion(decided, wanted);
  const { version, from, held } = kept;
  const key = { name, version, loadedMs: decided.loadedMs, from };
  const config = settingsOf(decided, kept) as ModelDescriptor['config'];
  return { type: 'version', field, key, descriptor: { ...descriptor, config, plugin: pluginOf(decided, kept) }, held };
}

/** A file is looked at by the job. */
function faultOf(
  task: SourceTask,
  model: Model,
  strategy: Exclude<Strategy, { readonly from: 'ratings' }>,
  directory: ModelDirectory,
): string | undefined {
  if (strategy.from === 'members') return faultOfMember(task, directory);
  if (task.type === 'file') return undefined;
  if (strategy.foreignOnly) return SAME_RATINGS;
  const { name, plugin } = directory.require(task.key.name);
  const { config } = task.descriptor;
  const obstacle = strategy.obstacle(plugin, config);
  if (obstacle !== undefined) return `is model ${name}, which cannot be fused so, since ${obstacle}`;
  return misfitOf(
    shapeOf(model.name, model.plugin, model.descriptor.config),
    shapeOf(name, plugin, config),
    strategy.ranks,
  );
}

/** A member goes on learning, and is asked what it expects. */
function faultOfMember(task: SourceTask, directory: ModelDirectory): string | undefined {
  if (task.type === 'file')
    return 'is a file, which says what was learned and not how to go on: fuse it into a model, and name that';
  const source = directory.require(task.key.name);
  const obstacle = STRATEGIES.BLEND.obstacle(source.plugin) ?? (source.predicts ? undefined : 'it expects no ratings');
  return obstacle && `is model ${source.name}, which cannot be a member of a blend, since ${obstacle}`;
}

/** Throws MODEL_FAILED. */
export function requireLearning(model: Model): Model {
  if (model.prequential.quarantinedAt === 0) return model;
  const message = `Model ${model.name} failed and learns no more: unload it and load it again`;
  throw new AccreteError('MODEL_FAILED', message, { metadata: { model: model.name } });
}
