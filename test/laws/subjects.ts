import { readdirSync } from 'node:fs';
import { z } from 'zod';
import type { Plugin } from '../../plugins/contract/index.ts';
import { DEFAULTS, type Subject } from './law.ts';

/**
 * Configurations of a plugin, from its own schema: the defaults, and every setting alone at its extremes. What matters only
 * with another setting says so in its meta, as `with: { thatSetting: [values] }`, and is tried with each of these.
 */

/** How far within a bound that is not legal itself. */
const INSIDE = 1e-6;

/** Every folder of `plugins/` that has a `plugin.ts`, less the contract. */
export function pluginNames(): string[] {
  const folder = new URL('../../plugins/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const names = files.flatMap((path) => /^([a-z0-9-]+)[\\/]plugin\.ts$/.exec(path)?.[1] ?? []);
  return names.filter((name) => name !== 'contract').sort();
}

export function subjectsOf(plugin: Plugin): Subject[] {
  const wanted: [label: string, input: object][] = [
    [DEFAULTS, {}],
    ...leaves(jsonSchema(plugin)).flatMap(({ path, node, others }) =>
      extremes(node).flatMap((value) =>
        others.map((other): [string, object] => [
          [...Object.entries(other), [path.join('.'), value]].map(say).join(' '),
          { ...other, ...nest(path, value) },
        ]),
      ),
    ),
  ];
  const seen = new Set<string>();
  return wanted.flatMap(([label, input]) => {
    const parsed = plugin.config.safeParse(input);
    // Some settings are legal only together with others.
    if (!parsed.success) return [];
    const key = JSON.stringify(parsed.data);
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ plugin, config: parsed.data, label }];
  });
}

export type SchemaNode = z.core.JSONSchema.BaseSchema & {
  readonly with?: Readonly<Record<string, readonly unknown[]>>;
};

const say = ([name, value]: readonly unknown[]) => `${name}=${JSON.stringify(value)}`;

export function jsonSchema(plugin: Plugin): SchemaNode {
  return z.toJSONSchema(plugin.config, { io: 'input' });
}

interface Leaf {
  readonly path: readonly string[];
  readonly node: SchemaNode;
  /** With what it is to be tried; {}: alone. */
  readonly others: readonly object[];
}

/** The settings that are no sections. */
function leaves(node: SchemaNode, path: readonly string[] = [], others: readonly object[] = [{}]): Leaf[] {
  const named = Object.entries(node.with ?? {});
  const own = named.length > 0 ? named.flatMap(([name, values]) => values.map((value) => ({ [name]: value }))) : others;
  if (!node.properties) return [{ path, node, others: own }];
  return Object.entries(node.properties).flatMap(([name, child]) => leaves(child as SchemaNode, [...path, name], own));
}

/** The values at the edges of what a setting may be. */
function extremes(node: SchemaNode): unknown[] {
  if (node.anyOf) return node.anyOf.flatMap((choice) => extremes(choice as SchemaNode));
  if (node.enum) return [...node.enum];
  if (node.type === 'boolean') return [true, false];
  if (node.type === 'null') return [null];
  if (node.type !== 'number' && node.type !== 'integer') return [];
  const least = node.minimum ?? Number(node.exclusiveMinimum) + INSIDE;
  const most = node.maximum ?? Number(node.exclusiveMaximum) - INSIDE;
  return [least, most].filter((value) => Number.isFinite(value));
}

function nest(path: readonly string[], value: unknown): object {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}
