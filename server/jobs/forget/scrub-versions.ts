import { AccreteError } from '../../errors.ts';
import type { Removal } from '../../exchange/forgetting.ts';
import { Arena } from '../../memory/arena.ts';
import { Table } from '../../memory/table.ts';
import { loadPlugin } from '../../models/plugins.ts';
import type { CheckpointFolder } from '../../store/checkpoints/checkpoint-folder.ts';
import type { Manifest, SavedModel } from '../../store/checkpoints/manifest.ts';
import { restoreTables } from '../../store/checkpoints/restore.ts';
import { listVersions, saveVersion, versionFolder } from '../../teaching/state.ts';
import type { JobContext } from '../job-context.ts';

/** Zeroes a user's row in every version that is kept. One that cannot be read, or whose plugin is gone, is removed. */
export async function scrubVersions(user: number, context: JobContext): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const { name, version } of listVersions(context.stateFolder)) {
    const folder = versionFolder(context.stateFolder, name, version);
    let count = 0;
    for (const revision of folder.revisions) count += await scrub(folder, revision, user, context);
    removals.push({ place: `model:${name}@${version}`, count });
  }
  return removals;
}

async function scrub(folder: CheckpointFolder, revision: number, user: number, context: JobContext): Promise<number> {
  try {
    const manifest = folder.manifest(revision);
    return await rewrite(folder, manifest, user, context);
  } catch (error) {
    const { reason } = AccreteError.wrap(error);
    if (reason !== 'STORE_DAMAGED' && reason !== 'PLUGIN_INVALID') throw error;
    folder.remove(revision);
    return 1;
  } finally {
    folder.close();
  }
}

async function rewrite(
  folder: CheckpointFolder,
  manifest: Manifest,
  user: number,
  context: JobContext,
): Promise<number> {
  const [saved] = manifest.models;
  const arena = Arena.create(context.config.memory.budgetMiB * 2 ** 20);
  const prefix = `model.${saved.name}.`;
  const tables = Object.fromEntries(
    Object.entries(manifest.tables).map(([key, { columns }]) => [key, Table.create(arena, columns)] as const),
  );
  restoreTables(folder, manifest, tables);
  folder.close();
  let count = 0;
  for (const name of await userTables(saved)) {
    const table = tables[prefix + name];
    if (user < 0 || user >= table.rows) continue;
    table.clear(user);
    count++;
  }
  const own = Object.fromEntries(Object.entries(tables).map(([key, table]) => [key.slice(prefix.length), table]));
  await saveVersion(arena, context.stateFolder, saved, own, manifest.revision);
  return count;
}

/** Names of the tables whose rows are users. */
async function userTables({ plugin, config }: SavedModel): Promise<string[]> {
  const specs = (await loadPlugin(plugin)).tables(config as { seed: number });
  return Object.entries(specs).flatMap(([name, { index }]) => (index === 'user' ? [name] : []));
}
