import type { Config } from '../config/schema.ts';
import { AccreteError } from '../errors.ts';
import type { FailedModel } from '../exchange/messages.ts';
import { requireInputs } from '../models/input-rules.ts';
import { requireKinds } from '../models/kinds-asked.ts';
import { type ResolvedModel, resolveModels } from '../models/plugins.ts';
import type { Control, LoadedModel, Settings } from '../store/control.ts';
import { type Deployment, decide, readDecided } from '../store/deployment.ts';
import { findStoreId } from '../store/format.ts';
import type { Journal } from '../store/journal.ts';
import type { StoreName } from '../store/stretches.ts';
import { preloadVersions } from '../teaching/preload.ts';
import { reconcile } from './reconcile.ts';
import { requireTrainedShape } from './trained-shape.ts';

/** What a start begins with: all that the journal decided, and what the configuration changes in it now. */
export interface Plan {
  /** Names of the models that are as the journal had them before this start. */
  readonly known: ReadonlySet<string>;
  readonly deployment: Deployment;
  /** To be written once the journal is replayed. */
  readonly changes: Partial<Settings> | undefined;
  /** The same of experiments; absent: nothing. */
  readonly experiments?: readonly Extract<Control, { type: 'experiment' }>[];
  /** The models that learn. */
  readonly models: readonly ResolvedModel[];
  /** Models that the journal has and this start cannot make: a plugin is gone, fails, or knows a setting no longer. */
  readonly failed: FailedModel[];
}

/**
 * Reads what the journal decided. All its models learn it from the first record on, whenever they were loaded: so they
 * are known before the first one is learned. `base`: what a checkpoint says of it. Throws CONFIG_INVALID and PLUGIN_INVALID for what the configuration asks.
 */
export async function planStart(
  journal: Journal,
  config: Config,
  explicit: ReadonlySet<string>,
  base?: Parameters<typeof readDecided>[1],
): Promise<Plan> {
  const decided = readDecided(journal, base);
  await preloadVersions(decided.models ?? []);
  const asked = reconcile(decided, config, explicit);
  const stores = nameStore(decided.stores ?? [], findStoreId(config.data), journal.lastRevision);
  const deployment = decide(decided, { type: 'settings', ...asked, ...stores }) as Deployment;
  const known = new Set(decided.models);
  const models: ResolvedModel[] = [];
  const failed: FailedModel[] = [];
  for (const choice of deployment.models) {
    try {
      models.push(...(await resolveModels([choice], () => `${choice.name}.`)));
    } catch (error) {
      if (!known.has(choice) || !(error instanceof AccreteError)) throw error;
      failed.push({ ...choice, why: error.message });
    }
  }
  const unmade = failed.map(({ name }) => name);
  if (asked) {
    requireInputs(models, unmade);
    requireKinds(models, deployment.kinds);
  }
  for (const model of models) {
    const { name } = model.spec;
    const before = decided.models?.find((other) => other.name === name);
    if (before && !deployment.models.includes(before)) requireTrainedShape(model, before);
  }
  // What is written down is complete: defaults of a later version do not change a model.
  const complete = deployment.models.map((choice): LoadedModel => {
    const resolved = models.find(({ spec }) => spec.name === choice.name);
    return { ...choice, config: { ...(resolved?.spec.config ?? choice.config) } };
  });
  return {
    known: new Set(deployment.models.filter((choice) => known.has(choice)).map(({ name }) => name)),
    deployment: { ...deployment, models: complete },
    changes: asked ? { ...asked, ...stores, models: complete } : stores,
    models,
    failed,
  };
}

/** What a plan has to write down. */
export function changesOf({ changes, experiments = [] }: Plan): Control[] {
  return [...(changes ? [{ type: 'settings' as const, ...changes }] : []), ...experiments];
}

/** A folder that was made by an import, or by an older version, has a name that its journal does not know. */
function nameStore(
  stores: readonly StoreName[],
  id: string | undefined,
  last: number,
): Pick<Settings, 'stores'> | undefined {
  if (id === undefined || stores.at(-1)?.id === id) return undefined;
  return { stores: [...stores, { id, after: stores.length > 0 ? last : 0 }].slice(-STORES_MAX) };
}

/** Of which a journal tells; each was imported from the one before. */
const STORES_MAX = 32;

/**
 * The models of a plan, as `make` makes them. One that the journal had before, and whose plugin fails now, joins those
 * that failed; whatever else fails is thrown.
 */
export function makeModels<Made>(plan: Plan, make: (resolved: ResolvedModel) => Made): Made[] {
  return plan.models.flatMap((resolved) => {
    const { name } = resolved.spec;
    try {
      return [make(resolved)];
    } catch (error) {
      const choice = plan.deployment.models.find((model) => model.name === name);
      const isHost = error instanceof AccreteError && error.reason !== 'PLUGIN_INVALID';
      if (!choice || !plan.known.has(name) || isHost) throw error;
      plan.failed.push({ ...choice, why: `Plugin ${choice.plugin} failed: ${error}` });
      return [];
    }
  });
}
