import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { configHash } from './hash.ts';

test('the hash is 16 hex digits of the SHA-256 of JSON with sorted keys', () => {
  const expected = createHash('sha256').update('{"a":[{"c":2,"d":1}],"b":null}').digest('hex').slice(0, 16);
  assert.equal(configHash({ b: null, a: [{ d: 1, c: 2 }] }), expected);
});

test('the order of keys and undefined ones do not matter', () => {
  assert.equal(configHash({ x: { a: 1, b: 2 }, y: undefined }), configHash({ x: { b: 2, a: 1 } }));
});

test('values, names and the order of lists matter', () => {
  const hashes = [{ a: 1 }, { a: 2 }, { b: 1 }, { a: '1' }, { a: [1, 2] }, { a: [2, 1] }].map(configHash);
  assert.equal(new Set(hashes).size, hashes.length);
});
