import { loadPlugin } from '../models/plugins.ts';
import { begunOf, type LoadedModel, pluginOf, versionsOf } from '../store/control.ts';

/** Loads the plugins of all kept versions into this thread; a version whose plugin is gone cannot be brought back, and is told so. */
export async function preloadVersions(models: readonly LoadedModel[]): Promise<void> {
  const plugins = models.flatMap((model) => [
    begunOf(model).plugin,
    ...versionsOf(model).map((version) => pluginOf(model, version)),
  ]);
  for (const plugin of new Set(plugins)) await loadPlugin(plugin).catch(() => {});
}
