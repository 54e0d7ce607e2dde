import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { LastOutSplit, type Split, TimeSplit } from './split.ts';

function ratingOf(userId: string, itemId: string, seconds: number, more: Partial<Rating> = {}): Rating {
  return Rating.create({ userId, itemId, value: 3, eventTime: { seconds: BigInt(seconds), nanos: 0 }, ...more });
}

function testOf(split: Split, ratings: readonly Rating[]): Rating[] {
  for (const rating of ratings) split.observe(rating);
  return ratings.filter((rating) => split.isTest(rating));
}

test('by time: the latest share is held out, of one moment what arrived last', () => {
  const times = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 });
  fc.assert(
    fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (seconds, share) => {
      const ratings = seconds.map((second, n) => ratingOf('u', `i${n}`, second));
      const sorted = ratings.toSorted((a, b) => Number((a.eventTime?.seconds ?? 0n) - (b.eventTime?.seconds ?? 0n)));
      const expected = sorted.slice(ratings.length - Math.round(share * ratings.length));
      assert.deepEqual(new Set(testOf(new TimeSplit(share), ratings)), new Set(expected));
    }),
  );
});

test('by time: many', () => {
  const ratings = Array.from({ length: 5000 }, (_, n) => ratingOf('u', `i${n}`, (n * 7919) % 5000));
  const held = testOf(new TimeSplit(0.1), ratings);
  assert.equal(held.length, 500);
  assert.ok(held.every(({ eventTime }) => Number(eventTime?.seconds) >= 4500));
});

test("leave last out: each user's last rating by time, with its earlier ones, and no events", () => {
  const ratings = [
    ratingOf('a', 'x', 5),
    ratingOf('a', 'y', 9, { value: 1 }),
    ratingOf('a', 'y', 9, { kind: 'click' }),
    ratingOf('b', 'x', 7),
    ratingOf('b', 'y', 7),
    ratingOf('a', 'y', 10),
    ratingOf('a', 'x', 11, { retract: true }),
    ratingOf('a', 'z', 12, { kind: 'click' }),
    ratingOf('c', 'z', 1, { kind: 'click' }),
  ];
  assert.deepEqual(testOf(new LastOutSplit(), ratings), [ratings[1], ratings[4], ratings[5]]);
});
