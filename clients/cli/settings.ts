import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { parse } from 'yaml';

/** Settings by their names, as options take them. */
export type Settings = Readonly<Record<string, unknown>>;

/** Of `@FILE`, or of an object; undefined for any other text. */
export function findSettings(text: string): Settings | undefined {
  if (text.startsWith('@')) return requireObject(read(text.slice(1)), text);
  return text.trimStart().startsWith('{') ? requireObject(text, text) : undefined;
}

/** A number, a truth value, a list or an object, where it reads as JSON; else the text. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** YAML, of which JSON is a part. */
function requireObject(text: string, what: string): Settings {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`${what} is neither JSON nor YAML: ${(error as Error).message}.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Settings;
  throw new InvalidArgumentError(`${what} holds no settings by name.`);
}
