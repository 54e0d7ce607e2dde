import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { definePlugin, type KindEvent, type Plugin } from '../../plugins/contract/index.ts';
import { Reader } from '../../server/memory/readers.ts';
import { Scores } from '../../server/models/scores.ts';
import { RatingPages } from '../../server/serving/rating-pages.ts';
import { seenBy } from '../../server/serving/seen.ts';
import { Lab, type Rating } from '../laws/lab.ts';
import { type Listed, listing, Reference, WEIGHTS } from './kinds-reference.ts';

/** Ratings and events of any kind, in any order, against a model of what they mean that is as plain as can be. */

const USERS = 3;
const ITEMS = 4;
const START = 1_000_000_000;

const anyRating = fc.record({
  user: fc.nat(USERS - 1).map((n) => `user-${n}`),
  item: fc.nat(ITEMS - 1).map((n) => `item-${n}`),
  kind: fc.constantFrom('', 'click', 'buy', 'wish'),
  value: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
  weight: fc.integer({ min: 0, max: 20 }).map((n) => n / 2),
  retract: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});

/** Every one has a time of its own, by which it is told from others; a rating has a value. */
const timed = (ratings: readonly Rating[], start: number): Rating[] =>
  ratings.map((rating, n) => ({
    ...rating,
    value: rating.kind === '' ? (rating.value ?? 3) : rating.value,
    time: start + n,
  }));
const anyRatings = fc.array(anyRating, { maxLength: 60, size: 'max' }).map((ratings) => timed(ratings, START));

interface Call {
  readonly what: 'learn' | 'retract';
  readonly event: KindEvent;
  /** What the user's events that the model sees weigh together. */
  readonly around: number;
}

/** A model that learns events and writes down what it is told. */
function spy(): { plugin: Plugin; calls: Call[] } {
  const calls: Call[] = [];
  const plugin = definePlugin({
    name: 'spy',
    summary: 'Writes down what it is told.',
    stateVersion: 1,
    config: z.strictObject({ seed: z.int().default(1) }),
    tables: () => ({}),
    retracts: 'exact',
    learnsEvents: true,
    scorer: () => ({ score: () => {} }),
    learner: ({ events }) => {
      const note = (what: Call['what'], event: KindEvent) => {
        let around = 0;
        for (let n = 0; n < events.userCount(event.user); n++) around += events.weight(events.ofUser(event.user, n));
        calls.push({ what, event: { ...event }, around });
      };
      return {
        learn: () => {},
        learnEvent: (event) => note('learn', event),
        retractEvent: (event) => note('retract', event),
      };
    },
  });
  return { plugin: plugin as unknown as Plugin, calls };
}

function list({ arena, world }: Lab, user: string, pageSize: number, between = () => {}): Listed[] {
  const pages = new RatingPages(arena, new Reader(arena, 0), world);
  const all: Listed[] = [];
  let pageToken = '';
  do {
    const page = pages.page(user, pageSize, pageToken);
    assert(page.ratings.length === pageSize || page.nextPageToken === '', 'a page before the last one is full');
    all.push(
      ...page.ratings.map(({ itemId, kind, value, weight, seconds }) => ({
        item: itemId,
        kind,
        value,
        weight,
        time: seconds,
      })),
    );
    pageToken = page.nextPageToken;
    between();
  } while (pageToken !== '');
  return all;
}

