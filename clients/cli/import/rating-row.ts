import type { Cells } from './columns.ts';
import { parseNumber, parseTime, type Time } from './time.ts';

/** A rating or an event as a file says it. */
export interface FileRating {
  /** Where it stands in the file: the number of its (first) line. */
  readonly line: number;
  readonly user: string;
  readonly item: string;
  /** Undefined for a retraction, and for an event that is no rating. */
  readonly value?: number;
  /** Undefined if the file has none. */
  readonly time?: Time;
  readonly weight?: number;
  /** "" for a rating. */
  readonly kind: string;
  readonly retract: boolean;
  readonly recommendationId: string;
}

const QUOTED_MAX = 40;
const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ['false', false],
  ['0', false],
  ['true', true],
  ['1', true],
]);

/**
 * The rating in a row's cells, or what is wrong with it; `kindOfFile` is what rows without a kind are. What depends on
 * the server (its scale, its kinds) is left to it.
 */
export function readRating(cells: Cells, line: number, kindOfFile = ''): FileRating | string {
  const { user = '', item = '', value: number = '', time: moment = '', weight: factor = '' } = cells;
  if (user === '') return 'the user is empty';
  if (item === '') return 'the item is empty';
  const kind = cells.kind || kindOfFile;
  const retract = cells.retract ? parseTruth(cells.retract) : false;
  if (retract === undefined) return `retract is ${quote(cells.retract ?? '')}, neither true nor false`;
  const value = parseNumber(number);
  if (value === undefined && (number !== '' || (kind === '' && !retract)))
    return `the value ${quote(number)} is no number`;
  const time = moment === '' ? undefined : parseTime(moment);
  if (moment !== '' && time === undefined)
    return `the time ${quote(moment)} is neither seconds, milliseconds nor ISO 8601`;
  const weight = factor === '' ? undefined : parseNumber(factor);
  if (factor !== '' && weight === undefined) return `the weight ${quote(factor)} is no number`;
  return { line, user, item, value, time, weight, kind, retract, recommendationId: cells.recommendation_id ?? '' };
}

/** `true`, `1`, `FALSE`; undefined for anything else. */
export function parseTruth(text: string): boolean | undefined {
  return TRUTHS.get(text.trim().toLowerCase());
}

/** A text in a message: on one line, and not endless. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text);
}
