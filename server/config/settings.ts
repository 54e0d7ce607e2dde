import assert from 'node:assert/strict';
import { z } from 'zod';
import { findNearest } from './nearest.ts';
import { configSchema } from './schema.ts';

/** A part of a JSON Schema; `unit` and `form` are this project's, for people. */
export type SchemaNode = z.core.JSONSchema.BaseSchema & { readonly unit?: string; readonly form?: string };

/** One key that can be set. */
export interface Setting {
  /** `rating.min` */
  readonly path: string;
  /** `ACCRETE_RATING_MIN` */
  readonly variable: string;
  readonly node: SchemaNode;
}

export const PREFIX = 'ACCRETE_';

const TYPE_WORDS: Readonly<Record<string, string>> = {
  boolean: '`true` or `false`',
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
  array: 'a list',
  object: 'keys and values',
  null: '`null`',
};

/** The schema of what may be written, defaults included, as JSON Schema 2020-12. */
export const configJsonSchema: SchemaNode = z.toJSONSchema(configSchema, { io: 'input' });

/** Every setting by its path, in the order of the schema. */
export const settings: ReadonlyMap<string, Setting> = new Map(
  listLeaves(configJsonSchema).map(([path, node]) => [path, { path, variable: variableOf(path), node }]),
);

/** The leaves of a schema: every key that is not a section, with its dotted path. */
export function listLeaves(schema: SchemaNode, section = ''): [path: string, node: SchemaNode][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]): [string, SchemaNode][] => {
    const node = property as SchemaNode;
    const path = section + key;
    return node.properties ? listLeaves(node, `${path}.`) : [[path, node]];
  });
}

/** The node of a path such as `['models', 0, 'name']` or `['kinds', 'click', 'weight']`; undefined beyond what the schema describes. */
export function findNode(path: readonly PropertyKey[], root = configJsonSchema): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const key of path) {
    const inner: unknown =
      typeof key === 'number'
        ? (node.prefixItems?.[key] ?? node.items)
        : (node.properties?.[String(key)] ?? node.additionalProperties);
    node = typeof inner === 'object' ? (inner as SchemaNode) : undefined;
    if (node === undefined) return undefined;
  }
  return node;
}

/** The node of a path that is known to exist. */
export function requireNode(path: readonly PropertyKey[]): SchemaNode {
  const node = findNode(path);
  assert(node, `the configuration has no ${path.join('.')}`);
  return node;
}

/** What a value may be, in words: `a whole number from 64 to 4096 (MiB)`. */
export function describeAllowed(node: SchemaNode): string {
  if (node.form !== undefined) return node.form;
  if (node.enum !== undefined) return `one of ${node.enum.map((word) => `\`${word}\``).join(', ')}`;
  const unit = node.unit === undefined ? '' : ` (${node.unit})`;
  if (node.anyOf !== undefined)
    return node.anyOf.map((choice) => describeAllowed(choice as SchemaNode)).join(' or ') + unit;
  return (TYPE_WORDS[String(node.type)] ?? 'a value') + describeRange(node) + unit;
}

/** The path that someone who wrote `name` most likely meant; `others` are known names besides the settings. */
export function findNearestPath(name: string, others: readonly string[] = []): string {
  return findNearestName(name, [...settings.keys(), ...others], (path) => path);
}

/** The variable that someone who wrote `name` most likely meant. */
export function findNearestVariable(name: string): string {
  return findNearestName(name, [...settings.keys()], variableOf);
}

/** A key without its section and a section without a key are common slips: either stands for the whole path too. */
function findNearestName(name: string, paths: readonly string[], spell: (path: string) => string): string {
  const meant = new Map<string, string>();
  for (const path of paths) meant.set(spell(path), spell(path));
  for (const path of paths) {
    for (const part of path.split('.')) {
      if (!meant.has(spell(part))) meant.set(spell(part), spell(path));
    }
  }
  const nearest = findNearest(name, [...meant.keys()]);
  return meant.get(nearest) ?? nearest;
}

/** `memory.budgetMiB` is ACCRETE_MEMORY_BUDGET_MIB: the unit MiB counts as one word. */
function variableOf(path: string): string {
  const words = path.replaceAll('MiB', 'Mib').replaceAll(/[A-Z]/g, '_$&').replaceAll('.', '_');
  return PREFIX + words.toUpperCase();
}

/** ` from 1 to 5`, ` above 0 up to 1`, or nothing; whole numbers without a bound of their own have the safe ones. */
function describeRange({
  minimum = Number.MIN_SAFE_INTEGER,
  maximum = Number.MAX_SAFE_INTEGER,
  ...node
}: SchemaNode): string {
  let range = '';
  if (minimum > Number.MIN_SAFE_INTEGER) range += ` from ${minimum}`;
  if (node.exclusiveMinimum !== undefined) range += ` above ${node.exclusiveMinimum}`;
  if (maximum < Number.MAX_SAFE_INTEGER) range += `${range.startsWith(' from') ? '' : ' up'} to ${maximum}`;
  if (node.exclusiveMaximum !== undefined) range += ` below ${node.exclusiveMaximum}`;
  if (node.multipleOf !== undefined) range += ` by steps of ${node.multipleOf}`;
  return range;
}
