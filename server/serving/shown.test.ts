import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeShown, findShown, SHOWN_MAX } from './shown.ts';

const request = Buffer.from('for ann, ten items');

test('what was shown comes back, in ascending order', () => {
  const entry = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 2 ** 32 - 1 }));
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { maxLength: 200 }),
      fc.constantFrom('', 'mf', 'x'.repeat(63)),
      (entries, model) => {
        const token = encodeShown({ model, entries }, request);
        assert.match(token, /^[\w-]+$/);
        assert.deepEqual(findShown(token, request), { model, entries: entries.toSorted((a, b) => a - b) });
      },
    ),
    { seed: 4 },
  );
});

test('a whole list takes less than two bytes an item where they lie close together', () => {
  const entries = Array.from({ length: SHOWN_MAX }, (_, n) => 3 * n);
  assert(encodeShown({ model: 'mf', entries }, request).length < 2 * SHOWN_MAX);
});

test('a token of another request is none', () => {
  const token = encodeShown({ model: 'mf', entries: [1, 2] }, request);
  assert.equal(findShown(token, Buffer.from('for ben, ten items')), undefined);
  assert.equal(findShown(token, Buffer.alloc(0)), undefined);
});

test('a token with any bit turned, any character lost or added is none', () => {
  const token = encodeShown({ model: 'mf', entries: [5, 300, 70_000] }, request);
  for (let n = 0; n < token.length; n++) {
    const lost = token.slice(0, n) + token.slice(n + 1);
    assert.equal(findShown(lost, request), undefined, lost);
    for (const bit of [1, 2, 4, 8, 16, 32, 64]) {
      const turned = token.slice(0, n) + String.fromCharCode(token.charCodeAt(n) ^ bit) + token.slice(n + 1);
      assert.equal(findShown(turned, request), undefined, turned);
    }
    for (const more of ['A', ' ', '=', '!', '\n']) {
      const longer = token.slice(0, n) + more + token.slice(n);
      assert.equal(findShown(longer, request), undefined, longer);
    }
  }
});

test('what is no token at all is none', () => {
  for (const text of ['', 'next', 'AAAAAAAA', 'AAAAAAAAAAA', 'A'.repeat(10_000)]) {
    assert.equal(findShown(text, request), undefined, text);
  }
});

test('a token of more than was ever shown is none, whoever made it', () => {
  const entries = Array.from({ length: SHOWN_MAX + 1 }, (_, n) => n);
  assert.equal(findShown(encodeShown({ model: '', entries }, request), request), undefined);
});

test('a token that was made by hand, with numbers that no row has, is none', () => {
  const request = Buffer.from('request');
  const make = (numbers: readonly number[]) => {
    const content = Buffer.from([4, ...Buffer.from('mean'), ...numbers]);
    const fingerprint = createHash('sha1').update(content).update(request).digest().subarray(0, 8);
    return Buffer.concat([fingerprint, content]).toString('base64url');
  };
  assert.deepEqual(findShown(make([1, 0x80, 1]), request), { model: 'mean', entries: [1, 129] });
  assert.deepEqual(findShown(make([0xff, 0xff, 0xff, 0xff, 0x0f]), request)?.entries, [2 ** 32 - 1]);
  const cut = [0x80];
  const tooLarge = [0x80, 0x80, 0x80, 0x80, 0x10];
  // As a number it is infinite, and writing it into the next token would never end.
  const endless = [...Array(160).fill(0xff), 1];
  for (const numbers of [cut, tooLarge, endless, [1, ...endless]])
    assert.equal(findShown(make(numbers), request), undefined, String(numbers.length));
});
