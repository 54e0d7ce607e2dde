import type { FieldViolation } from '../errors.ts';
import { ID_BYTES_MAX, type IdKey } from '../memory/ids.ts';
import { REQUEST_ID_BYTES_MAX } from '../memory/request-ids.ts';
import { timeFault } from './event-time.ts';
import { hasControlCharacter } from './id-text.ts';
import { HAS_TIME, HAS_VALUE, type RatingBatch, RETRACT, RETURN_PREDICTIONS_MAX } from './rating-batch.ts';

/** What a batch may say, beyond being protobuf. Nothing is allocated for a rating that is fine. */

export interface RatingRulesOptions {
  /** The scale's ends, both allowed. */
  readonly min: number;
  readonly max: number;
  /** Ratings in one batch. */
  readonly ratingsMax: number;
  /** Configured kinds; "" is always allowed. */
  readonly kinds: readonly string[];
  /** Whether there ever was an event of a kind, configured or not: such events can be taken back. */
  readonly hadEvents: (kind: IdKey) => boolean;
}

export const WEIGHT_MAX = 10;
export const RECOMMENDATION_ID_BYTES_MAX = 64;
export const MODEL_NAME_MAX = 63;
/** Violations that are listed; the rest is counted. */
export const VIOLATIONS_MAX = 100;

export class RatingRules {
  readonly #options: RatingRulesOptions;
  readonly #kinds: readonly Uint8Array[];
  readonly #kind: IdKey = { bytes: new Uint8Array(), start: 0, length: 0, namespace: 0 };

  constructor(options: RatingRulesOptions) {
    this.#options = options;
    this.#kinds = options.kinds.map((kind) => Buffer.from(kind));
  }

  /**
   * Every field of a batch that is not allowed, by its path in the request; none when all is fine. At most
   * `VIOLATIONS_MAX` are listed. `nowMs` is the time of receipt.
   */
  findViolations(batch: RatingBatch, nowMs: number): Violations {
    const found = new Violations();
    const { ratingsMax } = this.#options;
    if (batch.count === 0) found.add('ratings', 'is empty: send one rating at least');
    if (batch.count > ratingsMax) found.add('ratings', `has ${batch.count} ratings, and ${ratingsMax} are allowed`);
    checkRequest(batch, found);
    const kept = Math.min(batch.count, batch.ratingsMax, ratingsMax);
    for (let row = 0; row < kept; row++) this.#checkRating(batch, row, nowMs, found);
    return found;
  }

  #checkRating(batch: RatingBatch, row: number, nowMs: number, found: Violations): void {
    checkId(batch, row, 'user_id', batch.userStart[row], batch.userLength[row], found);
    checkId(batch, row, 'item_id', batch.itemStart[row], batch.itemLength[row], found);
    if ((batch.flags[row] & RETRACT) === 0) this.#checkValue(batch, row, found);
    if ((batch.flags[row] & HAS_TIME) !== 0) checkTime(batch, row, nowMs, found);
    if (batch.kindLength[row] > 0) this.#checkKind(batch, row, found);
    const weight = batch.weight[row];
    if (!(weight >= 0 && weight <= WEIGHT_MAX)) {
      found.addTo(row, 'weight', `is ${weight}: it must be 0 to ${WEIGHT_MAX}`);
    }
    const length = batch.recommendationLength[row];
    if (length > RECOMMENDATION_ID_BYTES_MAX) {
      found.addTo(row, 'recommendation_id', `has ${length} bytes, and ${RECOMMENDATION_ID_BYTES_MAX} are allowed`);
    }
  }

  #checkValue(batch: RatingBatch, row: number, found: Violations): void {
    const { min, max } = this.#options;
    const value = batch.value[row];
    if (value >= min && value <= max) return;
    if ((batch.flags[row] & HAS_VALUE) !== 0) {
      found.addTo(row, 'value', `is ${value}: it must be on the scale, ${min} to ${max}`);
    } else if (batch.kindLength[row] === 0) {
      found.addTo(row, 'value', `is missing: send ${min} to ${max}, or retract`);
    }
  }

  #checkKind(batch: RatingBatch, row: number, found: Violations): void {
    const start = batch.kindStart[row];
    const length = batch.kindLength[row];
    for (const kind of this.#kinds) if (isText(batch.bytes, start, length, kind)) return;
    if ((batch.flags[row] & RETRACT) !== 0 && this.#hadEvents(batch.bytes, start, length)) return;
    const known = this.#options.kinds.map((name) => JSON.stringify(name)).join(', ');
    const kind = quote(batch, start, length);
    found.addTo(row, 'kind', `is ${kind}, which is not configured (kinds): use ${known && `${known} or `}""`);
  }

  #hadEvents(bytes: Uint8Array, start: number, length: number): boolean {
    Object.assign(this.#kind, { bytes, start, length });
    return this.#options.hadEvents(this.#kind);
  }
}

/** The first violations, and how many there are. */
export class Violations {
  readonly list: FieldViolation[] = [];
  count = 0;

  add(field: string, description: string): void {
    if (++this.count <= VIOLATIONS_MAX) this.list.push({ field, description });
  }

  addTo(row: number, field: string, description: string): void {
    this.add(`ratings[${row}].${field}`, description);
  }
}

function checkRequest(batch: RatingBatch, found: Violations): void {
  const { bytes, requestIdStart: start, requestIdLength: length, returnPredictionsCount: names } = batch;
  if (length > REQUEST_ID_BYTES_MAX) {
    found.add('request_id', `has ${length} bytes, and ${REQUEST_ID_BYTES_MAX} are allowed: best send a UUID`);
  }
  if (!isPrintableAscii(bytes, start, length)) {
    found.add('request_id', 'has characters that are not printable ASCII: best send a UUID');
  }
  if (names > RETURN_PREDICTIONS_MAX) {
    found.add('return_predictions', `has ${names} names, and ${RETURN_PREDICTIONS_MAX} are allowed`);
  }
  for (const [n, { length: characters }] of batch.returnPredictions.entries()) {
    if (characters <= MODEL_NAME_MAX) continue;
    found.add(`return_predictions[${n}]`, `has ${characters} characters, and names have at most ${MODEL_NAME_MAX}`);
  }
}

function checkId(
  batch: RatingBatch,
  row: number,
  field: string,
  start: number,
  length: number,
  found: Violations,
): void {
  if (length === 0) found.addTo(row, field, `is empty: send 1 to ${ID_BYTES_MAX} bytes`);
  else if (length > ID_BYTES_MAX) found.addTo(row, field, `has ${length} bytes, and ${ID_BYTES_MAX} are allowed`);
  else if (hasControlCharacter(batch.bytes, start, length)) {
    found.addTo(row, field, `is ${quote(batch, start, length)}: control characters are not allowed`);
  }
}

function checkTime(batch: RatingBatch, row: number, nowMs: number, found: Violations): void {
  const fault = timeFault(batch.timeSeconds[row], batch.timeNanos[row], nowMs);
  if (fault) found.addTo(row, 'event_time', fault);
}

function isPrintableAscii(bytes: Uint8Array, start: number, length: number): boolean {
  for (let at = start; at < start + length; at++) if (bytes[at] < 0x20 || bytes[at] > 0x7e) return false;
  return true;
}

function isText(bytes: Uint8Array, start: number, length: number, text: Uint8Array): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** A text of the request for a message: escaped, and not too long. */
function quote(batch: RatingBatch, start: number, length: number): string {
  const text = batch.text(start, length);
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
