import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, HISTORY_MAX, withEntry } from './history.ts';

const change: Change = {
  kind: 'fuse',
  by: 'call',
  strategy: 'refit',
  sources: [],
  reason: 'x'.repeat(5000),
  outcome: 'refused',
  atMs: 1,
  learned: 2,
  previous: '1',
  version: '2',
};

test('a history has the latest changes, and no more, of reasons that are no novels', () => {
  let history = withEntry(undefined, change, 1);
  for (let revision = 2; revision <= HISTORY_MAX + 3; revision++) history = withEntry(history, change, revision);
  assert.equal(history.length, HISTORY_MAX);
  assert.deepEqual([history[0].revision, history.at(-1)?.revision], [4, HISTORY_MAX + 3]);
  assert.ok(history.every(({ reason }) => reason.length === 1000));
});
