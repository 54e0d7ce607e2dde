import { loadPlugin } from '../models/plugins.ts';
import type { Manifest } from '../store/checkpoints/manifest.ts';
import { begunOf, type LoadedModel, pluginOf, versionsOf } from '../store/control.ts';

/** Plugins that are loaded into this thread before their states are looked at; one that is gone is told of by whoever needs it. */

/** Those of all kept versions. */
export function preloadVersions(models: readonly LoadedModel[]): Promise<void> {
  return preload(
    models.flatMap((model) => [begunOf(model).plugin, ...versionsOf(model).map((version) => pluginOf(model, version))]),
  );
}

/** Those of the worlds of arms in a checkpoint: the model of an arm that was stopped since may be loaded no more. */
export function preloadCohorts({ cohorts = {} }: Pick<Manifest, 'cohorts'>): Promise<void> {
  return preload(
    Object.values(cohorts)
      .flat()
      .map(({ plugin }) => plugin),
  );
}

async function preload(plugins: readonly string[]): Promise<void> {
  for (const plugin of new Set(plugins)) await loadPlugin(plugin).catch(() => {});
}
