import { loadedPlugin } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import type { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { type Manifest, ofCohort, type SavedModel } from '../store/checkpoints/manifest.ts';
import type { Classrooms } from './classrooms.ts';
import type { CohortChoice } from './cohort.ts';
import { restoreWorld } from './restoring.ts';
import { hasModelTables, restoreModel } from './state.ts';

/** Worlds beside the main one as checkpoints have them. */

/** Whether a checkpoint has such a world, and its models as their plugins make them now. */
export function hasCohort(manifest: Manifest, { key }: Pick<CohortChoice, 'key'>): boolean {
  const models = manifest.cohorts?.[key];
  const saved = ofCohort(manifest, key);
  return models?.every((model) => resolve(saved, model) !== undefined) ?? false;
}

/** Fills it with what a checkpoint has of it, which `hasCohort`. `window`: of live figures. Throws STORE_DAMAGED, MEMORY_FULL. */
export function restoreCohort(
  folder: CheckpointFolder,
  manifest: Manifest,
  choice: CohortChoice,
  classrooms: Classrooms,
  window: number,
): void {
  const saved = ofCohort(manifest, choice.key);
  classrooms.restore(choice, (host) => {
    restoreWorld(folder, saved, host.world);
    return saved.models.flatMap((each) => {
      const resolved = resolve(saved, each);
      if (!resolved) return [];
      const model = WritableModel.create(host, resolved.plugin, resolved.spec, window, undefined, each.version);
      restoreModel(folder, saved, model);
      return [model];
    });
  });
}

/** Undefined: the plugin is gone, or keeps its state otherwise by now. */
function resolve(manifest: Manifest, { name, plugin: specifier, config, stateVersion }: SavedModel) {
  const plugin = loadedPlugin(specifier);
  const parsed = plugin?.config.safeParse(config);
  if (!plugin || !parsed?.success || plugin.stateVersion !== stateVersion) return undefined;
  const spec = { namespace: '', name, plugin: specifier, config: parsed.data };
  return hasModelTables(manifest, spec, plugin) ? { plugin, spec } : undefined;
}
