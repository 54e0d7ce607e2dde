import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/schema.ts';
import { AccreteError } from '../errors.ts';
import type { LoadedModel, ModelChoice, Settings } from '../store/control.ts';
import type { Decided } from '../store/deployment.ts';

/** The settings that the journal decides once a store has begun, by their path. */
const JOURNALLED: Readonly<Record<string, (config: Config) => unknown>> = {
  'rating.min': ({ rating }) => rating.min,
  'rating.max': ({ rating }) => rating.max,
  'evaluation.rankEvery': ({ evaluation }) => evaluation.rankEvery,
  'evaluation.window': ({ evaluation }) => evaluation.window,
  models: ({ models }) => models,
  defaultModel: ({ defaultModel }) => defaultModel,
  kinds: ({ kinds }) => kinds,
};

/**
 * What a start changes in what the journal decided; nothing when there is nothing new. A new store takes the whole
 * configuration. Later, only what file, environment or flags set (`explicit`, by path) is looked at, and only where it
 * differs from what the last start was configured with: so what was decided by calls since then holds.
 * Throws CONFIG_INVALID for another scale, which would change what the ratings mean, and for models without one that a
 * scenario answers by.
 */
export function reconcile(
  decided: Decided,
  config: Config,
  explicit: ReadonlySet<string>,
): Partial<Settings> | undefined {
  const before = decided.configured;
  const configured = Object.fromEntries(
    Object.entries(JOURNALLED).map(([path, read]) => [
      path,
      // What an older version did not have is as in a new store.
      before === undefined || explicit.has(path) || !(path in before) ? read(config) : before[path],
    ]),
  );
  requireScale(decided, config, explicit);
  if (before === undefined) {
    const { rating, evaluation, defaultModel, kinds } = config;
    const models = config.models.map(loadNow);
    return { rating: decided.rating ?? rating, evaluation, models, defaultModel, kinds, configured };
  }
  if (isDeepStrictEqual(configured, before)) return undefined;
  const changed = (path: string) => !isDeepStrictEqual(configured[path], before[path]);
  const models = changed('models')
    ? changeModels(decided.models ?? [], before.models as readonly ModelChoice[], config.models)
    : (decided.models ?? []);
  requireModelsOfScenarios(decided, models);
  requireModelsOfArms(decided, models);
  return {
    configured,
    models,
    defaultModel: chooseDefault(models, changed('defaultModel') ? undefined : decided.defaultModel, config),
    kinds: configured.kinds as Settings['kinds'],
    evaluation: {
      rankEvery: configured['evaluation.rankEvery'] as number,
      window: configured['evaluation.window'] as number,
    },
  };
}

/** The models as they are, less those that the configuration no longer has, with those that are new or differ in it. */
function changeModels(
  present: readonly LoadedModel[],
  before: readonly ModelChoice[],
  now: readonly ModelChoice[],
): LoadedModel[] {
  const isAs = (old: ModelChoice, choice: ModelChoice) =>
    isDeepStrictEqual({ ...old, fuse: undefined }, { ...choice, fuse: undefined });
  const unchanged = (choice: ModelChoice) => before.some((old) => isAs(old, choice));
  const kept = new Set(now.filter(unchanged).map(({ name }) => name));
  const replaced = new Set([...before, ...now].map(({ name }) => name).filter((name) => !kept.has(name)));
  // When it is fused is no part of what a model is: it goes on with all its versions.
  const periodOf = (choices: readonly ModelChoice[], name: string) => choices.find((each) => each.name === name)?.fuse;
  const scheduled = (model: LoadedModel) => {
    const fuse = periodOf(now, model.name);
    return isDeepStrictEqual(periodOf(before, model.name), fuse) ? model : { ...model, fuse };
  };
  return [
    ...present.filter(({ name }) => !replaced.has(name)).map(scheduled),
    ...now.filter((choice) => !unchanged(choice)).map(loadNow),
  ];
}

function loadNow(choice: ModelChoice): LoadedModel {
  return { ...choice, loadedMs: Date.now() };
}

function chooseDefault(models: readonly ModelChoice[], wanted: string | undefined, config: Config): string {
  const has = (name: string | undefined): name is string => models.some((model) => model.name === name);
  if (has(wanted)) return wanted;
  if (has(config.defaultModel)) return config.defaultModel;
  return models[0]?.name ?? '';
}

/** A scenario must not lose the model that answers for it: no call could take that from it either. */
function requireModelsOfScenarios({ models = [], scenarios }: Decided, left: readonly ModelChoice[]): void {
  const gone = new Set(models.map(({ name }) => name));
  for (const { name } of left) gone.delete(name);
  const scenario = [...scenarios.values()].find(({ model }) => gone.has(model));
  if (!scenario) return;
  throw new AccreteError(
    'CONFIG_INVALID',
    `models no longer has ${scenario.model}, by which scenario ${scenario.name} answers: put it back, and change or ` +
      'delete that scenario before you take it out',
    { metadata: { model: scenario.model, scenario: scenario.name } },
  );
}

/** An arm must not lose its model, and an isolated one goes on with the settings that it began with. */
function requireModelsOfArms({ models: before = [], experiments }: Decided, left: readonly LoadedModel[]): void {
  for (const { name, arms, ended, learningScope } of experiments?.values() ?? []) {
    for (const { model, stopReason } of arms) {
      if (ended || stopReason !== undefined) continue;
      const [then, now] = [before, left].map((models) => models.find((each) => each.name === model));
      if (now && (learningScope !== 'isolated' || isSame(now, then))) continue;
      const what = now ? 'has other settings for' : 'no longer has';
      const message = `models ${what} ${model}, by which an arm of experiment ${name} answers: set it back, and stop that experiment before you change it`;
      throw new AccreteError('CONFIG_INVALID', message, { metadata: { model, experiment: name } });
    }
  }
}

/** Whether a model goes on, whenever it is fused. */
function isSame(now: LoadedModel, then: LoadedModel | undefined): boolean {
  return isDeepStrictEqual({ ...now, fuse: undefined }, { ...then, fuse: undefined });
}

function requireScale({ rating: begun }: Decided, { rating }: Config, explicit: ReadonlySet<string>): void {
  if (!begun) return;
  const differs = (['min', 'max'] as const).filter(
    (end) => explicit.has(`rating.${end}`) && rating[end] !== begun[end],
  );
  if (differs.length === 0) return;
  throw new AccreteError(
    'CONFIG_INVALID',
    `rating.min and rating.max are ${rating.min} and ${rating.max}, and this store was begun with ${begun.min} and ` +
      `${begun.max}: leave them out or set them back, or set data to another folder`,
  );
}
