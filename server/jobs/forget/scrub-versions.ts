import { AccreteError, type ErrorReason } from '../../errors.ts';
import type { Removal } from '../../exchange/forgetting.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { makeTables, WritableModel } from '../../models/writable-model.ts';
import type { CheckpointFolder } from '../../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../../store/checkpoints/manifest.ts';
import { restoreModel, saveVersion } from '../../teaching/state.ts';
import { listVersions, versionFolder } from '../../teaching/version-folders.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import type { PurgedUser, PurgeTask } from './purge-task.ts';

/** Why a version cannot be brought to life. */
const LOST: ReadonlySet<ErrorReason> = new Set([
  'STORE_DAMAGED',
  'REVISION_GONE',
  'PLUGIN_INVALID',
  'MODEL_FAILED',
  'MEMORY_FULL',
]);

/**
 * Lets every version that is kept take back what users rated, as the model that serves did. A version is brought to life as
 * it was, in a world as of then. One that cannot be is removed. Returns what was removed of each user.
 */
export async function scrubVersions({ users }: PurgeTask, context: JobContext): Promise<Removal[][]> {
  const removals: Removal[][] = users.map(() => []);
  for (const { name, version } of listVersions(context.stateFolder)) {
    const folder = versionFolder(context.stateFolder, name, version);
    const known = new Map<PurgedUser, number>();
    for (const revision of folder.revisions)
      for (const user of await scrub(folder, revision, users, context)) known.set(user, (known.get(user) ?? 0) + 1);
    const place = `model:${name}@${version}`;
    for (const [n, user] of users.entries()) removals[n].push({ place, count: known.get(user) ?? 0 });
  }
  return removals;
}

/** Returns those whom the version knew, or may have known. */
async function scrub(
  folder: CheckpointFolder,
  revision: number,
  users: readonly PurgedUser[],
  context: JobContext,
): Promise<readonly PurgedUser[]> {
  // What is of a later record has learned that they are forgotten.
  const before = users.filter(({ forgotten }) => revision < forgotten.revision);
  if (before.length === 0) return [];
  try {
    const manifest = folder.manifest(revision);
    folder.verify(manifest);
    // Taking back what was taken back already would be wrong.
    const left = before.filter(({ note }) => !manifest.forgettings?.includes(note));
    return left.length > 0 ? await takeBack(folder, manifest, left, context) : [];
  } catch (error) {
    if (!LOST.has(AccreteError.wrap(error).reason)) throw error;
    folder.remove(revision);
    return before;
  } finally {
    folder.close();
  }
}

async function takeBack(
  folder: CheckpointFolder,
  manifest: Manifest,
  users: readonly PurgedUser[],
  context: JobContext,
): Promise<readonly PurgedUser[]> {
  const [saved] = manifest.models;
  const plugin = await loadPlugin(saved.plugin);
  if (plugin.stateVersion !== saved.stateVersion)
    throw new AccreteError('PLUGIN_INVALID', `Plugin ${saved.plugin} cannot read version ${saved.version}`);
  const past = new Past(context, 'memory.budgetMiB', context.config.memory.budgetMiB);
  const { arena } = past.world;
  past.teach([], arena);
  past.follow(manifest.revision);
  past.forgetAsIn(manifest);
  const { window } = context.settings.evaluation;
  const spec = { ...saved, namespace: '', config: saved.config as { seed: number } };
  const model = WritableModel.attach(
    past.hostIn(arena),
    plugin,
    makeTables(arena, plugin, spec, window, saved.version),
  );
  restoreModel(folder, manifest, model);
  folder.close();
  past.teach([model], arena);
  const known = users.filter(({ forgotten }) => past.forget(forgotten.user));
  const forgettings = [...(manifest.forgettings ?? []), ...users.map(({ note }) => note)];
  await saveVersion(arena, context.stateFolder, saved, model.stateTables(), manifest.revision, forgettings);
  return known;
}
