import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { struct, timestamp } from '../../clients/node/client.mjs';
import { open } from './open.mjs';

const client = await open(new URL('news.yaml', import.meta.url));
const idsOf = ({ items }) => items.map(({ itemId }) => itemId);

const HOUR_MS = 3_600_000;
const now = Date.now();
/** An article, by its age; what is older than two days is not shown any more. */
const article = (itemId, category, hours, more = {}) => ({
  itemId,
  categories: [category],
  attributes: struct({ published: Math.floor((now - hours * HOUR_MS) / 1000) }),
  availableFrom: timestamp(now - hours * HOUR_MS),
  availableUntil: timestamp(now + (48 - hours) * HOUR_MS),
  ...more,
});
const SECTIONS = ['city', 'sport'];
const sections = SECTIONS.flatMap((section) =>
  Array.from({ length: 10 }, (_, n) => article(`${section}-${n}`, section, 2 + n)),
);
await client.upsertItems({
  items: [
    article('yesterday', 'city', 24),
    article('this-hour', 'city', 1),
    article('just-in', 'city', 0),
    ...sections,
    article('embargo', 'city', 0, { availableFrom: timestamp(now + 1500) }),
  ],
});

// Readers are numbers in a cookie. A click carries a value, so that models of ratings learn from it, too.
const click = (userId, itemId, hours = 0) => ({
  userId,
  itemId,
  kind: 'click',
  value: 5,
  eventTime: timestamp(now - hours * HOUR_MS),
});
const readers = (count, name) => Array.from({ length: count }, (_, n) => `${name}-${n}`);
await client.rate({
  requestId: 'clicks-1',
  ratings: [
    ...readers(100, 'early').map((reader) => click(reader, 'yesterday', 24)),
    ...readers(20, 'late').map((reader) => click(reader, 'this-hour', 0.5)),
    ...SECTIONS.flatMap((section) =>
      readers(40, section).flatMap((reader, r) =>
        [0, 1, 3].map((step) => click(reader, `${section}-${(r + step) % 10}`, 2)),
      ),
    ),
  ],
});

// A hundred clicks of yesterday are four half-lives old: they count as six.
const front = await client.recommend({ userId: 'cookie-1', pageSize: 5 });
console.log('front page:', idsOf(front));
assert.equal(idsOf(front)[0], 'this-hour');
const ranked = await client.recommend({ userId: 'cookie-1', candidateItemIds: ['yesterday', 'this-hour'] });
assert.deepEqual(idsOf(ranked), ['this-hour', 'yesterday']);

// The next page repeats nothing, also when clicks have changed the ranking meanwhile.
await client.rate({ requestId: 'clicks-2', ratings: readers(30, 'rush').map((reader) => click(reader, 'just-in')) });
const next = await client.recommend({ userId: 'cookie-1', pageSize: 5, pageToken: front.nextPageToken });
console.log('next page:', idsOf(next));
assert.equal(idsOf(next).length, 5);
assert(idsOf(next).every((itemId) => !idsOf(front).includes(itemId)));

// What nobody has clicked yet gets places of its own: the newest, by a filter.
await client.upsertItems({ items: [article('unread', 'sport', 0)] });
const since = Math.floor((now - HOUR_MS / 2) / 1000);
const fresh = await client.recommend({
  userId: 'cookie-1',
  filter: `attributes.published >= ${since}`,
  excludeItemIds: [...idsOf(front), ...idsOf(next)],
});
console.log('new and not shown:', idsOf(fresh));
assert(idsOf(fresh).includes('unread'));

// Someone without a cookie, by what was read in this visit.
const visit = await client.recommend({ session: { itemIds: ['sport-1', 'sport-2'] }, model: 'also-read', pageSize: 4 });
console.log('after sport-1 and sport-2:', idsOf(visit));
assert.equal(idsOf(visit).length, 4);
assert(idsOf(visit).every((itemId) => itemId.startsWith('sport')));

// What was read is not shown again.
const before = idsOf(await client.recommend({ userId: 'cookie-1' }));
await client.rate({ requestId: 'clicks-3', ratings: [click('cookie-1', before[0])] });
assert(!idsOf(await client.recommend({ userId: 'cookie-1' })).includes(before[0]));

// An embargo ends by itself.
const embargo = () => client.recommend({ userId: 'cookie-2', candidateItemIds: ['embargo'] });
const early = idsOf(await embargo());
if (Date.now() < now + 1500) assert.deepEqual(early, []);
await sleep(now + 1600 - Date.now());
assert.deepEqual(idsOf(await embargo()), ['embargo']);
console.log('the embargo is over');

await client.close();
