import { areEnough, findHeader } from './columns.ts';
import { SEPARATORS, splitFields } from './fields.ts';
import { hasId, type ItemColumn, type ItemField, isMovieLens, itemFieldOf, itemFieldsOf } from './item-columns.ts';
import { type FileItem, flatten, type ItemCells, readAttribute, readItem, splitList } from './item-row.ts';
import { isObject, type JsonObject, textOf } from './json-object.ts';
import type { Form, Layout } from './row-reader.ts';

/** An item may have 64 KiB of attributes and 16 embeddings. */
const LINE_BYTES_MAX = 4 * 1024 * 1024;
/** How MovieLens says that a movie has none. */
const NO_GENRES = '(no genres listed)';
/** `Toy Story (1995)` */
const YEAR = /\((\d{4})\)\s*$/;

/** Files of items; `columns` are names of columns and attributes, where the file has no header. */
export function itemForm(columns?: readonly string[]): Form<FileItem> {
  return {
    noun: 'item',
    bytesMax: LINE_BYTES_MAX,
    findLayout: (firstRow) => findLayout(firstRow, columns),
    readObject: columns ? () => 'JSON names its own fields: leave --columns out' : readObject,
  };
}

function findLayout(firstRow: string, columns?: readonly string[]): Layout<FileItem> | string {
  for (const separator of SEPARATORS) {
    const row = splitFields(firstRow, separator);
    if (typeof row === 'string' || row.length < 2) continue;
    const ownNames = hasId(itemFieldsOf(row));
    if (columns ? columns.length > row.length : !ownNames) continue;
    if (!columns && areEnough(findHeader(row), ''))
      return 'is a header of ratings: leave --items out, or say with --columns which field is what';
    const fields = itemFieldsOf(columns ?? row);
    const adjust = !columns && isMovieLens(row) ? readMovie : (cells: ItemCells) => cells;
    return {
      separator,
      width: row.length,
      header: columns ? isHeader(row, fields) : true,
      read: (cells, line) => readItem(adjust(pick(cells, fields)), line),
    };
  }
  return columns
    ? 'has not the fields that --columns names'
    : 'names no id: it must be a header such as item_id,title,categories,year, or say with --columns which field is what';
}

/** Under named columns the first row may be a header all the same. */
function isHeader(row: readonly string[], fields: readonly ItemField[]): boolean {
  const at = fields.findIndex((field) => field && 'column' in field && field.column === 'item');
  return hasId([itemFieldOf(row[at])]);
}

function pick(row: readonly string[], fields: readonly ItemField[]): ItemCells {
  const texts: Partial<Record<ItemColumn, string>> = {};
  const attributes: Record<string, unknown> = {};
  for (const [at, field] of fields.entries()) {
    if (field && 'column' in field) texts[field.column] = row[at];
    const value = field && 'attribute' in field ? readAttribute(row[at]) : undefined;
    if (field && 'attribute' in field && value !== undefined) attributes[field.attribute] = value;
  }
  return {
    texts,
    categories: splitList(texts.categories ?? ''),
    labels: splitList(texts.labels ?? ''),
    attributes,
  };
}

/** MovieLens writes the year into the title, and words where there are no genres. */
function readMovie(cells: ItemCells): ItemCells {
  const year = YEAR.exec(cells.texts.title ?? '')?.[1];
  return {
    ...cells,
    categories: cells.categories.filter((category) => category !== NO_GENRES),
    attributes: year === undefined ? cells.attributes : { year: Number(year), ...cells.attributes },
  };
}

function readObject(object: JsonObject, line: number, text: string): FileItem | string {
  const texts: Partial<Record<ItemColumn, string>> = {};
  const lists: { categories?: string[]; labels?: string[] } = {};
  let attributes: Record<string, unknown> = {};
  let embeddings: ItemCells['embeddings'];
  for (const [key, value] of Object.entries(object)) {
    const field = itemFieldOf(key);
    if (value === null || !field) continue;
    if (key === 'attributes' && isObject(value)) attributes = { ...attributes, ...value };
    else if (key === 'embeddings') embeddings = readEmbeddings(value);
    else if ('attribute' in field) attributes[field.attribute] ??= value;
    else if (field.column === 'categories' || field.column === 'labels') lists[field.column] ??= readList(value);
    else texts[field.column] ??= textOf(object, key, text);
  }
  if ([lists.categories, lists.labels].some((list) => list?.some((entry) => typeof entry !== 'string')))
    return 'categories and labels must be lists of texts';
  if (!embeddings && object.embeddings) return 'embeddings must be lists of numbers by name';
  const { categories = [], labels = [] } = lists;
  return readItem({ texts, categories, labels, attributes: flatten(attributes), embeddings }, line);
}

function readList(value: unknown): string[] {
  return Array.isArray(value) ? value : splitList(String(value));
}

/** `{"clip": [0.1, 0.2]}`, or as protobuf has it: `{"clip": {"values": [0.1, 0.2]}}`. */
function readEmbeddings(value: unknown): ItemCells['embeddings'] | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).map(([name, vector]) => {
    const values: unknown = isObject(vector) ? vector.values : vector;
    return [name, { values: Array.isArray(values) ? values : undefined }] as const;
  });
  const whole = entries.every(([, { values }]) => values?.every((each) => typeof each === 'number'));
  return whole ? (Object.fromEntries(entries) as ItemCells['embeddings']) : undefined;
}
