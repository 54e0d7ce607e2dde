import { HAS_TIME, HAS_VALUE, HAS_WEIGHT, type RatingBatch, RETRACT, RETURN_PREDICTIONS_MAX } from './rating-batch.ts';
import { tagOf, WIRE, WireReader } from './wire.ts';

/**
 * Decodes `RateRequest` and `RateStreamRequest`, which share their field numbers, without an object per rating.
 * Protobuf's rules hold: unknown fields are passed over (and so is a known one of another wire type), of a scalar that
 * comes twice the last one counts, the parts of a message that comes twice are merged.
 */

/** `RateRequest`, `RateStreamRequest`. */
const REQUEST_ID = tagOf(1, WIRE.bytes);
const RATINGS = tagOf(2, WIRE.bytes);
const VALIDATE_ONLY = tagOf(3, WIRE.varint);
const RETURN_PREDICTIONS = tagOf(4, WIRE.bytes);

/** `Rating`. */
const USER_ID = tagOf(1, WIRE.bytes);
const ITEM_ID = tagOf(2, WIRE.bytes);
const VALUE = tagOf(3, WIRE.fixed64);
const EVENT_TIME = tagOf(4, WIRE.bytes);
const KIND = tagOf(5, WIRE.bytes);
const WEIGHT = tagOf(6, WIRE.fixed64);
const RECOMMENDATION_ID = tagOf(7, WIRE.bytes);
const RETRACT_TAG = tagOf(8, WIRE.varint);

/** `google.protobuf.Timestamp`. */
const SECONDS = tagOf(1, WIRE.varint);
const NANOS = tagOf(2, WIRE.varint);

const reader = new WireReader();

/** Fills `batch` from a message, whose bytes it keeps. Throws MALFORMED_MESSAGE; what the fields say is not checked. */
export function decodeRateRequest(bytes: Uint8Array, batch: RatingBatch): void {
  const end = bytes.length;
  reader.start(bytes);
  batch.start(bytes);
  while (reader.at < end) {
    const start = reader.at;
    const tag = reader.tag(end);
    switch (tag) {
      case REQUEST_ID:
        batch.requestIdLength = reader.string(end);
        batch.requestIdStart = reader.at - batch.requestIdLength;
        break;
      case RATINGS:
        decodeRating(batch, reader.length(end));
        addRange(batch, start, reader.at);
        break;
      case VALIDATE_ONLY:
        batch.validateOnly = reader.bool(end);
        break;
      case RETURN_PREDICTIONS:
        addName(batch, reader.string(end));
        break;
      default:
        reader.skip(tag, end);
    }
  }
}

function decodeRating(batch: RatingBatch, length: number): void {
  const row = batch.nextRow();
  const end = reader.at + length;
  while (reader.at < end) {
    const tag = reader.tag(end);
    switch (tag) {
      case USER_ID:
        batch.userLength[row] = reader.string(end);
        batch.userStart[row] = reader.at - batch.userLength[row];
        break;
      case ITEM_ID:
        batch.itemLength[row] = reader.string(end);
        batch.itemStart[row] = reader.at - batch.itemLength[row];
        break;
      case VALUE:
        batch.value[row] = reader.double(end);
        batch.flags[row] |= HAS_VALUE;
        break;
      case EVENT_TIME:
        decodeTime(batch, row, reader.length(end));
        break;
      case KIND:
        batch.kindLength[row] = reader.string(end);
        batch.kindStart[row] = reader.at - batch.kindLength[row];
        break;
      case WEIGHT:
        batch.weight[row] = reader.double(end);
        batch.flags[row] |= HAS_WEIGHT;
        break;
      case RECOMMENDATION_ID:
        batch.recommendationLength[row] = reader.string(end);
        batch.recommendationStart[row] = reader.at - batch.recommendationLength[row];
        break;
      case RETRACT_TAG:
        if (reader.bool(end)) batch.flags[row] |= RETRACT;
        else batch.flags[row] &= ~RETRACT;
        break;
      default:
        reader.skip(tag, end);
    }
  }
}

function decodeTime(batch: RatingBatch, row: number, length: number): void {
  const end = reader.at + length;
  batch.flags[row] |= HAS_TIME;
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === SECONDS) batch.timeSeconds[row] = reader.int64(end);
    else if (tag === NANOS) batch.timeNanos[row] = reader.varint(end);
    else reader.skip(tag, end);
  }
}

function addName(batch: RatingBatch, length: number): void {
  if (batch.returnPredictionsCount++ >= RETURN_PREDICTIONS_MAX) return;
  batch.returnPredictions.push(batch.text(reader.at - length, length));
}

function addRange(batch: RatingBatch, start: number, end: number): void {
  const { ranges } = batch;
  if (ranges.length > 0 && ranges[ranges.length - 1] === start) ranges[ranges.length - 1] = end;
  else if (batch.count <= batch.ratingsMax) ranges.push(start, end);
}
