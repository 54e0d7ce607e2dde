import type { Plugin } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import { revisionText } from '../memory/revisions.ts';
import { loadPlugin } from '../models/plugins.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest, SavedModel } from '../store/checkpoints/manifest.ts';
import { versionsOf } from '../store/control.ts';
import { type Held, NOTHING_HELD, unite } from '../store/held.ts';
import { estimateModelBytes, type PackedModel, packModel, type SavedState } from '../store/models/pack.ts';
import { stretchesUpTo } from '../store/stretches.ts';
import { savedModelTables } from '../teaching/state.ts';
import { versionFolder } from '../teaching/version-folders.ts';
import type { JobContext } from './job-context.ts';
import { type FileItem, sendFile } from './send-file.ts';
import { findGood, type VersionKey } from './version-origins.ts';

export interface ExportModelTask {
  readonly name: string;
  /** The revision of a checkpoint that has the ids, and the version that serves. */
  readonly checkpoint: number;
  /** The version that is kept; undefined: the one that the checkpoint has. */
  readonly version: VersionKey | undefined;
}

/**
 * A model as one file, as of a checkpoint, or as a version of it was kept. Throws MODEL_FAILED, VERSION_NOT_FOUND,
 * STORE_DAMAGED, CHECKPOINT_FAILED.
 */
export async function* exportModel(task: ExportModelTask, context: JobContext): AsyncGenerator<FileItem> {
  const { stateFolder, meter, settings } = context;
  const { name, version } = task;
  const folder = new CheckpointFolder(stateFolder);
  const kept = version && versionFolder(stateFolder, name, version.version);
  try {
    const world: SavedState = { folder, manifest: folder.manifest(task.checkpoint) };
    const state = version && kept ? requireKept(kept, version) : world;
    const saved = state.manifest.models.find((model) => model.name === name);
    if (!saved) throw missing(name);
    const { plugin, config, stateVersion } = saved;
    const tables = tablesOf(state, saved, await loadPlugin(plugin));
    const { rating, stores = [] } = settings;
    const own = { learned: stretchesUpTo(stores, state.manifest.revision), files: [] };
    const held = unite(heldBy(world.manifest, saved), own);
    const more = {
      model: name,
      version: saved.version,
      loadedMs: String(saved.loadedMs),
      revision: revisionText(state.manifest.revision),
      rating: JSON.stringify({ min: rating.min, max: rating.max }),
    };
    const model: PackedModel = { plugin, config, stateVersion, ...held, world, state, tables, more };
    const file = `${name}-${saved.version}.safetensors`;
    yield* sendFile({ name: file, pack: () => packModel(model), estimate: estimateModelBytes(model) }, meter);
  } finally {
    folder.close();
    kept?.close();
  }
}

function tablesOf({ manifest }: SavedState, saved: SavedModel, plugin: Plugin): PackedModel['tables'] {
  const { name, version, stateVersion } = saved;
  const tables = plugin.stateVersion === stateVersion ? savedModelTables(manifest, saved, plugin) : undefined;
  if (tables) return tables;
  const message =
    `Version ${version} of model ${name} was written by a plugin of state version ${stateVersion}, or with other tables, and ` +
    `${plugin.name} is of ${plugin.stateVersion}: restore the plugin that wrote it, or export another version`;
  throw new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model: name, version } });
}

/** What came to a version by files. */
function heldBy({ decided }: Manifest, { name, loadedMs, version }: SavedModel): Held {
  const model = decided.models?.find((each) => each.name === name && each.loadedMs === loadedMs);
  return (model && versionsOf(model).find((each) => each.version === version)?.held) ?? NOTHING_HELD;
}

/** The latest state of a version that serves no more. */
function requireKept(folder: CheckpointFolder, { name, version, loadedMs, from }: VersionKey): SavedState {
  for (const revision of folder.revisions.filter((each) => each >= from)) {
    const manifest = findGood(folder, revision, ({ models: [model] }) => model?.loadedMs === loadedMs);
    if (manifest) return { folder, manifest };
  }
  const message =
    `Version ${version} of model ${name} has no good file: roll back to it, which learns it again where the journal has ` +
    'all of it, and export what serves then; or choose another one of those that GetModel lists';
  throw new AccreteError('VERSION_NOT_FOUND', message, { metadata: { model: name, version } });
}

function missing(name: string): AccreteError {
  const message = `Model ${name} is in no checkpoint yet: export it again once it has learned something`;
  return new AccreteError('MODEL_FAILED', message, { metadata: { model: name } });
}
