import { isUtf8 } from 'node:buffer';
import { AccreteError } from '../errors.ts';

/**
 * Protobuf's wire format, as far as a decoder written by hand needs it. As strict as the official parsers in C++ and
 * Go: whatever is malformed is MALFORMED_MESSAGE, with the offset of its first byte.
 */

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

/** The tag that precedes a field: its number and how it is written. */
export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

const GROUP_DEPTH_MAX = 100;
const TWO_TO_32 = 2 ** 32;

/** Reads one message; `end` is where the message, or the part of it that is being read, ends. */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** The high half of the last varint. */
  high = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));

  start(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A field's tag: a number from 1 and a wire type that exists. To be called before the end. */
  tag(end: number): number {
    const start = this.at;
    const byte = this.bytes[start];
    if (byte < 0x80) this.at = start + 1;
    const tag = byte < 0x80 ? byte : this.#longTag(end);
    if (tag < 8 || (tag & 7) > WIRE.fixed32) throw malformed(start, `${tag} is no tag`);
    return tag;
  }

  /** The low half of a varint of at most 10 bytes, unsigned; the high half is in `high`. */
  varint(end: number): number {
    const { bytes, at } = this;
    this.high = 0;
    if (at < end && bytes[at] < 0x80) {
      this.at = at + 1;
      return bytes[at];
    }
    return this.#longVarint(end);
  }

  /** A signed 64-bit varint; exact up to 2^53, and beyond that far outside every limit. */
  int64(end: number): number {
    const low = this.varint(end);
    return (this.high | 0) * TWO_TO_32 + low;
  }

  bool(end: number): boolean {
    const low = this.varint(end);
    return low !== 0 || this.high !== 0;
  }

  double(end: number): number {
    const start = this.at;
    if (end - start < 8) throw malformed(start, 'a double is cut off');
    this.at = start + 8;
    return this.#view.getFloat64(start, true);
  }

  /** The length of what follows, which lies before `end` as a whole. */
  length(end: number): number {
    const start = this.at;
    const length = this.varint(end);
    if (this.high !== 0 || length > end - this.at) throw malformed(start, `a length of ${length} runs past the end`);
    return length;
  }

  /** Passes over a string and gives its length; it starts at `at` less that. */
  string(end: number): number {
    const length = this.length(end);
    const start = this.at;
    const stop = start + length;
    const { bytes } = this;
    let at = start;
    while (at < stop && bytes[at] < 0x80) at++;
    if (at < stop && !isUtf8(bytes.subarray(at, stop))) throw malformed(start, 'a string is not UTF-8');
    this.at = stop;
    return length;
  }

  /** Passes over the value of a field that is not known. */
  skip(tag: number, end: number, depth = 0): void {
    const type = tag & 7;
    if (type === WIRE.varint) this.varint(end);
    else if (type === WIRE.fixed64) this.#advance(8, end);
    else if (type === WIRE.bytes) this.#advance(this.length(end), end);
    else if (type === WIRE.fixed32) this.#advance(4, end);
    else if (type === WIRE.groupStart) this.#skipGroup(tag >>> 3, end, depth);
    else throw malformed(this.at, `group ${tag >>> 3} ends and has not begun`);
  }

  #skipGroup(field: number, end: number, depth: number): void {
    const start = this.at;
    if (depth === GROUP_DEPTH_MAX) throw malformed(start, `groups lie deeper than ${GROUP_DEPTH_MAX}`);
    for (;;) {
      if (this.at >= end) throw malformed(start, `group ${field} does not end`);
      const tag = this.tag(end);
      if (tag === tagOf(field, WIRE.groupEnd) >>> 0) return;
      this.skip(tag, end, depth + 1);
    }
  }

  #advance(count: number, end: number): void {
    if (count > end - this.at) throw malformed(this.at, `a field of ${count} bytes runs past the end`);
    this.at += count;
  }

  #longTag(end: number): number {
    const start = this.at;
    const tag = this.varint(end);
    if (this.at - start > 5 || this.high !== 0) throw malformed(start, 'a tag is too long');
    return tag;
  }

  #longVarint(end: number): number {
    const { bytes, at: start } = this;
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (start + i >= end) throw malformed(start, 'a varint is cut off');
      const byte = bytes[start + i];
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 0x80) {
        this.at = start + i + 1;
        this.high = high >>> 0;
        return low >>> 0;
      }
    }
    throw malformed(start, 'a varint is longer than 10 bytes');
  }
}

export function malformed(offset: number, what: string): AccreteError {
  const message = `the message is no valid protobuf: at byte ${offset}, ${what}; encode it with the published .proto`;
  return new AccreteError('MALFORMED_MESSAGE', message, { metadata: { offset: String(offset) } });
}
