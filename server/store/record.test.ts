import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { AccreteError } from '../errors.ts';
import { decodeRecord, encodeRecord, type JournalRecord, RECORD_FRAME_BYTES, type RecordType } from './record.ts';

const REVISION = 4711;

const records: fc.Arbitrary<JournalRecord> = fc.record({
  type: fc.constantFrom<RecordType>('ratings', 'control'),
  receivedAtMs: fc.double({ min: 0, max: 8.64e15, noNaN: true }),
  namespace: fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme', maxLength: 20 })),
  payload: fc.uint8Array({ maxLength: 300 }),
});

function refusal(bytes: Uint8Array): AccreteError {
  try {
    decodeRecord(bytes, REVISION);
  } catch (error) {
    assert(error instanceof AccreteError);
    assert.equal(error.reason, 'STORE_DAMAGED');
    assert.equal(error.metadata.revision, String(REVISION));
    assert.match(error.message, /revision 4711/);
    return error;
  }
  assert.fail('it was accepted');
}

/** A record with other bytes in place and a checksum that fits them. */
function forge(bytes: Uint8Array, change: (bytes: Buffer) => void): Buffer {
  const forged = Buffer.from(bytes);
  change(forged);
  forged.writeUInt32LE(crc32(forged.subarray(0, -4)), forged.length - 4);
  return forged;
}

test('a record comes back as it went in', () => {
  fc.assert(
    fc.property(records, (record) => {
      const bytes = encodeRecord(record);
      assert.equal(bytes.length, RECORD_FRAME_BYTES + Buffer.byteLength(record.namespace) + record.payload.length);
      assert.deepEqual({ ...decodeRecord(bytes, 1), payload: 0 }, { ...record, payload: 0 });
      assert.deepEqual([...decodeRecord(bytes, 1).payload], [...record.payload]);
    }),
  );
});

test('the format is these bytes', () => {
  const bytes = encodeRecord({ type: 'ratings', receivedAtMs: 1.5, namespace: 'n', payload: Buffer.from([7, 8]) });
  assert.equal(Buffer.from(bytes.subarray(0, -4)).toString('hex'), 'ac010101000000000000f83f6e0708');
  assert.equal(Buffer.from(bytes).readUInt32LE(15), crc32(bytes.subarray(0, 15)));
});

test('a payload in shared memory is copied', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(5);
  const bytes = encodeRecord({ type: 'ratings', receivedAtMs: 0, namespace: '', payload: shared });
  shared.fill(6);
  assert.deepEqual([...decodeRecord(bytes, 1).payload], [5, 5, 5]);
});

test('a changed byte anywhere is refused', () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, at, bits) => {
      const bytes = encodeRecord(record);
      bytes[at % bytes.length] ^= bits;
      refusal(bytes);
    }),
  );
});

test('a shortened or lengthened record is refused', () => {
  fc.assert(
    fc.property(records, fc.nat(), (record, at) => {
      const bytes = encodeRecord(record);
      refusal(bytes.subarray(0, at % bytes.length));
      refusal(Buffer.concat([bytes, Buffer.alloc(1 + (at % 9))]));
    }),
  );
});

test('a record of a later format says what to do', () => {
  const bytes = encodeRecord({ type: 'ratings', receivedAtMs: 0, namespace: '', payload: Buffer.from('x') });
  const error = refusal(forge(bytes, (b) => b.writeUInt8(2, 1)));
  assert.match(error.message, /has format 2, and this version reads 1: start the version that wrote it/);
});

test('a record with a right checksum and wrong contents is refused', () => {
  const bytes = encodeRecord({ type: 'ratings', receivedAtMs: 0, namespace: '', payload: Buffer.from('x') });
  const cases: [(bytes: Buffer) => void, RegExp][] = [
    [(b) => b.writeUInt8(0xad, 0), /no record/],
    [(b) => b.writeUInt8(99, 2), /type is 99/],
    [(b) => b.writeUInt8(0, 2), /type is 0/],
    [(b) => b.writeUInt8(2, 3), /namespace runs past/],
    [(b) => b.writeDoubleLE(-1, 4), /received at -1/],
    [(b) => b.writeDoubleLE(Number.NaN, 4), /received at NaN/],
  ];
  for (const [change, message] of cases) assert.match(refusal(forge(bytes, change)).message, message);
});

test('what cannot be a record is a fault of the program', () => {
  const fine: JournalRecord = { type: 'ratings', receivedAtMs: 0, namespace: '', payload: Buffer.from('x') };
  assert.throws(() => encodeRecord({ ...fine, namespace: 'x'.repeat(256) }), /255 bytes/);
  assert.throws(() => encodeRecord({ ...fine, receivedAtMs: Number.NaN }), /NaN/);
});