test('what is listed and what is hidden is what the plain model says', () => {
  fc.assert(
    fc.property(anyRatings, fc.integer({ min: 1, max: 9 }), (ratings, pageSize) => {
      const lab = new Lab(spy().plugin, { seed: 1 }, { budgetMiB: 16 }).teachAll(ratings);
      const reference = new Reference().takeAll(ratings);
      const scores = new Scores(lab.arena);
      for (let n = 0; n < USERS; n++) {
        const user = `user-${n}`;
        assert.deepEqual(list(lab, user, pageSize), listing(reference, user));
        const row = lab.userRow(user);
        const seen = seenBy(lab.world, row);
        const { rows: items } = lab.world.items;
        const out = scores.ofAll(() => {}, items);
        lab.arena.f32.fill(0, out >>> 2, (out >>> 2) + items);
        scores.excludeSeen(lab.world, row, items);
        for (let item = 0; item < items; item++) {
          const expected = reference.hasSeen(user, lab.world.items.text(item));
          assert.equal(seen(item), expected);
          assert.equal(lab.arena.f32[(out >>> 2) + item], expected ? Number.NEGATIVE_INFINITY : 0);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a model is told of every event once, and of all that are taken back', () => {
  fc.assert(
    fc.property(anyRatings, (ratings) => {
      const { plugin, calls } = spy();
      const lab = new Lab(plugin, { seed: 1 }, { budgetMiB: 16 });
      const reference = new Reference();
      for (const rating of ratings) {
        const told = calls.length;
        const live = reference.eventsOf(rating.user);
        reference.take(rating);
        lab.teach(rating);
        const left = reference.eventsOf(rating.user);
        const weigh = (events: typeof live) =>
          events.reduce((sum, { kind, weight }) => sum + weight * WEIGHTS[kind], 0);
        const plain = calls.slice(told).map(({ what, event: { kind, time, value, weight }, around }) => {
          return { what, kind, time, value, weight, around };
        });
        const gone = live.filter((event) => !left.includes(event));
        const come = left.filter((event) => !live.includes(event));
        const say = ({ kind, time, value, weight }: (typeof live)[number]) => ({
          kind,
          time,
          value,
          weight: weight * WEIGHTS[kind],
        });
        assert.deepEqual(plain, [
          ...come.map((event) => ({ what: 'learn', ...say(event), around: weigh(live) })),
          ...gone.map((event, n) => ({
            what: 'retract',
            ...say(event),
            around: weigh(live.filter((other) => !gone.slice(0, n + 1).includes(other))),
          })),
        ]);
        assert.equal(lab.world.events.count, reference.events.length);
      }
      // Every event that it learned or took back counts, as every rating does.
      const ratingEvents = lab.model.prequential.events - calls.length;
      assert.ok(ratingEvents >= 0 && ratingEvents <= ratings.length);
    }),
    { numRuns: 60 },
  );
});

test('the same ratings and events give the same bytes', () => {
  fc.assert(
    fc.property(anyRatings, (ratings) => {
      const [first, second] = [1, 2].map(() => new Lab(spy().plugin, { seed: 1 }, { budgetMiB: 16 }).teachAll(ratings));
      assert.deepEqual(first.world.hashes(first.kernels), second.world.hashes(second.kernels));
    }),
    { numRuns: 20 },
  );
});

test('pages neither repeat nor skip, whatever arrives between them', () => {
  fc.assert(
    fc.property(
      anyRatings,
      fc.array(anyRating, { maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      (ratings, more, size) => {
        const user = 'user-0';
        const lab = new Lab(spy().plugin, { seed: 1 }, { budgetMiB: 16 }).teachAll(ratings);
        const before = new Reference().takeAll(ratings);
        const after = new Reference().takeAll(ratings);
        const late = timed(more, START + 1000);
        const listed = list(lab, user, size, () => {
          const next = late.shift();
          if (!next) return;
          lab.teach(next);
          after.take(next);
        });
        const key = (entry: Listed) => JSON.stringify(entry);
        const shown = listed.map(key);
        assert.equal(new Set(shown).size, shown.length);
        const kept = new Set(listing(after, user).map(key));
        const untouched = listing(before, user)
          .map(key)
          .filter((entry) => kept.has(entry));
        assert.deepEqual(
          shown.filter((entry) => untouched.includes(entry)),
          untouched,
        );
      },
    ),
    { numRuns: 100 },
  );
});

test('what is learned while a page is read does not put it out of order', () => {
  // Without ratings there are no edits: the order of arrival is that of time.
  const anyEvents = fc.array(anyRating, { maxLength: 40, size: 'max' }).map((ratings) =>
    timed(
      ratings.map((rating) => ({ ...rating, user: 'user-0', kind: rating.kind || 'click', value: undefined })),
      START,
    ),
  );
  fc.assert(
    fc.property(anyEvents, fc.nat(20), (events, learnedBefore) => {
      const lab = new Lab(spy().plugin, { seed: 1 }, { budgetMiB: 16 }).teachAll(events.slice(0, learnedBefore));
      const rest = events.slice(learnedBefore);
      const { items } = lab.world;
      const text = items.text.bind(items);
      const mocked = mock.method(items, 'text', (row: number) => {
        const next = rest.shift();
        if (next) lab.teach(next);
        return text(row);
      });
      const times = list(lab, 'user-0', 100).map(({ time }) => time);
      mocked.mock.restore();
      assert.deepEqual(
        times,
        times.toSorted((a, b) => b - a),
      );
      assert.equal(new Set(times).size, times.length);
    }),
    { numRuns: 300 },
  );
});
