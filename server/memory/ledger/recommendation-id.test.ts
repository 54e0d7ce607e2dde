import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRecommendationId, parseRecommendationId, prefixOfRun, SEQUENCE_MAX } from './recommendation-id.ts';

const STORE = 0x1234_5678;

test('an id says what it was made of, and is a UUID of version 8', () => {
  for (const run of [0, 1, 0xffff_ffff, 0x8000_0001])
    for (const experiment of [0, 1, 0xffff])
      for (const sequence of [1, 2 ** 30 - 1, 2 ** 30, 2 ** 31 + 5, SEQUENCE_MAX]) {
        const id = formatRecommendationId({ run, experiment, sequence }, STORE);
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.ok(id.startsWith(prefixOfRun(run)));
        assert.deepEqual(parseRecommendationId(id, STORE), { run, experiment, sequence });
      }
});

test('ids of other stores, and changed ones, are told apart', () => {
  const id = formatRecommendationId({ run: 77, experiment: 3, sequence: 12 }, STORE);
  assert.equal(parseRecommendationId(id, STORE + 1), undefined);
  assert.equal(parseRecommendationId('', STORE), undefined);
  assert.equal(parseRecommendationId(id.toUpperCase(), STORE), undefined);
  for (let at = 0; at < id.length; at++) {
    const changed = id.slice(0, at) + (id[at] === '1' ? '2' : '1') + id.slice(at + 1);
    assert.equal(parseRecommendationId(changed, STORE), undefined, changed);
  }
});
