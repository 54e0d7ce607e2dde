import { inspect } from 'node:util';
import type { FieldViolation } from '../errors.ts';
import type { SchemaNode } from './settings.ts';

/** Where a value came from; a later one of these wins. */
export type Source = 'default' | 'file' | 'environment' | 'flag';

/**
 * Says where the value of a path such as `['models', 0, 'name']` stands, for messages: `accrete.yaml:3`,
 * `ACCRETE_MODELS`, `--models`.
 */
export type FindPlace = (path: readonly PropertyKey[]) => string;

/** A value that a source gives to a setting, unchecked. */
export interface Entry {
  readonly value: unknown;
  readonly findPlace: FindPlace;
}

/** What one source says: values by the path of their setting, and what it says that makes no sense. */
export interface Layer {
  readonly source: Exclude<Source, 'default'>;
  readonly entries: Map<string, Entry>;
  readonly violations: FieldViolation[];
}

const SHOWN_LENGTH_MAX = 100;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export function createLayer(source: Layer['source']): Layer {
  return { source, entries: new Map(), violations: [] };
}

/**
 * A value written as text, in the type that its setting has. Text that does not fit stays text, for the schema to
 * refuse.
 */
export function parseText(text: string, { type }: SchemaNode): unknown {
  if (type === 'array') return parseModels(text);
  if (type === 'object') return parseKinds(text);
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'integer' || type === 'number') return NUMBER.test(text) ? Number(text) : text;
  return text;
}

export function refuse(layer: Layer, field: string, description: string): void {
  layer.violations.push({ field, description });
}

/** A value in a message: on one line, and not endless. */
export function show(value: unknown): string {
  const text = inspect(value, { compact: true, breakLength: Number.POSITIVE_INFINITY });
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}

/** Models as a list in JSON, or as plugins with commas between them: names, packages or paths. */
function parseModels(text: string): unknown {
  return text.trimStart().startsWith('[')
    ? parseJson(text)
    : text.split(',').map((entry) => ({ name: modelNameOf(entry.trim()), plugin: entry.trim() }));
}

/** Kinds of events as a mapping in JSON, or as names with commas between them. */
function parseKinds(text: string): unknown {
  return text.trimStart().startsWith('{')
    ? parseJson(text)
    : Object.fromEntries(text.split(',').map((name) => [name.trim(), {}]));
}

/** Text that is no JSON stays text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A name as it is; a path or a scoped package by its last part, `./item-mean/plugin.ts` by its folder: `item-mean`. */
function modelNameOf(plugin: string): string {
  const parts = plugin.split('/');
  if (parts.length === 1) return plugin;
  const isEntry = /^(plugin|index)\.\w+$/.test(parts.at(-1) ?? '') && parts.length > 2;
  return isEntry ? (parts.at(-2) ?? '') : (parts.at(-1) ?? '').replace(/\.\w+$/, '');
}
