import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { AccreteError } from '../errors.ts';

/**
 * A record of the journal, format 1. Numbers are little-endian.
 *
 *     0  u8   magic, 0xAC
 *     1  u8   format
 *     2  u8   type
 *     3  u8   length of the namespace in bytes
 *     4  f64  when it was received, in milliseconds since 1970
 *    12       namespace (UTF-8; "" by default), then the payload
 *    -4  u32  CRC-32 of all bytes before it
 *
 * Every later format begins with magic and format and ends with the CRC-32.
 */

export const RECORD_FORMAT = 1;

/**
 * What the payload is: a request exactly as it arrived (`RateRequest`, `UpsertItemsRequest`, `UpsertUsersRequest`), a
 * control record (JSON), or exposures of experiments (`exposure-codec.ts`).
 */
export const RECORD_TYPE = { ratings: 1, control: 2, items: 3, users: 4, exposures: 5 } as const;
export type RecordType = keyof typeof RECORD_TYPE;

export interface JournalRecord {
  readonly type: RecordType;
  readonly receivedAtMs: number;
  readonly namespace: string;
  readonly payload: Uint8Array;
}

/** Bytes of a record beyond its payload and namespace. */
export const RECORD_FRAME_BYTES = 16;
export const NAMESPACE_BYTES_MAX = 255;

const MAGIC = 0xac;
const HEADER_BYTES = 12;
const CRC_BYTES = 4;
const TYPES: ReadonlyMap<number, RecordType> = new Map(
  Object.entries(RECORD_TYPE).map(([name, number]) => [number, name as RecordType]),
);

/** Copies the payload, which may lie in shared memory, into bytes that can be appended. */
export function encodeRecord(record: JournalRecord): Uint8Array {
  const { type, receivedAtMs, namespace, payload } = record;
  const namespaceBytes = Buffer.byteLength(namespace);
  assert(namespaceBytes <= NAMESPACE_BYTES_MAX, `a namespace has at most ${NAMESPACE_BYTES_MAX} bytes`);
  assert(isTime(receivedAtMs), `a record is received at a time, not at ${receivedAtMs}`);
  const bytes = Buffer.allocUnsafe(RECORD_FRAME_BYTES + namespaceBytes + payload.length);
  bytes[0] = MAGIC;
  bytes[1] = RECORD_FORMAT;
  bytes[2] = RECORD_TYPE[type];
  bytes[3] = namespaceBytes;
  bytes.writeDoubleLE(receivedAtMs, 4);
  bytes.write(namespace, HEADER_BYTES);
  bytes.set(payload, HEADER_BYTES + namespaceBytes);
  const end = bytes.length - CRC_BYTES;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}

/**
 * The record that the journal holds as `revision`; its payload is a part of `bytes`. Anything but what `encodeRecord`
 * makes is STORE_DAMAGED.
 */
export function decodeRecord(bytes: Uint8Array, revision: number): JournalRecord {
  const end = bytes.length - CRC_BYTES;
  if (end < HEADER_BYTES) throw damaged(revision, `it has ${bytes.length} bytes, fewer than the least record`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) throw damaged(revision, 'its checksum is wrong');
  if (bytes[0] !== MAGIC) throw damaged(revision, 'it is no record of a journal');
  if (bytes[1] !== RECORD_FORMAT) throw unknownFormat(revision, bytes[1]);
  const type = TYPES.get(bytes[2]);
  if (type === undefined) throw damaged(revision, `its type is ${bytes[2]}, which does not exist`);
  const payloadStart = HEADER_BYTES + bytes[3];
  if (payloadStart > end) throw damaged(revision, 'its namespace runs past its end');
  const receivedAtMs = view.getFloat64(4, true);
  if (!isTime(receivedAtMs)) throw damaged(revision, `it was received at ${receivedAtMs}, which is no time`);
  const namespace = bytes[3] === 0 ? '' : Buffer.prototype.utf8Slice.call(bytes, HEADER_BYTES, payloadStart);
  return { type, receivedAtMs, namespace, payload: bytes.subarray(payloadStart, end) };
}

/** What sort of record this is, without a look at the rest of it; undefined for what is none. */
export function recordTypeOf(bytes: Uint8Array): RecordType | undefined {
  return TYPES.get(bytes[2]);
}

function isTime(ms: number): boolean {
  return Number.isFinite(ms) && ms >= 0;
}

function damaged(revision: number, what: string): AccreteError {
  const message = `revision ${revision} of the journal is damaged: ${what}; restore the file that holds it from a backup`;
  return new AccreteError('STORE_DAMAGED', message, { metadata: { revision: String(revision) } });
}

function unknownFormat(revision: number, format: number): AccreteError {
  const message = `revision ${revision} of the journal has format ${format}, and this version reads ${RECORD_FORMAT}`;
  return new AccreteError('STORE_DAMAGED', `${message}: start the version that wrote it, or a newer one`, {
    metadata: { revision: String(revision), format: String(format) },
  });
}
