import type { Columns } from './columns.ts';
import { parseNumber, parseTime } from './time.ts';

/** A rating as a file says it. */
export interface FileRating {
  /** Where it stands in the file: the number of its (first) line. */
  readonly line: number;
  readonly user: string;
  readonly item: string;
  readonly value: number;
  /** Milliseconds since 1970; undefined if the file has no time. */
  readonly timeMs?: number;
  readonly weight?: number;
}

const QUOTED_MAX = 40;

/** The rating in a row's fields, or what is wrong with it. What depends on the server (its scale) is left to it. */
export function readRating(fields: readonly string[], columns: Columns, line: number): FileRating | string {
  const user = fields[columns.user];
  const item = fields[columns.item];
  if (user === '') return 'the user is empty';
  if (item === '') return 'the item is empty';
  const value = parseNumber(fields[columns.value]);
  if (value === undefined) return `the value ${quote(fields[columns.value])} is no number`;
  const time = columns.time === undefined ? '' : fields[columns.time];
  const timeMs = time === '' ? undefined : parseTime(time);
  if (time !== '' && timeMs === undefined)
    return `the time ${quote(time)} is neither seconds, milliseconds nor ISO 8601`;
  const factor = columns.weight === undefined ? '' : fields[columns.weight];
  const weight = factor === '' ? undefined : parseNumber(factor);
  if (factor !== '' && weight === undefined) return `the weight ${quote(factor)} is no number`;
  return { line, user, item, value, timeMs, weight };
}

function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text);
}
