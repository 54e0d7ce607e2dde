import { fusionOf } from '../../server/models/fusion.ts';
import { requireTableSpecs } from '../../server/models/table-specs.ts';
import type { Law } from './law.ts';
import { jsonSchema, type SchemaNode } from './subjects.ts';

/** What a plugin says of itself. The other laws rely on these. */
export const declaringLaws: readonly Law[] = [
  {
    name: 'its configuration describes itself, and has a seed',
    violations: ({ plugin }) => {
      const schema = jsonSchema(plugin);
      const defaults = plugin.config.safeParse({});
      return [
        ...undescribed(schema),
        ...(schema.properties?.seed ? [] : ['it has no seed']),
        ...(defaults.success ? [] : [`its defaults are refused: ${defaults.error.message}`]),
        ...(plugin.config.safeParse({ noSuchSetting: 1 }).success ? ['it takes a setting that it does not know'] : []),
      ];
    },
  },
  {
    name: 'its tables are such that the host can keep its promises for them',
    violations: ({ plugin, config }) => {
      requireTableSpecs(plugin.name, plugin.tables(config));
      return [];
    },
  },
  {
    name: 'what it says of fusing covers its columns, and fits them',
    violations: ({ plugin, config }) => {
      fusionOf(plugin, config);
      return [];
    },
  },
];

function undescribed(node: SchemaNode, path = ''): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const inner = child as SchemaNode;
    const own = inner.description ? [] : [`${path}${name} has no description`];
    return [...own, ...undescribed(inner, `${path}${name}.`)];
  });
}
