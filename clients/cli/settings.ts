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

/** What stands at a path of names: `count` in `replay`. */
export function settingAt([name, ...path]: readonly string[], value: unknown): Settings {
  return { [name]: path.length === 0 ? value : settingAt(path, value) };
}

/** Both, with those of `after` where both have one; sections are merged. */
export function mergeSettings(before: Settings, after: Settings): Settings {
  const merged = Object.entries(after).map(([name, value]) => {
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    return [name, isSection(old) && isSection(value) ? mergeSettings(old, value) : value];
  });
  return { ...before, ...Object.fromEntries(merged) };
}

const isSection = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

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
  if (isSection(value)) return value;
  throw new InvalidArgumentError(`${what} holds no settings by name.`);
}
