import { isDeepStrictEqual } from 'node:util';
import { type Fusion, type Plugin, SVD_MAX } from '../../../../plugins/contract/index.ts';
import { requireFusion } from '../../../models/fusion.ts';
import { columnsOf, type DeclaredColumn } from '../../../models/table-specs.ts';
import { spacesOf } from './members.ts';

/** What two models have to have in common so that one can be made of them. */

export interface Shape {
  readonly name: string;
  readonly fusion: Pick<Fusion<never>, 'columns' | 'alike'>;
  /** Every column that is there, by its whole name. */
  readonly columns: ReadonlyMap<string, DeclaredColumn>;
}

/** Of a model that can be fused. */
export function shapeOf(name: string, plugin: Plugin, config: { readonly seed: number }): Shape {
  return { name, fusion: requireFusion(name, plugin, config), columns: columnsOf(plugin.tables(config)) };
}

/**
 * Why a source does not fit a model, in words that continue its name; undefined: it does. What a source does not have, it
 * does not know; but a space of factors is there as a whole, and whatever is there comes with its count.
 */
export function misfitOf(model: Shape, source: Shape, ranks: 'equal' | 'any'): string | undefined {
  const shared = Object.keys(model.fusion.columns).filter(
    (name) => model.fusion.columns[name].as !== 'own' && source.columns.has(name),
  );
  return (
    settingsMisfit(model, source) ??
    shared.map((name) => columnMisfit(name, model, source, ranks)).find((misfit) => misfit !== undefined) ??
    missingMisfit(model, source, shared)
  );
}

function settingsMisfit({ name, fusion }: Shape, source: Shape): string | undefined {
  for (const [setting, value] of Object.entries(fusion.alike ?? {})) {
    const other = source.fusion.alike?.[setting];
    if (isDeepStrictEqual(other, value)) continue;
    const has = other === undefined ? `no ${setting} in use` : `${setting} ${JSON.stringify(other)}`;
    return `has ${has}, and ${name} has ${JSON.stringify(value)}: their numbers mean different things`;
  }
  return undefined;
}

function columnMisfit(column: string, model: Shape, source: Shape, ranks: 'equal' | 'any'): string | undefined {
  const meaning = model.fusion.columns[column];
  if (!isDeepStrictEqual(source.fusion.columns[column], meaning))
    return `has other tables than ${model.name}: its ${column} means something else`;
  const [own, other] = [model, source].map(({ columns }) => columns.get(column));
  if (!own || !other) return undefined;
  if (own.index !== other.index) return `has ${column} by ${other.index}, and ${model.name} has it by ${own.index}`;
  if (own.type !== other.type) return `has ${column} as ${other.type}, and ${model.name} has it as ${own.type}`;
  // Before anybody makes room for them.
  if (meaning.as === 'factors' && ranks === 'any')
    return own.width + other.width <= SVD_MAX
      ? undefined
      : `has ${other.width} factors (${column}), and ${model.name} has ${own.width}: at most ${SVD_MAX} can stand side by side`;
  if (own.width === other.width) return undefined;
  if (meaning.as !== 'factors')
    return `has ${other.width} numbers in a row of ${column}, and ${model.name} has ${own.width}`;
  return `has ${other.width} factors (${column}), and ${model.name} has ${own.width}: FUSE_STRATEGY_CONCAT takes different ranks`;
}

function missingMisfit({ name, fusion }: Shape, source: Shape, shared: readonly string[]): string | undefined {
  if (shared.every((column) => fusion.columns[column].as === 'count'))
    return `has no column that is fused with ${name}`;
  for (const column of shared) {
    const needs = neededBy(fusion.columns[column]).find((other) => !source.columns.has(other));
    if (needs !== undefined) return `has ${column} without ${needs}, which says how much it counts`;
  }
  for (const [space, columns] of spacesOf(fusion.columns)) {
    const there = columns.filter((column) => source.columns.has(column.name));
    if (there.length === 0 || there.length === columns.length) continue;
    const missing = columns.find((column) => !source.columns.has(column.name));
    return `has not all factors of ${space}: ${missing?.name} is missing`;
  }
  return undefined;
}

function neededBy(meaning: Fusion<never>['columns'][string]): string[] {
  if ('weight' in meaning) return [meaning.weight];
  if (meaning.as === 'gaussian') return [meaning.covariance];
  return meaning.as === 'sum' && meaning.exponent ? [meaning.exponent] : [];
}
