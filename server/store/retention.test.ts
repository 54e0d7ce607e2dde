import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalLink } from './journal.ts';
import { firstKept, type Keep } from './retention.ts';

/** Links of ten revisions and 100 bytes each; the n-th was full at the time 1000 n. */
const links = Array.from(
  { length: 5 },
  (_, n): JournalLink => ({
    path: '',
    first: 10 * n + 1,
    last: 10 * n + 10,
    bytes: 100,
  }),
);
const first = (keep: Keep, covered: number, some = links) =>
  firstKept(some, keep, covered, 5000, ({ last }) => 100 * last);

test('links go that are beyond each bound and covered', () => {
  const all = 1000;
  assert.equal(first({ bytes: 0, ms: 0 }, all), 1);
  // At least so much stays.
  assert.deepEqual(
    [500, 401, 400, 399, 101, 1].map((bytes) => first({ bytes, ms: 0 }, all)),
    [1, 1, 11, 11, 31, 41],
  );
  assert.deepEqual(
    [4000, 3999, 2500, 1].map((ms) => first({ bytes: 0, ms }, all)),
    [1, 11, 21, 41],
  );
  assert.equal(first({ bytes: 301, ms: 2500 }, all), 11);
  assert.equal(first({ bytes: 1, ms: 3999 }, all), 11);
  // What is not covered stays, and what follows it.
  assert.deepEqual(
    [9, 10, 29, 30].map((covered) => first({ bytes: 1, ms: 0 }, covered)),
    [1, 11, 21, 31],
  );
});

test('the last link stays', () => {
  assert.equal(first({ bytes: 1, ms: 1 }, 1000, links.slice(-1)), 41);
});
