/** A moment: whole seconds since 1970, and nanoseconds (0 to 999,999,999) after them. */
export interface Time {
  readonly seconds: number;
  readonly nanos: number;
}

/** Numbers from here on are milliseconds: as seconds they would lie beyond the year 5000. */
const MILLISECONDS_FROM = 1e11;

/** The last time that a `Date` holds. */
const MILLISECONDS_MAX = 8.64e15;
const DATE_LENGTH = 'YYYY-MM-DD'.length;
const NANOS_DIGITS = 9;
const MILLIS_DIGITS = 3;

/** What most files have. */
const WHOLE_SECONDS = /^\d{1,10}$/;
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
 * The moment that a text names in seconds, in milliseconds or in ISO 8601 (`2001-09-09`,
 * `2001-09-09T01:46:40.5+02:00`; without a zone: UTC), exact to the nanosecond; further digits are cut off. Undefined
 * for anything else.
 */
export function parseTime(text: string): Time | undefined {
  if (WHOLE_SECONDS.test(text)) return { seconds: Number(text), nanos: 0 };
  const number = parseNumber(text);
  const match = number === undefined ? ISO_8601.exec(text.trim()) : null;
  if (match) return fromParts(match);
  if (number === undefined || Math.abs(number) > MILLISECONDS_MAX) return undefined;
  return fromNumber(text.trim(), number);
}

const UNIT_SECONDS = { s: 1n, m: 60n, h: 3600n, d: 86_400n } as const;

/** How long: `90s`, `30m`, `24h`, `7d`; undefined for anything else. */
export function parseDuration(text: string): { seconds: bigint; nanos: number } | undefined {
  const [, digits, unit] = /^(0|[1-9]\d{0,9})([smhd])$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return { seconds: BigInt(digits) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS], nanos: 0 };
}

/** Below 0 if `a` is before `b`, above 0 if it is after. */
export function compareTimes(a: Time, b: Time): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

/** As protobuf has it. */
export function toTimestamp({ seconds, nanos }: Time): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(seconds), nanos };
}

/** Exact, as `parseTime` reads it: `978300760`, `978300760.25`. */
export function formatSeconds({ seconds, nanos }: { seconds: bigint; nanos: number }): string {
  if (seconds < 0n && nanos > 0) return `-${formatSeconds({ seconds: -seconds - 1n, nanos: 1e9 - nanos })}`;
  return `${seconds}${fractionOf(nanos)}`;
}

/** Exact, as `parseTime` reads it: `2000-12-31T22:12:40.25Z`. */
export function formatIso({ seconds, nanos }: { seconds: bigint; nanos: number }): string {
  const whole = new Date(Number(seconds) * 1000).toISOString();
  return `${whole.slice(0, whole.indexOf('.'))}${fractionOf(nanos)}Z`;
}

function fractionOf(nanos: number): string {
  return nanos === 0 ? '' : `.${String(nanos).padStart(NANOS_DIGITS, '0').replace(/0+$/, '')}`;
}

/** By its digits: a double does not hold the nanoseconds of our time. */
function fromNumber(text: string, number: number): Time {
  const plain = /e/i.test(text) ? number.toFixed(NANOS_DIGITS) : text;
  const [, whole, fraction] = /^[+-]?(\d*)\.?(\d*)$/.exec(plain) ?? [];
  const shift = Math.abs(number) < MILLISECONDS_FROM ? 0 : MILLIS_DIGITS;
  const digits = whole.padStart(shift + 1, '0');
  const point = digits.length - shift;
  return signed(Number(digits.slice(0, point)), nanosOf(digits.slice(point) + fraction), number < 0);
}

function fromParts(match: RegExpExecArray): Time | undefined {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const [fraction = '', , sign, zoneHour, zoneMinute] = match.slice(7);
  const wholeMs = Date.UTC(year, month - 1, day, hour, minute, second);
  // A day or hour that does not exist runs over into the next one.
  if (!new Date(wholeMs).toISOString().startsWith(match[0].slice(0, DATE_LENGTH))) return undefined;
  if (minute > 59 || second > 59) return undefined;
  const offsetMinutes = sign ? Number(`${sign}1`) * (Number(zoneHour) * 60 + Number(zoneMinute)) : 0;
  return { seconds: wholeMs / 1000 - offsetMinutes * 60, nanos: nanosOf(fraction.slice(1)) };
}

/** Of the digits after the point. */
function nanosOf(digits: string): number {
  return Number(digits.slice(0, NANOS_DIGITS).padEnd(NANOS_DIGITS, '0'));
}

/** Nanoseconds count upwards, before 1970 too. */
function signed(seconds: number, nanos: number, negative: boolean): Time {
  if (!negative) return { seconds, nanos };
  return nanos === 0 ? { seconds: 0 - seconds, nanos } : { seconds: -seconds - 1, nanos: 1e9 - nanos };
}
