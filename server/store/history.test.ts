import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginsPeriod, type Change, HISTORY_MAX, withEntry } from './history.ts';

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

test('the latest Fuse stays, however much else is done after it', () => {
  let history = withEntry(undefined, change, 1);
  history = withEntry(history, change, 2);
  for (let revision = 3; revision <= 2 * HISTORY_MAX; revision++)
    history = withEntry(history, { ...change, kind: 'tune' }, revision);
  const latest = Array.from({ length: HISTORY_MAX - 1 }, (_, n) => HISTORY_MAX + 2 + n);
  assert.deepEqual(
    history.map(({ revision }) => revision),
    [2, ...latest],
  );
});

test('a period counts from a Fuse, and from a version that was made like one, where that serves', () => {
  const tuned: Change = { ...change, kind: 'tune', outcome: 'promoted' };
  for (const [said, begins] of [
    [change, true],
    [tuned, true],
    [{ ...tuned, strategy: '' }, false],
    [{ ...tuned, outcome: 'refused' }, false],
    [{ ...tuned, kind: 'rollback', strategy: '' }, false],
  ] as const)
    assert.equal(beginsPeriod(said), begins, JSON.stringify(said));
});
