import { existsSync, readdirSync } from 'node:fs';
import type { ColumnSpec, Plugin, RetractPromise, TableSpecs } from '../plugins/contract/index.ts';
import { renderPluginSettings, renderTable } from '../server/config/reference.ts';
import { strategiesFor } from '../server/jobs/fuse/strategies/strategies.ts';
import { Arena } from '../server/memory/arena.ts';
import { Scale } from '../server/memory/scale.ts';
import { WritableWorld } from '../server/memory/world.ts';
import { fusionOf } from '../server/models/fusion.ts';
import { Peers } from '../server/models/peers.ts';
import { loadPlugin } from '../server/models/plugins.ts';
import { WritableModel } from '../server/models/writable-model.ts';

/** The reference of the plugins: what is in each folder of `plugins/` that holds a `plugin.ts`. */

const INTRODUCTION = `# Plugins

<!-- Made by \`npm run docs\` from the definitions in plugins/; do not edit. -->

A model is a plugin with a name and settings: \`models\` of the [configuration](configuration.md) lists them. The settings
below go under \`config\` of a model. [plugin-contract.md](plugin-contract.md) says how to write a plugin, and what its
[capabilities](plugin-contract.md#what-a-scorer-may-offer) are.`;

const PLUGINS = new URL('../plugins/', import.meta.url);
const BUDGET_BYTES = 64 * 2 ** 20;

const RETRACTION: Readonly<Record<RetractPromise, string>> = {
  exact: 'Retraction is exact: the model is as if it had never seen the rating, up to rounding.',
  approximate: 'Retraction is approximate: the larger part of what the rating did is undone.',
  none: 'Retraction undoes nothing: the model keeps what it learned.',
};

export async function renderPlugins(): Promise<string> {
  const names = readdirSync(PLUGINS).filter(isPlugin);
  const sections = names.sort().map(async (name) => renderPlugin(await loadPlugin(name)));
  return `${[INTRODUCTION, ...(await Promise.all(sections))].join('\n\n')}\n`;
}

/** The contract has a `plugin.ts` too, which says what one is. */
function isPlugin(name: string): boolean {
  return name !== 'contract' && existsSync(new URL(`${name}/plugin.ts`, PLUGINS));
}

function renderPlugin(plugin: Plugin): string {
  const config = plugin.config.parse({});
  return [
    `## ${plugin.name}`,
    plugin.summary,
    renderFacts(plugin, config),
    `Tables of \`${plugin.name}\` with the default settings:`,
    renderTables(plugin.tables(config)),
    `Settings of \`${plugin.name}\`:`,
    renderPluginSettings(plugin.config),
  ].join('\n\n');
}

function renderFacts(plugin: Plugin, config: { readonly seed: number }): string {
  const capabilities = capabilitiesOf(plugin, config);
  const facts = [
    `- Capabilities: ${capabilities.join(', ')}.`,
    `- ${RETRACTION[plugin.retracts]}`,
    `- ${plugin.ranksStrangers ? 'Ranks' : 'Does not rank'} for users without ratings.`,
    `- ${renderFusion(plugin, config, capabilities.includes('predict'))}`,
    `- ${renderTuning(plugin, config)}`,
    `- Equations, sources and what a retraction leaves: [plugin.ts](../plugins/${plugin.name}/plugin.ts).`,
  ];
  return facts.join('\n');
}

function renderFusion(plugin: Plugin, config: { readonly seed: number }, predicts: boolean): string {
  const names = strategiesFor(plugin, config, predicts).map((name) => `\`${name}\``);
  if (names.length > 0) return `Takes \`Fuse\` by ${names.join(', ')}.`;
  return `Takes no strategy of \`Fuse\`, since ${fusionOf(plugin, config)}.`;
}

function renderTuning(plugin: Plugin, config: { readonly seed: number }): string {
  const AIMS = { rating: 'expect ratings', ranking: 'rank' } as const;
  const spaces = (['rating', 'ranking'] as const).flatMap((aim) => {
    const names = Object.keys(plugin.tuning?.(config, aim) ?? {}).map((name) => `\`${name}\``);
    return names.length > 0 ? [`to ${AIMS[aim]} better ${names.join(', ')}`] : [];
  });
  return spaces.length > 0
    ? `[\`TuneModel\`](tuning.md) searches, unless it is told what, ${spaces.join('; ')}.`
    : 'Recommends no settings to [`TuneModel`](tuning.md).';
}

/** Some capabilities show only in a model: one is made, over a memory of its own. */
function capabilitiesOf(plugin: Plugin, config: { readonly seed: number }): string[] {
  const arena = Arena.create(BUDGET_BYTES);
  const host = { arena, world: WritableWorld.create(arena, 0), scale: new Scale(1, 5), peers: new Peers() };
  const { name } = plugin;
  return WritableModel.create(host, plugin, { namespace: '', name, plugin: name, config }, 1).capabilities;
}

function renderTables(tables: TableSpecs): string {
  const rows = Object.entries(tables).map(([name, { index, columns, sampled }]) => [
    `\`${name}\``,
    index === 'model' ? 'the model (one row)' : `${index === 'item' ? 'an' : 'a'} ${index}`,
    Object.entries(columns).map(renderColumn).join(', '),
    index === 'model' ? 'that one' : `the event's own${sampled ? ', and sampled ones' : ''}`,
  ]);
  return renderTable(['table', 'a row for', 'columns', 'rows that an event changes'], rows);
}

function renderColumn([name, { type, width }]: [string, ColumnSpec]): string {
  return `\`${name}\` ${type}${width === 1 ? '' : ` x ${width}`}`;
}
