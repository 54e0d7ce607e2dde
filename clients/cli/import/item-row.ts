import { Item } from '../../../proto/gen/accrete/v1/catalog.ts';
import type { ItemColumn } from './item-columns.ts';
import { isObject, type JsonObject } from './json-object.ts';
import { parseTruth, quote } from './rating-row.ts';
import { parseNumber, parseTime, type Time, toTimestamp } from './time.ts';

/** An item as a file says it. */
export interface FileItem {
  /** Where it stands in the file: the number of its (first) line. */
  readonly line: number;
  readonly item: Item;
}

/** What a row of items says: texts by column; lists and attributes as they are. */
export interface ItemCells {
  readonly texts: Readonly<Partial<Record<ItemColumn, string>>>;
  readonly categories: readonly string[];
  readonly labels: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly embeddings?: Item['embeddings'];
}

/** Texts of so many digits are rather numbers than names: a double holds them all. */
const DIGITS_MAX = 15;
const LIST_SEPARATOR = '|';
/** Of objects in each other, in JSON. */
const DEPTH_MAX = 8;

/** The item in a row's cells, or what is wrong with it. What has limits of the server (lengths) is left to it. */
export function readItem({ texts, ...cells }: ItemCells, line: number): FileItem | string {
  const { item: itemId = '', title, available = '' } = texts;
  if (itemId === '') return 'the id is empty';
  const truth = available === '' ? undefined : parseTruth(available);
  if (available !== '' && truth === undefined) return `available is ${quote(available)}, neither true nor false`;
  const times: Partial<Record<ItemColumn, Time>> = {};
  for (const column of ['available_from', 'available_until'] as const) {
    const text = texts[column] ?? '';
    const time = parseTime(text);
    if (time) times[column] = time;
    else if (text !== '') return `${column} is ${quote(text)}, neither seconds, milliseconds nor ISO 8601`;
  }
  const { available_from: from, available_until: until } = times;
  const { attributes } = cells;
  const item = Item.fromPartial({
    itemId,
    title,
    categories: [...cells.categories],
    labels: [...cells.labels],
    attributes: Object.keys(attributes).length > 0 ? { ...attributes } : undefined,
    embeddings: cells.embeddings,
    available: truth,
    availableFrom: from && toTimestamp(from),
    availableUntil: until && toTimestamp(until),
  });
  return { line, item };
}

/** Attributes have no depth: what is nested gets names as filters write them, `specs.ram`; null says nothing. */
export function flatten(nested: JsonObject, path = '', depth = 1): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(nested)) {
    // What is nested deeper is no mistake of form: the server refuses it by its name.
    if (isObject(value) && depth < DEPTH_MAX) Object.assign(flat, flatten(value, `${path}${key}.`, depth + 1));
    else if (value !== null) flat[`${path}${key}`] = value;
  }
  return flat;
}

/** `Adventure|Children` */
export function splitList(text: string): string[] {
  return text
    .split(LIST_SEPARATOR)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** Of a text: a number or a truth value where it is one; codes such as `007` stay texts. Undefined for an empty one. */
export function readAttribute(text: string): string | number | boolean | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (/^(true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === 'true';
  const digits = trimmed.replace(/\D/g, '').length;
  const number = /^[+-]?0\d|^\+/.test(trimmed) || digits > DIGITS_MAX ? undefined : parseNumber(trimmed);
  return number ?? text;
}
