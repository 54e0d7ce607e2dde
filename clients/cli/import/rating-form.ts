import { areEnough, type Cells, COLUMNS, type Column, type Columns, findColumn, findHeader } from './columns.ts';
import { SEPARATORS, splitFields } from './fields.ts';
import { type JsonObject, textOf } from './json-object.ts';
import { type FileRating, readRating } from './rating-row.ts';
import type { Form, Layout } from './row-reader.ts';

export interface RatingFormOptions {
  /** Which field is what; absent: the file says it, or it is as usual. */
  readonly columns?: Columns;
  /** What rows without a kind are. Absent: ratings. */
  readonly kind?: string;
}

/** What the fields of a file without a header are, by their number; events need no value. */
const TIMED: Columns = { user: 0, item: 1, value: 2, time: 3 };
const UNTIMED: Columns = { user: 0, item: 1, value: 2 };
const EVENTS: readonly (Columns | undefined)[] = [
  undefined,
  undefined,
  { user: 0, item: 1 },
  { user: 0, item: 1, time: 2 },
];
/** Of a rating; an event may have one less. */
const WIDTH_MIN = 3;

/** Files of ratings and events. */
export function ratingForm({ columns: named, kind = '' }: RatingFormOptions = {}): Form<FileRating> {
  return {
    noun: 'rating',
    findLayout: (firstRow) => findLayout(firstRow, kind, named),
    readObject: (object, line, text) => readObject(object, line, text, kind, named),
  };
}

function findLayout(firstRow: string, kind: string, named?: Columns): Layout<FileRating> | string {
  let widest = 0;
  for (const separator of SEPARATORS) {
    const fields = splitFields(firstRow, separator);
    if (typeof fields === 'string') continue;
    const found = named ? findNamed(fields, kind, named) : findUsual(fields, kind);
    if (found) {
      const pick = pickerOf(found.columns);
      const read = (row: readonly string[], line: number) => readRating(pick(row), line, kind);
      return { separator, width: fields.length, header: found.header, read };
    }
    widest = Math.max(widest, fields.length);
  }
  if (widest < WIDTH_MIN) return 'has no user, item and value with commas, tabs or :: between them';
  if (named) return 'has neither a rating in the columns that --columns names, nor words in their place';
  return 'is neither a rating (user, item, value, time) nor a header with such names: say with --columns which field is what, or --items if these are items';
}

interface Found {
  readonly columns: Columns;
  readonly header: boolean;
}

function findUsual(fields: readonly string[], kind: string): Found | undefined {
  const columns = findHeader(fields);
  if (areEnough(columns, kind)) return { columns, header: true };
  const event = kind === '' ? undefined : EVENTS[fields.length];
  const usual = event ?? (fields.length > WIDTH_MIN ? TIMED : UNTIMED);
  return isRating(fields, usual, kind) ? { columns: usual, header: false } : undefined;
}

/** Under named columns the first row may be a header in words of its own: none of its numbers looks like one. */
function findNamed(fields: readonly string[], kind: string, columns: Columns): Found | undefined {
  if (Math.max(...Object.values(columns)) >= fields.length) return undefined;
  if (isRating(fields, columns, kind) && !isHeader(fields, columns)) return { columns, header: false };
  const numbers = [columns.value, columns.time, columns.weight].filter((column) => column !== undefined);
  const words = numbers.length > 0 && numbers.every((column) => /^\s*\p{L}/u.test(fields[column]));
  return words || isHeader(fields, columns) ? { columns, header: true } : undefined;
}

/** Where events have texts alone, a row of names is a header all the same. */
function isHeader(fields: readonly string[], columns: Columns): boolean {
  return findColumn(fields[columns.user ?? 0]) === 'user' && findColumn(fields[columns.item ?? 0]) === 'item';
}

function isRating(fields: readonly string[], columns: Columns, kind: string): boolean {
  const enough = Math.max(...Object.values(columns)) < fields.length;
  return enough && typeof readRating(pickerOf(columns)(fields), 1, kind) !== 'string';
}

function pickerOf(columns: Columns): (fields: readonly string[]) => Cells {
  const entries = COLUMNS.flatMap((column) => {
    const at = columns[column];
    return at === undefined ? [] : [{ column, at }];
  });
  return (fields) => {
    const cells: Partial<Record<Column, string>> = {};
    for (const { column, at } of entries) cells[column] = fields[at];
    return cells;
  };
}

function readObject(
  object: JsonObject,
  line: number,
  text: string,
  kind: string,
  named?: Columns,
): FileRating | string {
  if (named) return 'JSON names its own fields: leave --columns out';
  const cells: Partial<Record<Column, string>> = {};
  for (const key in object) {
    const column = findColumn(key);
    if (column === undefined || cells[column] !== undefined) continue;
    const cell = textOf(object, key, text);
    if (cell === undefined) return `${key} is neither a text nor a number`;
    cells[column] = cell;
  }
  return readRating(cells, line, kind);
}
