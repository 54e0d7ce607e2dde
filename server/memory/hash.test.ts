import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashBytes, hashPair } from './hash.ts';

const bytes = Buffer.from('an id in the middle of a message');

test('only the slice is hashed, with its seed', () => {
  const id = Buffer.from('middle');
  const start = bytes.indexOf(id);
  assert.equal(hashBytes(bytes, start, 6, 7), hashBytes(id, 0, 6, 7));
  assert.notEqual(hashBytes(bytes, start, 5, 7), hashBytes(id, 0, 6, 7));
  assert.notEqual(hashBytes(id, 0, 6, 8), hashBytes(id, 0, 6, 7));
});

test('hashes are unsigned and spread over the low bits', () => {
  const buckets = { pairs: new Uint32Array(1024), texts: new Uint32Array(1024) };
  for (let n = 0; n < 102_400; n++) {
    const pair = hashPair(n % 320, Math.floor(n / 320));
    const text = Buffer.from(`user-${n}`);
    assert.ok(pair >= 0 && Number.isInteger(pair));
    buckets.pairs[pair & 1023]++;
    buckets.texts[hashBytes(text, 0, text.length, 1) & 1023]++;
  }
  // 100 are expected in each bucket; 5 standard deviations are 50.
  for (const [name, counts] of Object.entries(buckets)) {
    for (const count of counts) assert.ok(count > 40 && count < 170, `a bucket of ${name} has ${count}`);
  }
});

test('a pair is not its mirror image', () => {
  assert.notEqual(hashPair(1, 2), hashPair(2, 1));
});

test('one bit of what is hashed changes about half of the hash', () => {
  const bits = (n: number) => n.toString(2).replaceAll('0', '').length;
  const changed = { first: 0, second: 0, byte: 0 };
  const tries = 2000;
  for (let n = 0; n < tries; n++) {
    const bit = 1 << (n % 32);
    const text = Buffer.from(`user-${n}`);
    const before = hashBytes(text, 0, text.length, 1);
    text[text.length - 1] ^= 1 << (n % 8);
    changed.first += bits((hashPair(n, 5) ^ hashPair(n ^ bit, 5)) >>> 0) / tries;
    changed.second += bits((hashPair(5, n) ^ hashPair(5, n ^ bit)) >>> 0) / tries;
    changed.byte += bits((before ^ hashBytes(text, 0, text.length, 1)) >>> 0) / tries;
  }
  for (const [what, mean] of Object.entries(changed)) assert.ok(Math.abs(mean - 16) < 0.5, `${what}: ${mean} bits`);
});
