import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPagePosition, findTokenBytes, isNumber, isText, makePageToken } from './page-token.ts';

const scope = ['ListItems', 'labels:"\u00fc"'];

test('a position comes back for the same scope', () => {
  assert.equal(findPagePosition(scope, makePageToken(scope, 0), isNumber), 0);
  assert.equal(findPagePosition(['ListModels'], makePageToken(['ListModels'], 'mf'), isText), 'mf');
});

test('a token of another scope, or with a position of another kind, is none', () => {
  const token = makePageToken(scope, 17);
  for (const other of [['ListItems', ''], ['ListItems'], [...scope, 'x'], [], ['GetItem', scope[1]]]) {
    assert.equal(findPagePosition(other, token, isNumber), undefined, String(other));
  }
  assert.equal(findPagePosition(scope, token, isText), undefined);
});

test('positions are whole numbers from 0 on', () => {
  for (const position of [-1, 0.5, 1e300, Number.NaN]) {
    assert.equal(findPagePosition(scope, makePageToken(scope, position), isNumber), undefined, String(position));
  }
});

test('what is no token is refused, also what would decode to one', () => {
  const token = makePageToken(scope, 17);
  const wrong = ['', ' ', 'next', 'e30', 'bnVsbA', `${token} `, `${token}=`, `\n${token}`, `${token}!`, token.slice(1)];
  for (const text of wrong) assert.equal(findPagePosition(scope, text, isNumber), undefined, JSON.stringify(text));
});

test('of all texts that decode to the same bytes one is a token', () => {
  assert.deepEqual(findTokenBytes('_-8'), Buffer.from([0xff, 0xef]));
  for (const text of ['/+8', '_-9', '_-8=', '_-8 ', '_- 8']) assert.equal(findTokenBytes(text), undefined, text);
});
