import { tagOf, WIRE } from './wire.ts';

/** What became of a batch, in the words of `RateResponse` and, up to its `error`, of `RateStreamResponse`. */
export interface RateAnswer {
  /** "" when nothing was learned. */
  readonly revision: string;
  /** Below 2^31. */
  readonly acceptedCount: number;
  readonly duplicate: boolean;
  readonly predictions: readonly ModelPredictions[];
}

export interface ModelPredictions {
  readonly model: string;
  /** On the deployment's scale, one per rating. */
  readonly values: Float64Array;
}

const REVISION = tagOf(1, WIRE.bytes);
const ACCEPTED_COUNT = tagOf(2, WIRE.varint);
const DUPLICATE = tagOf(3, WIRE.varint);
const PREDICTIONS = tagOf(4, WIRE.bytes);
const MODEL = tagOf(1, WIRE.bytes);
const VALUES = tagOf(2, WIRE.bytes);

/** The bytes of a `RateResponse`. */
export function encodeRateResponse(answer: RateAnswer): Uint8Array {
  const { revision, acceptedCount, duplicate, predictions } = answer;
  const sizes = predictions.map(predictionsBytes);
  let total = textBytes(revision) + (acceptedCount > 0 ? 1 + varintBytes(acceptedCount) : 0) + (duplicate ? 2 : 0);
  for (const size of sizes) total += 1 + varintBytes(size) + size;
  const writer = new WireWriter(total);
  writer.text(REVISION, revision);
  if (acceptedCount > 0) writer.number(ACCEPTED_COUNT, acceptedCount);
  if (duplicate) writer.number(DUPLICATE, 1);
  for (let i = 0; i < predictions.length; i++) {
    writer.number(PREDICTIONS, sizes[i]);
    writer.text(MODEL, predictions[i].model);
    writer.doubles(VALUES, predictions[i].values);
  }
  return writer.bytes;
}

function predictionsBytes({ model, values }: ModelPredictions): number {
  const { byteLength } = values;
  return textBytes(model) + (byteLength > 0 ? 1 + varintBytes(byteLength) + byteLength : 0);
}

function textBytes(text: string): number {
  const length = Buffer.byteLength(text);
  return length > 0 ? 1 + varintBytes(length) + length : 0;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes++;
  return bytes;
}

/** Writes fields of one-byte tags; empty texts and lists are left out. */
class WireWriter {
  readonly bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  number(tag: number, value: number): void {
    this.bytes[this.#at++] = tag;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.#at++] = rest;
  }

  text(tag: number, text: string): void {
    const length = Buffer.byteLength(text);
    if (length === 0) return;
    this.number(tag, length);
    this.#at += this.bytes.write(text, this.#at);
  }

  doubles(tag: number, values: Float64Array): void {
    if (values.length === 0) return;
    this.number(tag, values.byteLength);
    for (const value of values) this.#at = this.bytes.writeDoubleLE(value, this.#at);
  }
}
