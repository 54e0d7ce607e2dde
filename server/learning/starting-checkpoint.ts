import { isDeepStrictEqual } from 'node:util';
import { AccreteError } from '../errors.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { type LoadedModel, versionOf } from '../store/control.ts';
import type { Decided, Deployment } from '../store/deployment.ts';
import type { Journal } from '../store/journal.ts';
import { cohortsKept, experimentsOf } from '../teaching/cohort-choices.ts';
import { hasCohort } from '../teaching/restore-cohort.ts';
import { exactFrom, type OnDamage, usableBases } from '../teaching/restoring.ts';
import { hasModelTables } from '../teaching/state.ts';
import { readVersion } from '../teaching/version-file.ts';
import { listVersions, versionFolder } from '../teaching/version-folders.ts';
import type { Plan } from './plan.ts';

/** The checkpoint that a start begins from. */

export interface Base {
  readonly manifest: Manifest;
  /** Models that are not in it, by name: they begin with what is live in it. */
  readonly beginners: ReadonlySet<string>;
}

/**
 * The newest good checkpoint. `onDamage` hears of those that cannot be used. Throws STORE_DAMAGED when it, or the file of a
 * version of a model, goes beyond the journal, and when the journal no longer has what is before it.
 */
export function findBase(folder: CheckpointFolder, journal: Journal, onDamage: OnDamage): Manifest | undefined {
  const { revisions } = folder;
  const { firstRevision, lastRevision } = journal;
  const versions = listVersions(folder.path).map(({ name, version }) => versionFolder(folder.path, name, version));
  for (const each of [folder, ...versions]) {
    const [newest = 0] = each.revisions;
    if (newest > lastRevision) throw beyond(each.pathOf(newest), newest, lastRevision);
  }
  for (const manifest of usableBases(folder, revisions, firstRevision, onDamage)) return manifest;
  if (firstRevision > 1) throw uncovered(folder.path, firstRevision);
  return undefined;
}

/** What was decided up to a checkpoint. */
export function decidedIn({ decided: { scenarios, experiments, ...settings } }: Manifest): Decided {
  return {
    ...settings,
    scenarios: new Map(scenarios.map((scenario) => [scenario.name, scenario])),
    ...(experiments && { experiments: new Map(experiments.map((each) => [each.name, each])) }),
  };
}

/**
 * Where the models of a start go on. As long as the journal has its first record, one that is not in the newest
 * checkpoint learns all of it, and with it all others: undefined. Later it begins with what is live in the checkpoint in
 * which it began before, if the others can go on from there, else in the newest. Throws CONFIG_INVALID.
 */
export function chooseBase(
  folder: CheckpointFolder,
  journal: Journal,
  newest: Manifest,
  { deployment, models }: Pick<Plan, 'deployment' | 'models'>,
): Base | undefined {
  const hasAll = journal.firstRevision === 1;
  if (!isMeasuredAs(newest, deployment)) {
    if (hasAll) return undefined;
    throw measured(journal.firstRevision);
  }
  const began = new Map(deployment.models.map((choice) => [choice.name, choice.exactFrom]));
  const beginnersIn = (manifest: Manifest) => {
    const strangers = models.filter((model) => !isReachable(manifest, choiceOf(deployment, model), model));
    return new Set(strangers.map(({ spec }) => spec.name));
  };
  const beginners = beginnersIn(newest);
  const cohorts = cohortsKept(newest.decided.experiments ?? [], experimentsOf(deployment));
  const lacksCohort = cohorts.some((cohort) => !hasCohort(newest, cohort));
  if (lacksCohort && hasAll) return undefined;
  if (beginners.size === 0) return { manifest: newest, beginners };
  if (hasAll) return undefined;
  for (const manifest of usableBases(folder, folder.revisions, journal.firstRevision, () => {})) {
    const here = beginnersIn(manifest);
    const isWhereTheyBegan = [...here].every((name) => began.get(name) === exactFrom(manifest));
    if (isWhereTheyBegan && isMeasuredAs(manifest, deployment)) return { manifest, beginners: here };
  }
  return { manifest: newest, beginners };
}

/**
 * Models that serve in their first version again, and whose file of it cannot be read: as long as the journal has its first
 * record they learn all of it anew. `onDamage` hears why.
 */
