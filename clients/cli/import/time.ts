/** Numbers from here on are milliseconds: as seconds they would lie beyond the year 5000. */
const MILLISECONDS_FROM = 1e11;

/** The last time that a `Date` holds. */
const MILLISECONDS_MAX = 8.64e15;
const DATE_LENGTH = 'YYYY-MM-DD'.length;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)([.,]\d+)?)?\s*(?:(Z|UTC)|([+-])(\d\d):?(\d\d))?)?$/i;

/** A decimal number, as people and programs write it; undefined for anything else (`""`, `0x10`, `Infinity`). */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim();
  const number = NUMBER.test(trimmed) ? Number(trimmed) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/**
 * Milliseconds since 1970, with fractions, of a time in seconds, in milliseconds or in ISO 8601 (`2001-09-09`,
 * `2001-09-09T01:46:40.5+02:00`; without a zone: UTC). Undefined for anything else.
 */
export function parseTime(text: string): number | undefined {
  const number = parseNumber(text);
  const match = number === undefined ? ISO_8601.exec(text.trim()) : null;
  if (match) return fromParts(match);
  if (number === undefined || Math.abs(number) > MILLISECONDS_MAX) return undefined;
  return Math.abs(number) < MILLISECONDS_FROM ? number * 1000 : number;
}

function fromParts(match: RegExpExecArray): number | undefined {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const [fraction = '', , sign, zoneHour, zoneMinute] = match.slice(7);
  const wholeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  // A day or hour that does not exist runs over into the next one.
  if (!new Date(wholeMs).toISOString().startsWith(match[0].slice(0, DATE_LENGTH))) return undefined;
  if (minute > 59 || second > 59) return undefined;
  const offsetMinutes = sign ? Number(`${sign}1`) * (Number(zoneHour) * 60 + Number(zoneMinute)) : 0;
  return wholeMs - offsetMinutes * 60_000 + Number(`0${fraction.replace(',', '.')}`) * 1000;
}
