import { AccreteError, type ErrorReason } from '../../errors.ts';
import { loadPlugin } from '../../models/plugins.ts';
import { makeTables, WritableModel } from '../../models/writable-model.ts';
import type { CheckpointFolder } from '../../store/checkpoints/checkpoint-folder.ts';
import type { Manifest } from '../../store/checkpoints/manifest.ts';
import { listVersions, restoreModel, saveVersion, versionFolder } from '../../teaching/state.ts';
import type { JobContext } from '../job-context.ts';
import { Past } from '../past.ts';
import type { PurgeTask } from './purge-task.ts';
import type { Removal } from './removal.ts';

/** Why a version cannot be brought to life. */
const LOST: ReadonlySet<ErrorReason> = new Set(['STORE_DAMAGED', 'PLUGIN_INVALID', 'MODEL_FAILED', 'MEMORY_FULL']);

/**
 * Lets every version that is kept take back what a user rated, as the model that serves did. A version is brought to life as
 * it was, in a world as of then. One that cannot be is removed.
 */
export async function scrubVersions(task: PurgeTask, context: JobContext): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const { name, version } of listVersions(context.stateFolder)) {
    const folder = versionFolder(context.stateFolder, name, version);
    let count = 0;
    // What is of a later record has learned that they are forgotten.
    for (const revision of folder.revisions)
      if (revision < task.forgotten.revision) count += await scrub(folder, revision, task, context);
    removals.push({ place: `model:${name}@${version}`, count });
  }
  return removals;
}

async function scrub(
  folder: CheckpointFolder,
  revision: number,
  task: PurgeTask,
  context: JobContext,
): Promise<number> {
  try {
    const manifest = folder.manifest(revision);
    folder.verify(manifest);
    // Taking back what was taken back already would be wrong.
    if (manifest.forgettings?.includes(task.note)) return 0;
    return await takeBack(folder, manifest, task, context);
  } catch (error) {
    if (!LOST.has(AccreteError.wrap(error).reason)) throw error;
    folder.remove(revision);
    return 1;
  } finally {
    folder.close();
  }
}

async function takeBack(
  folder: CheckpointFolder,
  manifest: Manifest,
  { forgotten: { user }, note }: PurgeTask,
  context: JobContext,
): Promise<number> {
  const [saved] = manifest.models;
  const plugin = await loadPlugin(saved.plugin);
  if (plugin.stateVersion !== saved.stateVersion)
    throw new AccreteError('PLUGIN_INVALID', `Plugin ${saved.plugin} cannot read version ${saved.version}`);
  const past = new Past(context, context.config.memory.budgetMiB);
  const { arena } = past.world;
  past.teach([], arena);
  past.follow(manifest.revision);
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
  const count = past.forget(user) ? 1 : 0;
  const forgettings = [...(manifest.forgettings ?? []), note];
  await saveVersion(arena, context.stateFolder, saved, model.stateTables(), manifest.revision, forgettings);
  return count;
}