export function findAnew(
  { path }: CheckpointFolder,
  journal: Journal,
  newest: Manifest | undefined,
  { deployment, models }: Pick<Plan, 'deployment' | 'models'>,
  onDamage: (why: string) => void,
): Set<string> {
  const anew = new Set<string>();
  for (const model of journal.firstRevision === 1 ? models : []) {
    const choice = choiceOf(deployment, model);
    const { version, from } = versionOf(choice);
    if (version !== '1' || from === 0 || (newest && has(newest, choice, model))) continue;
    const folder = versionFolder(path, choice.name, version);
    try {
      readVersion(folder, from, choice, model);
    } catch (error) {
      const { reason, message } = AccreteError.wrap(error);
      if (reason !== 'STORE_DAMAGED') throw error;
      onDamage(`version 1 of model ${choice.name} is learned from the first record on: ${message}`);
      anew.add(choice.name);
    } finally {
      folder.close();
    }
  }
  return anew;
}

/** The plan with what it has to write down of models that begin in a checkpoint. */
export function noteBeginners(plan: Plan, { manifest, beginners }: Base): Plan {
  const from = exactFrom(manifest);
  const isNew = ({ name, exactFrom }: Deployment['models'][number]) => beginners.has(name) && exactFrom !== from;
  if (!plan.deployment.models.some(isNew)) return plan;
  const models = plan.deployment.models.map((model) =>
    beginners.has(model.name) ? { ...model, exactFrom: from } : model,
  );
  return { ...plan, deployment: { ...plan.deployment, models }, changes: { ...plan.changes, models } };
}

/** What is decided of a model. */
export function choiceOf({ models }: Pick<Deployment, 'models'>, { spec }: ResolvedModel): LoadedModel {
  return models.find(({ name }) => name === spec.name) as LoadedModel;
}

/** Whether a checkpoint has what a model needs of what is before it: the model, or what its version's file goes on from. */
function isReachable(manifest: Manifest, choice: LoadedModel, resolved: ResolvedModel): boolean {
  return versionOf(choice).from >= manifest.revision || has(manifest, choice, resolved);
}

/** Whether a checkpoint has a model as its plugin, configuration and version are now, and which began where it did. */
export function has(manifest: Manifest, choice: LoadedModel, { spec, plugin }: ResolvedModel): boolean {
  const saved = manifest.models.find(({ name }) => name === choice.name);
  const { version } = versionOf(choice);
  if (saved?.version !== version || (version !== '1' && saved.loadedMs !== choice.loadedMs)) return false;
  if (saved.plugin !== spec.plugin || saved.stateVersion !== plugin.stateVersion) return false;
  if (saved.exactFrom !== choice.exactFrom || !hasModelTables(manifest, spec, plugin)) return false;
  return isDeepStrictEqual(saved.config, JSON.parse(JSON.stringify(spec.config)));
}

/** Whether the live figures of a checkpoint are what they are to be now. */
function isMeasuredAs({ decided }: Manifest, { rating, evaluation }: Deployment): boolean {
  return isDeepStrictEqual([decided.rating, decided.evaluation], [rating, evaluation]);
}

function beyond(path: string, revision: number, last: number): AccreteError {
  const message =
    `the checkpoint ${path} is at revision ${revision}, and the journal ends at ${last}: its newest files are gone. ` +
    'Restore them from a backup';
  return new AccreteError('STORE_DAMAGED', message, { metadata: { path, revision: String(revision) } });
}

function uncovered(path: string, firstRevision: number): AccreteError {
  const message =
    `the journal begins at revision ${firstRevision}, and no checkpoint in ${path} that can be used has what came before: ` +
    'restore that folder, or the older files of the journal, from a backup; nothing was changed';
  return new AccreteError('STORE_DAMAGED', message, { metadata: { path, revision: String(firstRevision) } });
}

function measured(firstRevision: number): AccreteError {
  const message =
    'evaluation.rankEvery and evaluation.window count for the whole journal, and its first records are not kept any ' +
    `more (it begins at revision ${firstRevision}): set them back to what they were`;
  return new AccreteError('CONFIG_INVALID', message);
}
