import { type Columns, findHeader } from './columns.ts';
import { SEPARATORS, type Separator, splitFields } from './fields.ts';
import { readRating } from './rating-row.ts';

/** How the rows of a file are to be read. */
export interface Layout {
  readonly separator: Separator;
  readonly columns: Columns;
  /** Fields in every row. */
  readonly width: number;
  /** Whether the first row names the columns. */
  readonly header: boolean;
}

/** What the fields of a file without a header are; the time may be missing. */
const TIMED: Columns = { user: 0, item: 1, value: 2, time: 3 };
const UNTIMED: Columns = { user: 0, item: 1, value: 2 };
const WIDTH_MIN = 3;

/** Finds out from its first row how a file is to be read, or why it cannot be; `named` are the columns asked for. */
export function findLayout(firstRow: string, named?: Columns): Layout | string {
  let widest = 0;
  for (const separator of SEPARATORS) {
    const fields = splitFields(firstRow, separator);
    if (typeof fields === 'string') continue;
    const found = named ? findNamed(fields, named) : findUsual(fields);
    if (found) return { separator, width: fields.length, ...found };
    widest = Math.max(widest, fields.length);
  }
  if (widest < WIDTH_MIN) return 'has no user, item and value with commas, tabs or :: between them';
  if (named) return 'has neither a rating in the columns that --columns names, nor words in their place';
  return 'is neither a rating (user, item, value, time) nor a header with such names: say with --columns which field is what';
}

type Found = Pick<Layout, 'columns' | 'header'> | undefined;

function findUsual(fields: readonly string[]): Found {
  const columns = findHeader(fields);
  if (columns) return { columns, header: true };
  const usual = fields.length > WIDTH_MIN ? TIMED : UNTIMED;
  return isRating(fields, usual) ? { columns: usual, header: false } : undefined;
}

/** Under named columns the first row may be a header in words of its own: none of its numbers looks like one. */
function findNamed(fields: readonly string[], columns: Columns): Found {
  if (Math.max(...Object.values(columns)) >= fields.length) return undefined;
  if (isRating(fields, columns)) return { columns, header: false };
  const numbers = [columns.value, columns.time ?? columns.value, columns.weight ?? columns.value];
  return numbers.every((column) => /^\s*\p{L}/u.test(fields[column])) ? { columns, header: true } : undefined;
}

function isRating(fields: readonly string[], columns: Columns): boolean {
  return fields.length >= WIDTH_MIN && typeof readRating(fields, columns, 1) !== 'string';
}
