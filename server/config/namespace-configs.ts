import { join } from 'node:path';
import type { LoadedConfig } from './load.ts';

/** What each namespace is configured with: as the server is, with a folder and a budget of its own. */
export function namespaceConfigs({ config, sources }: LoadedConfig): [name: string, loaded: LoadedConfig][] {
  return Object.entries(config.namespaces).map(([name, { budgetMiB = config.memory.budgetMiB }]) => {
    const data = join(config.data, 'namespaces', name);
    return [name, { config: { ...config, data, memory: { ...config.memory, budgetMiB } }, sources }];
  });
}
