import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { AccreteError } from '../errors.ts';
import { encodeRecord, RECORD_TYPE, type RecordType } from './record.ts';
import { countRatings } from './record-contents.ts';

const rate = RateRequest.encode(
  RateRequest.fromPartial({ ratings: [{ userId: 'ann', itemId: 'matrix', value: 3 }, { retract: true }] }),
).finish();
const items = UpsertItemsRequest.encode(UpsertItemsRequest.fromPartial({ items: [{ itemId: 'matrix' }] })).finish();

const recordOf = (type: RecordType, payload: Uint8Array) =>
  encodeRecord({ type, receivedAtMs: 0, namespace: '', payload });

test('a record brings so many ratings', () => {
  assert.equal(countRatings(recordOf('ratings', rate), 1), 2);
  assert.equal(countRatings(recordOf('items', items), 1), 0);
  assert.equal(countRatings(recordOf('control', Buffer.from('{"type":"resumed"}')), 1), 0);
});

test('contents that are none are damage of that revision, whatever the checksum says', () => {
  for (const [type, payload] of [
    ['ratings', rate.subarray(0, -1)],
    ['items', items.subarray(0, -1)],
    ['users', Buffer.from([0x0a])],
    ['control', Buffer.from('{"type":')],
    ['control', Buffer.from('null')],
    ['control', Buffer.from('[]')],
  ] as const) {
    assert.throws(() => countRatings(recordOf(type, payload), 17), {
      reason: 'STORE_DAMAGED',
      message: /^revision 17 /,
    });
  }
});

test('any contents of any type are read or are damage', () => {
  const types = fc.constantFrom(...(Object.keys(RECORD_TYPE) as RecordType[]));
  const payloads = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.tuple(fc.constantFrom(rate, items), fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
      const changed = Buffer.from(bytes);
      changed[at % changed.length] = byte;
      return changed;
    }),
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(types, payloads, (type, payload) => {
      try {
        assert(countRatings(recordOf(type, payload), 17) >= 0);
      } catch (error) {
        assert(error instanceof AccreteError && error.reason === 'STORE_DAMAGED', String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
