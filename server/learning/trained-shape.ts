import type { Plugin, TableSpecs } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import type { ResolvedModel } from '../models/plugins.ts';
import { columnsOf } from '../models/table-specs.ts';
import { begunOf, type LoadedModel, versionOf } from '../store/control.ts';

/** Columns that a message names. */
const LISTED = 3;

/**
 * A model whose settings changed learns the journal once more; what a refit trained it to does not come back by that. As
 * long as nobody says that it may go, a start keeps to the shape of what was trained. `before`: what was decided of the model.
 * Throws CONFIG_INVALID.
 */
export function requireTrainedShape({ plugin, spec }: ResolvedModel, before: LoadedModel): void {
  if (begunOf(before).plugin !== spec.plugin) return;
  const { version, origin } = versionOf(before);
  if (version === '1') return;
  const changed = before.plugin === spec.plugin ? changedTables(plugin, before, spec.config) : [before.plugin];
  if (changed.length === 0) return;
  const { name } = spec;
  const list = [...changed.slice(0, LISTED), ...(changed.length > LISTED ? [`${changed.length - LISTED} more`] : [])];
  throw new AccreteError(
    'CONFIG_INVALID',
    `models: the settings of ${name} make tables of another shape (${list.join(', ')}) than its version ${version} has, ` +
      `which ${origin} made and which would be lost: set them back. Then add a model of another name and train that with ` +
      `\`accrete fuse\`, or give this one up (\`accrete models unload ${name}\`), start with the new settings and train it`,
    { metadata: { model: name, version } },
  );
}

function changedTables(plugin: Plugin, before: LoadedModel, config: { readonly seed: number }): string[] {
  const trained = plugin.config.safeParse(before.config);
  return trained.success ? differences(plugin.tables(trained.data), plugin.tables(config)) : [];
}

/** `TABLE.COLUMN` of those that only one of the two has, or that are not as wide or of another type. */
function differences(one: TableSpecs, other: TableSpecs): string[] {
  const [here, there] = [shapesOf(one), shapesOf(other)];
  const names = new Set([...here.keys(), ...there.keys()]);
  return [...names].filter((name) => here.get(name) !== there.get(name));
}

function shapesOf(tables: TableSpecs): Map<string, string> {
  return new Map(Array.from(columnsOf(tables), ([name, { type, width }]) => [name, `${type} x ${width}`]));
}
