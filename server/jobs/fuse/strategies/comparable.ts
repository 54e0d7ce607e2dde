import { isDeepStrictEqual } from 'node:util';
import type { Fusion, Plugin } from '../../../../plugins/contract/index.ts';
import { fusionOf } from '../../../models/fusion.ts';

/** What two models have to have in common so that one can be made of them. */

export interface Shape {
  readonly name: string;
  readonly fusion: Fusion<never>;
  /** Of every column, by its whole name. */
  readonly widths: ReadonlyMap<string, number>;
}

/** Of a model that can be fused. */
export function shapeOf(name: string, plugin: Plugin, config: { readonly seed: number }): Shape {
  const fusion = fusionOf(plugin, config);
  if (typeof fusion === 'string') throw new TypeError(`${name} is not fused: ${fusion}`);
  const widths = Object.entries(plugin.tables(config)).flatMap(([table, { columns }]) =>
    Object.entries(columns).map(([column, { width }]) => [`${table}.${column}`, width] as const),
  );
  return { name, fusion, widths: new Map(widths) };
}

/** Why a source does not fit a model, in words that continue its name; undefined: it does. */
export function misfitOf(model: Shape, source: Shape, ranks: 'equal' | 'any'): string | undefined {
  for (const [name, meaning] of Object.entries(model.fusion.columns)) {
    if (meaning.as === 'own') continue;
    const other = source.fusion.columns[name];
    // What only says how to go on learning can be missing.
    if (!other && meaning.as === 'first') continue;
    if (!isDeepStrictEqual(other, meaning))
      return `has other tables than ${model.name}: no ${name} that means the same`;
    const [width, own] = [source.widths.get(name), model.widths.get(name)];
    if (width === own) continue;
    if (meaning.as !== 'factors') return `has ${width} numbers in a row of ${name}, where ${model.name} has ${own}`;
    if (ranks === 'equal')
      return `has ${width} factors (${name}), and ${model.name} has ${own}: FUSE_STRATEGY_CONCAT takes different ranks`;
  }
  for (const [setting, value] of Object.entries(model.fusion.alike ?? {})) {
    const other = source.fusion.alike?.[setting];
    if (!isDeepStrictEqual(other, value))
      return `has ${setting} ${JSON.stringify(other)}, and ${model.name} has ${JSON.stringify(value)}: their numbers mean different things`;
  }
  return undefined;
}
