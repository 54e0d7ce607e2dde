import type { FuseSource } from '../../proto/gen/accrete/v1/fuse.ts';
import { AccreteError } from '../errors.ts';
import type { SourceTask } from '../jobs/fuse/sources.ts';
import { misfitOf, type Shape, shapeOf } from '../jobs/fuse/strategies/comparable.ts';
import { type Joining, STRATEGIES, type Strategy, type StrategyName } from '../jobs/fuse/strategies/strategies.ts';
import type { Model } from '../models/model.ts';
import type { ModelDirectory } from '../serving/model-directory.ts';
import { type LoadedModel, versionOf } from '../store/control.ts';
import { Fields } from './fields.ts';
import { requireVersion } from './rollback-model.ts';

interface Found {
  readonly task: SourceTask;
  readonly model: Model;
}

/** Where the sources of a Fuse are. Throws INVALID_FIELD, MODEL_NOT_FOUND, MODEL_FAILED, VERSION_NOT_FOUND, NOT_IMPLEMENTED. */
export function sourcesOf(
  sources: readonly FuseSource[],
  model: Model,
  strategyName: StrategyName,
  directory: ModelDirectory,
): SourceTask[] {
  const strategy: Strategy = STRATEGIES[strategyName];
  if (strategy.from === 'ratings') return [];
  const fields = new Fields();
  const target = shapeOfModel(model);
  const tasks = sources.flatMap((source, n) => {
    const found = find(source, `sources[${n}]`, model, directory);
    const fault = typeof found === 'string' ? found : faultOf(found, model, target, strategy, strategyName);
    if (fault === undefined) return (found as Found).task;
    fields.refuse(`sources[${n}].${source.source?.$case}`, fault);
    return [];
  });
  fields.check();
  return tasks;
}

/** A source, or what is wrong with it. */
function find({ source }: FuseSource, at: string, model: Model, directory: ModelDirectory): Found | string {
  switch (source?.$case) {
    case 'model':
      if (source.value === model.name)
        return 'is the model itself, which is part of what comes of it: name another one, or a version of it';
      return foundIn(`${at}.model`, requireLearning(directory.require(source.value)), directory);
    case 'version':
      if (source.value === model.version)
        return 'is the version that serves, which is part of what comes of it: name an earlier one';
      return foundIn(`${at}.version`, model, directory, source.value);
    case 'file':
      throw notYet(`${at}.file`, 'model files cannot be fused by this version of the server');
    default:
      throw notYet(
        `${at}.address`,
        'models of other servers cannot be fetched before servers can authenticate each other: export the model there ' +
          '(ExportModel), import its file here (ImportModel) and name that',
      );
  }
}

function foundIn(field: string, model: Model, directory: ModelDirectory, wanted?: string): Found {
  const decided = directory.requireEntry(model.name).decided as LoadedModel;
  const { version, from } = wanted === undefined ? versionOf(decided) : requireVersion(decided, wanted);
  const key = { name: model.name, version, loadedMs: decided.loadedMs, from };
  return { task: { field, key, descriptor: model.descriptor }, model };
}

function faultOf(
  { model: source }: Found,
  model: Model,
  target: Shape,
  strategy: Joining,
  name: StrategyName,
): string | undefined {
  if (strategy.foreignOnly)
    return `is of this server, whose models have all learned the same ratings: ${name} would count them twice; name a file of a model that learned others`;
  if (source === model) return undefined;
  const obstacle = strategy.obstacle(source.plugin, source.descriptor.config);
  if (obstacle) return `is model ${source.name}, which cannot be fused so, since ${obstacle}`;
  return misfitOf(target, shapeOfModel(source), strategy.ranks);
}

function notYet(field: string, why: string): AccreteError {
  return new AccreteError('NOT_IMPLEMENTED', `${field}: ${why}`, { metadata: { field } });
}

const shapeOfModel = ({ name, plugin, descriptor }: Model): Shape => shapeOf(name, plugin, descriptor.config);

/** Throws MODEL_FAILED. */
export function requireLearning(model: Model): Model {
  if (model.prequential.quarantinedAt === 0) return model;
  const message = `Model ${model.name} failed and learns no more: unload it and load it again`;
  throw new AccreteError('MODEL_FAILED', message, { metadata: { model: model.name } });
}
