import type { Plugin, TableSpec } from '../../plugins/contract/index.ts';
import type { Arena } from '../memory/arena.ts';
import { prefixed, type StateTables } from '../memory/table.ts';
import type { WritableWorld } from '../memory/world.ts';
import type { Model } from '../models/model.ts';
import type { ModelSpec } from '../models/model-spec.ts';
import { requireTableSpecs } from '../models/table-specs.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import type { Manifest, SavedModel, SavedTable } from '../store/checkpoints/manifest.ts';
import { canBecome, hasColumns, restoreTables } from '../store/checkpoints/restore.ts';
import { saveCheckpoint } from '../store/checkpoints/save.ts';
import type { LoadedModel } from '../store/control.ts';
import { versionFolder } from './version-folders.ts';

/**
 * The state as checkpoints have it: what all models share, and models. A version of a model is kept in a file like that of a
 * checkpoint, which has its tables alone.
 */

/** All tables of a world and its models, by the names under which checkpoints have them. */
export function allTables(world: WritableWorld, models: readonly Model[]): StateTables {
  return Object.assign(world.stateTables(), ...models.map(tablesOf));
}

function tablesOf(model: Model): StateTables {
  return prefixed(prefixOf(model.name), model.stateTables());
}

/** Whether a checkpoint has a model's tables so that those that its plugin declares now can begin with them, whatever its `stateVersion` says. */
export function hasModelTables(
  { tables }: Manifest,
  { name, config }: Pick<ModelSpec, 'name' | 'config'>,
  plugin: Plugin,
): boolean {
  try {
    const declared = Object.entries(requireTableSpecs(plugin.name, plugin.tables(config)));
    return declared.every(([key, { columns }]) => canBecome(tables[`${prefixOf(name)}.${key}`], columns));
  } catch {
    // Making the model fails too, and that is told.
    return false;
  }
}

/** A model's tables as its plugin declares them now, and as a checkpoint, or the file of a version, has them. */
export function savedModelTables(
  manifest: Manifest,
  { name, config }: SavedModel,
  plugin: Plugin,
): Map<string, { readonly index: TableSpec['index']; readonly saved: SavedTable }> | undefined {
  const spec = { name, config: config as ModelSpec['config'] };
  if (!hasModelTables(manifest, spec, plugin)) return undefined;
  const declared = Object.entries(plugin.tables(spec.config)).map(([key, { index, columns }]) => {
    return { key, index, columns, saved: manifest.tables[`${prefixOf(name)}.${key}`] };
  });
  // A file has what was saved, and not what would become of it.
  if (!declared.every(({ saved, columns }) => hasColumns(saved, columns))) return undefined;
  return new Map(declared.map(({ key, index, saved }) => [key, { index, saved }]));
}

function prefixOf(model: string): string {
  return `model.${model}`;
}

/** `decided`: what is decided of the model. */
export function describeModel(
  { name, version, plugin, descriptor }: Model,
  { loadedMs, exactFrom }: Pick<LoadedModel, 'loadedMs' | 'exactFrom'>,
): SavedModel {
  const { plugin: specifier, config } = descriptor;
  const saved = {
    name,
    version,
    loadedMs,
    plugin: specifier,
    stateVersion: plugin.stateVersion,
    config: { ...config },
  };
  return exactFrom === undefined ? saved : { ...saved, exactFrom };
}

/** Fills a new model with what a checkpoint, or the file of a version, has of it. Throws STORE_DAMAGED, MEMORY_FULL. */
export function restoreModel(folder: CheckpointFolder, manifest: Manifest, model: Model): void {
  restoreTables(folder, manifest, tablesOf(model));
}

/**
 * Saves the tables of a model that nobody changes now, as of a revision; `forgettings`: see `Manifest`. Throws DISK_FULL,
 * CHECKPOINT_FAILED.
 */
export async function saveVersion(
  arena: Arena,
  state: string,
  saved: SavedModel,
  stateTables: StateTables,
  revision: number,
  forgettings: Manifest['forgettings'] = [],
): Promise<void> {
  const tables = prefixed(prefixOf(saved.name), stateTables);
  const captured = Object.entries(tables).map(([key, { descriptor, rows }]) => [key, { descriptor, rows }] as const);
  for (const table of Object.values(tables)) {
    table.abandonSaving();
    table.beginSaving();
  }
  const capture = {
    revision,
    since: undefined,
    decided: { scenarios: [] },
    models: [saved],
    tables: Object.fromEntries(captured),
    blocks: {},
  };
  try {
    await saveCheckpoint(capture, { arena, folder: versionFolder(state, saved.name, saved.version), forgettings });
  } finally {
    // No checkpoint of the whole has any of it yet.
    for (const table of Object.values(tables)) table.abandonSaving();
  }
}
