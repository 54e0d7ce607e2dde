/** A line of JSON Lines. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Numbers with fewer characters are told exactly by the double that they are read as. */
const EXACT_LENGTH_MAX = 15;

/** The object that a line is; undefined if it is none. */
export function parseObject(text: string): JsonObject | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}

/**
 * The text, number or truth value of a key, as text: numbers with all the digits that the line gives them. "" for null
 * and what is missing; undefined for lists and objects. `text` is the line.
 */
export function textOf(object: JsonObject, key: string, text: string): string | undefined {
  const value = object[key] ?? '';
  if (typeof value === 'object') return undefined;
  const short = Object.is(value, -0) ? '-0' : String(value);
  return typeof value === 'number' && short.length > EXACT_LENGTH_MAX ? digitsOf(key, text) : short;
}

/** A number as it stands in the line. */
function digitsOf(key: string, text: string): string {
  const found: { readonly holder: unknown; readonly source: string }[] = [];
  const root: unknown = JSON.parse(text, function (this: unknown, name, value, context?: { readonly source?: string }) {
    if (name === key && context?.source !== undefined) found.push({ holder: this, source: context.source });
    return value;
  });
  return found.find(({ holder }) => holder === root)?.source ?? '';
}

/** Whether JSON has an object here, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
