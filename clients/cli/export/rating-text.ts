import type { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { Failure } from '../failure.ts';
import { COLUMNS, type Column } from '../import/columns.ts';
import { formatIso, formatSeconds } from '../import/time.ts';
import type { Format } from '../output-file.ts';

/** How ratings are written, so that an import reads the same: every number and time with all its digits. */
export interface RatingText {
  readonly header: string;
  /** A line. Throws Failure if the columns cannot tell what it is. */
  readonly lineOf: (rating: Rating) => string;
}

/** `columns` are those of csv and tsv; all unless named. JSON Lines have what there is. */
export function ratingText(format: Format, columns: readonly Column[] = COLUMNS): RatingText {
  if (format === 'jsonl') return { header: '', lineOf: jsonLineOf };
  const join = format === 'csv' ? joinCommas : joinTabs;
  return {
    header: join(columns),
    lineOf: (rating) => {
      requireTold(rating, columns);
      return join(columns.map((column) => CELLS[column](rating)));
    },
  };
}

/** A row of csv by RFC 4180. */
export function joinCommas(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;
}

/** A row of tsv, whose cells have neither tabs nor ends of lines: ids have no control characters. */
export function joinTabs(cells: readonly string[]): string {
  return `${cells.join('\t')}\n`;
}

const CELLS: Readonly<Record<Column, (rating: Rating) => string>> = {
  user: ({ userId }) => userId,
  item: ({ itemId }) => itemId,
  value: ({ value }) => numberText(value),
  time: ({ eventTime }) => (eventTime ? formatSeconds(eventTime) : ''),
  weight: ({ weight }) => numberText(weight),
  kind: ({ kind }) => kind,
  retract: ({ retract }) => (retract ? 'true' : ''),
  recommendation_id: ({ recommendationId }) => recommendationId,
};

/** An event without its kind would be read as a rating. */
function requireTold({ userId, itemId, kind, retract }: Rating, columns: readonly Column[]): void {
  const missing = kind !== '' && !columns.includes('kind') ? 'kind' : undefined;
  const lost = retract && !columns.includes('retract') ? 'retract' : missing;
  if (!lost) return;
  const what = lost === 'retract' ? 'a retraction' : `an event of the kind ${kind}`;
  const pair = `user ${JSON.stringify(userId)} and item ${JSON.stringify(itemId)}`;
  throw new Failure(
    'COLUMN_MISSING',
    `there is ${what} of ${pair}, which these columns do not tell: add ${lost} to --columns`,
  );
}

function jsonLineOf(rating: Rating): string {
  const { userId, itemId, value, eventTime, kind, weight, retract, recommendationId } = rating;
  const fields = [
    `"user_id":${JSON.stringify(userId)}`,
    `"item_id":${JSON.stringify(itemId)}`,
    value === undefined ? '' : `"value":${numberText(value)}`,
    eventTime ? `"event_time":"${formatIso(eventTime)}"` : '',
    kind === '' ? '' : `"kind":${JSON.stringify(kind)}`,
    weight === undefined ? '' : `"weight":${numberText(weight)}`,
    retract ? '"retract":true' : '',
    recommendationId === '' ? '' : `"recommendation_id":${JSON.stringify(recommendationId)}`,
  ];
  return `{${fields.filter((field) => field !== '').join(',')}}\n`;
}

/** JavaScript writes the fewest digits that are read as the same number, but leaves the sign of -0 out. */
function numberText(value: number | undefined): string {
  if (value === undefined) return '';
  return Object.is(value, -0) ? '-0' : String(value);
}
