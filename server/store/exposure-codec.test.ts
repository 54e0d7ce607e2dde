import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeExposures, type Exposures, encodeExposures, NO_ITEM } from './exposure-codec.ts';

const plain = {
  sequence: 2 ** 41 + 3,
  atMs: 1_700_000_000_123,
  experiment: 7,
  arm: 1,
  unit: 0xfedc_ba98_7654_3210n,
  user: 0n,
  row: NO_ITEM,
  items: Uint32Array.of(4, NO_ITEM, 0),
  propensities: undefined,
  teams: undefined,
};
const record: Exposures = {
  run: 0xdead_beef,
  lost: new Map([
    [7, 3],
    [65_535, 1],
  ]),
  exposures: [
    plain,
    { ...plain, user: 5n, row: 3, items: new Uint32Array(), propensities: new Float32Array(), teams: new Uint8Array() },
    { ...plain, propensities: Float32Array.of(0.5, 0.25, 1), teams: Uint8Array.of(1, 0, 1) },
  ],
};

test('exposures are read as they were written', () => {
  assert.deepEqual(decodeExposures(encodeExposures(record)), record);
  const none = { run: 0, lost: new Map(), exposures: [] };
  assert.deepEqual(decodeExposures(encodeExposures(none)), none);
});

test('what is cut off, or too long, is no record of exposures', () => {
  const bytes = encodeExposures(record);
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => decodeExposures(bytes.subarray(0, length)), RangeError, `${length} bytes`);
  assert.throws(() => decodeExposures(Buffer.concat([bytes, Buffer.from([0])])), RangeError);
});
