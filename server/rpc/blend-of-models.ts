import type { SourceTask } from '../jobs/fuse/source-tasks.ts';
import type { BlendConfig } from '../models/blend/members.ts';
import type { Model, ModelDescriptor } from '../models/model.ts';
import { loadPlugin, membersNamed, nameBlend } from '../models/plugins.ts';

/** What a model of these members is: its plugin and settings. Of a model that is a blend itself its first member goes in. */
export async function blendOfModels(
  { descriptor }: Model,
  sources: readonly SourceTask[],
): Promise<Pick<ModelDescriptor, 'plugin' | 'config'>> {
  const others = sources.flatMap((source) => (source.type === 'version' ? [source.descriptor] : []));
  const members = [descriptor, ...others].map(firstOf);
  const plugin = nameBlend(members.map((member) => member.plugin));
  const { seed } = descriptor.config;
  const { config } = await loadPlugin(plugin);
  return { plugin, config: config.parse({ seed, members: members.map((member) => member.config) }) };
}

function firstOf({ plugin, config }: Pick<ModelDescriptor, 'plugin' | 'config'>) {
  const [first] = membersNamed(plugin) ?? [];
  return first === undefined ? { plugin, config } : { plugin: first, config: (config as BlendConfig).members[0] };
}
