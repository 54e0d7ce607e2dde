import type { z } from 'zod';
import type { FieldViolation } from '../errors.ts';
import { type Entry, show } from './layer.ts';
import { findNearest } from './nearest.ts';
import { describeAllowed, findNode, requireNode, type SchemaNode, settings } from './settings.ts';

type Path = readonly PropertyKey[];

/**
 * Says for each mistake that the schema found which key it is, what it holds, where that came from and what it takes;
 * one mistake a key.
 */
export function explain(issues: readonly z.core.$ZodIssue[], entries: ReadonlyMap<string, Entry>): FieldViolation[] {
  const violations = issues.flatMap((issue) => explainIssue(issue, entries));
  return [...new Map(violations.map((violation) => [violation.field, violation])).values()];
}

function explainIssue(issue: z.core.$ZodIssue, entries: ReadonlyMap<string, Entry>): FieldViolation[] {
  if (issue.code === 'invalid_key') return [explainName(issue, entries)];
  const node = findNode(issue.path);
  const { place, value } = findValue(issue.path, entries);
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(node?.properties ?? {});
    return issue.keys.map((key) => ({
      field: formatPath([...issue.path, key]),
      description: `${place} has a key that is not known; the nearest known one is \`${findNearest(key, known)}\``,
    }));
  }
  const rule = issue.code === 'custom' || node === undefined ? issue.message : `it takes ${describeAllowed(node)}`;
  const fact = value === undefined ? `${place} lacks it` : `${place} holds ${show(value)}`;
  return [{ field: formatPath(issue.path), description: `${fact}; ${rule}` }];
}

/** A name in a mapping that may not be one. */
function explainName({ path }: z.core.$ZodIssueInvalidKey, entries: ReadonlyMap<string, Entry>): FieldViolation {
  const { place } = findValue(path, entries);
  const allowed = requireNode(path.slice(0, -1)).propertyNames as SchemaNode;
  const description = `${place} has the name ${show(path.at(-1))}; it takes ${describeAllowed(allowed)}`;
  return { field: formatPath(path), description };
}

/** The value at a path and its place; both are the default's where no source sets it. */
function findValue(path: Path, entries: ReadonlyMap<string, Entry>): { place: string; value: unknown } {
  const depth = [1, 2].find((length) => settings.has(path.slice(0, length).join('.'))) ?? path.length;
  const entry = entries.get(path.slice(0, depth).join('.'));
  if (entry === undefined) return { place: 'the default', value: findNode(path)?.default };
  return { place: entry.findPlace(path), value: path.slice(depth).reduce(descend, entry.value) };
}

function descend(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
}

/** `models[0].name` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
