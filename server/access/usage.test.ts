import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Usage } from './usage.ts';

test('a second of calls may come at once, and then as many as time brings', () => {
  const usage = new Usage();
  const taken = (perSecond: number, atMs: number, tries: number) =>
    Array.from({ length: tries }, () => usage.take(perSecond, atMs)).filter((waitMs) => waitMs === 0).length;
  assert.equal(taken(10, 1000, 25), 10);
  assert.equal(usage.take(10, 1000), 100, 'until the next one');
  assert.equal(taken(10, 1300, 25), 3);
  assert.equal(taken(10, 99_000, 25), 10, 'what was not used is not saved up beyond a second');
  assert.equal(taken(2, 99_000, 25), 2, 'another limit begins anew');
  assert.equal(taken(0, 99_000, 1000), 1000, 'no limit');
});
