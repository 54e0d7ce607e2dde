import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import type { Client } from '../support/client.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Events of other kinds than ratings, through a real server. The model `mean` learns ratings alone, `popularity` both. */

const KINDS = { click: { weight: 0.5 }, view: {}, purchase: { weight: 3, hides: true } };
const NO_DECAY = { name: 'popularity', plugin: 'popularity', config: { halfLifeDays: null } };

const server = await TestServer.start({ after }, { kinds: KINDS });
const { client } = server;

const event = (user: string, item: string, kind: string, more: Partial<Rating> = {}) =>
  rating(user, item, undefined, { kind, ...more });
const names = (items: readonly { itemId: string }[]) => items.map(({ itemId }) => itemId).sort();
const listed = async (user: string, of: Client = client) =>
  (await of.allRatings(user)).map(({ itemId, kind, value, weight }) => [itemId, kind, value, weight]);

test('events accumulate, and are listed with ratings by their arrival', async () => {
  await client.rate([
    event('ann', 'tea', 'click'),
    rating('ann', 'cup', 4),
    event('ann', 'tea', 'click', { weight: 2 }),
    event('ann', 'pot', 'purchase', { value: 5 }),
  ]);
  assert.deepEqual(await listed('ann'), [
    ['pot', 'purchase', 5, 1],
    ['tea', 'click', undefined, 2],
    ['cup', '', 4, 1],
    ['tea', 'click', undefined, 1],
  ]);
  const pages: unknown[] = [];
  let pageToken = '';
  do {
    const page = await client.listRatings('ann', { pageSize: 1, pageToken });
    pages.push(...page.ratings);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(pages, await client.allRatings('ann'));
  assert.equal(pages.length, 4);
});

test('an event with a value sets the rating, which goes with the events of its kind', async () => {
  const expected = async (user: string) => {
    const { items } = await client.recommend(user, { candidateItemIds: ['anything'], model: 'mean' });
    return items[0].predictedValue;
  };
  await client.rate([rating('bob', 'tea', 2), event('bob', 'tea', 'purchase', { value: 5 })]);
  assert.equal(await expected('bob'), 5);
  await client.rate([event('bob', 'tea', 'view', { retract: true })]);
  assert.equal(await expected('bob'), 5);
  await client.rate([event('bob', 'tea', 'purchase', { retract: true })]);
  assert.deepEqual(await listed('bob'), []);
  assert.equal(await expected('bob'), 3);
  // Taking the rating back keeps the event, and the other way round.
  await client.rate([
    event('bob', 'tea', 'purchase', { value: 5 }),
    rating('bob', 'tea', undefined, { retract: true }),
  ]);
  assert.equal(await expected('bob'), 3);
  assert.deepEqual(await listed('bob'), [['tea', 'purchase', 5, 1]]);
  await client.rate([rating('bob', 'tea', 4), event('bob', 'tea', 'purchase', { retract: true })]);
  assert.equal(await expected('bob'), 4);
  assert.deepEqual(await listed('bob'), [['tea', '', 4, 1]]);
});

test('taking back what is not there is accepted and changes nothing', async () => {
  const hashOf = async () => (await client.getModel('popularity')).hashes?.interactions;
  const before = await hashOf();
  const absent = [event('ann', 'cup', 'click'), event('nobody', 'tea', 'view'), event('ann', 'nothing', 'purchase')];
  const answer = await client.rate(absent.map((each) => ({ ...each, retract: true })));
  assert.equal(answer.acceptedCount, 3);
  assert.equal(await hashOf(), before);
});

test('kinds that hide leave out what the user had; others do not', async () => {
  await client.rate([rating('crowd', 'x', 5), rating('crowd', 'y', 4), rating('crowd', 'z', 3)]);
  const candidateItemIds = ['x', 'y', 'z'];
  const all = async (more = {}) => names((await client.recommend('dan', { pageSize: 100, ...more })).items);
  await client.rate([event('dan', 'x', 'click'), event('dan', 'y', 'view')]);
  const before = await all();
  assert.ok(before.includes('x') && before.includes('y'));
  await client.rate([event('dan', 'x', 'purchase')]);
  assert.deepEqual(
    await all(),
    before.filter((item) => item !== 'x'),
  );
  assert.deepEqual(await all({ candidateItemIds }), ['y', 'z']);
  assert.deepEqual(await all({ candidateItemIds, includeSeen: true }), candidateItemIds);
  assert.deepEqual(await all({ includeSeen: true }), before);
  await client.rate([event('dan', 'x', 'purchase', { retract: true })]);
  assert.deepEqual(await all(), before);
});

test('who is known by events alone is no stranger to a model that learns events', async () => {
  await client.rate([event('eve', 'tea', 'click')]);
  assert.equal((await client.recommend('eve', { model: 'mean' })).fallbackReason, 'UNKNOWN_USER');
  const { fallbackReason, items } = await client.recommend('eve', { model: 'popularity', pageSize: 100 });
  assert.equal(fallbackReason, '');
  assert.ok(names(items).includes('tea'));
  const capabilities = async (name: string) => (await client.getModel(name)).model?.capabilities;
  assert.ok((await capabilities('popularity'))?.includes('events'));
  assert.ok(!(await capabilities('mean'))?.includes('events'));
});

test('live figures count first ratings, whoever brings them, and no events', async (t) => {
  const { client: other } = await TestServer.start(t, { kinds: KINDS });
  await other.rate([
    event('fay', 'tea', 'click'),
    event('fay', 'tea', 'purchase', { value: 4 }),
    event('fay', 'tea', 'purchase', { value: 2 }),
    rating('fay', 'cup', 3),
    event('fay', 'cup', 'view'),
  ]);
  const { rows } = await other.evaluate();
  const counts = rows.filter(({ metric, model }) => metric === 'rmse' && model === 'mean');
  assert.ok(counts.length > 0);
  assert.deepEqual(new Set(counts.map(({ count }) => Number(count))), new Set([2]));
  const learned = async (name: string) => Number((await other.getModel(name)).model?.learnedCount);
  assert.deepEqual([await learned('mean'), await learned('popularity')], [3, 7]);
});

test('predictions stand for every event of the request', async () => {
  const ratings = [
    rating('gus', 'tea', 5),
    event('gus', 'cup', 'click'),
    event('gus', 'pot', 'purchase', { value: 1 }),
  ];
  const { predictions } = await client.rate(ratings, { returnPredictions: ['mean'] });
  assert.deepEqual(predictions, [{ model: 'mean', values: [3, 5, 5] }]);
});

test('popularity counts events by their weight and that of their kind', async (t) => {
  const { client: other } = await TestServer.start(t, { kinds: KINDS, models: [NO_DECAY] });
  const ratings = ['a', 'b', 'c'].map((user) => rating(user, 'rated-by-3', 5));
  await other.rate([
    ...ratings,
    event('a', 'bought', 'purchase', { weight: 2 }),
    event('a', 'seen', 'view'),
    event('a', 'clicked', 'click'),
    event('b', 'bought-and-rated', 'purchase', { value: 5, weight: 2 }),
  ]);
  const { items } = await other.recommend('z');
  // Weights: 6, 3, 2 (once, as the rating), 1, 0.5; the score is their piecewise log2.
  assert.deepEqual(
    items.map(({ itemId, score }) => [itemId, score]),
    [
      ['bought', 2.5],
      ['rated-by-3', 1.5],
      ['bought-and-rated', 1],
      ['seen', 0],
      ['clicked', -1],
    ],
  );
});

test('what is wrong with an event is named, and nothing is learned', async () => {
  const before = await listed('ann');
  const ratings = [
    event('ann', 'tea', 'klick'),
    event('ann', 'tea', 'click', { value: 9 }),
    event('ann', 'tea', 'view', { weight: 11 }),
    event('ann', 'tea', 'wish', { retract: true }),
    event('ann', 'tea', 'view'),
  ];
  const failure = await failureOf(client.rate(ratings));
  assert.deepEqual([failure.code, failure.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
  assert.deepEqual(Object.keys(failure.fields), [
    'ratings[0].kind',
    'ratings[1].value',
    'ratings[2].weight',
    'ratings[3].kind',
  ]);
  assert.match(failure.fields['ratings[0].kind'], /"klick".*use "click", "view", "purchase" or ""$/);
  assert.deepEqual(await listed('ann'), before);
});

test('a restart brings back every byte, whatever kinds mean by then', async (t) => {
  const own = await TestServer.start(t, { kinds: KINDS, models: [NO_DECAY, { name: 'mf', plugin: 'mf' }] });
  const random = randomNumbers(5);
  const ratings = Array.from({ length: 3000 }, () => {
    const kind = ['', 'click', 'view', 'purchase'][Math.floor(4 * random())];
    const value = kind === '' || random() < 0.2 ? 1 + Math.floor(5 * random()) : undefined;
    const [user, item] = [`user-${Math.floor(40 * random())}`, `item-${Math.floor(30 * random())}`];
    return rating(user, item, value, { kind, retract: random() < 0.1, weight: Math.floor(5 * random()) / 2 });
  });
  for (let start = 0; start < ratings.length; start += 500) await own.client.rate(ratings.slice(start, start + 500));
  const hashesOf = () =>
    Promise.all(['popularity', 'mf'].map(async (name) => (await own.client.getModel(name)).hashes));
  const [before, list] = [await hashesOf(), await listed('user-7', own.client)];
  await own.restart();
  assert.deepEqual(await hashesOf(), before);
  assert.deepEqual(await listed('user-7', own.client), list);
  // Events were learned with what their kinds meant then, and stay so.
  await own.restart({ kinds: { purchase: { weight: 7 } } });
  assert.deepEqual(await hashesOf(), before);
  assert.deepEqual(await listed('user-7', own.client), list);
  const refused = await failureOf(own.client.rate([event('user-7', 'item-1', 'click')]));
  assert.match(refused.fields['ratings[0].kind'], /"click", which is not configured \(kinds\): use "purchase" or ""$/);
  // What is left out stays as it was.
  await own.restart({ kinds: undefined });
  assert.deepEqual(await hashesOf(), before);
  await own.client.rate([event('user-7', 'item-1', 'purchase')]);
});

test('what a kind means from now on holds for what comes, and hides what was there', async (t) => {
  const own = await TestServer.start(t, { kinds: KINDS, models: [NO_DECAY] });
  const scores = async () => {
    const { items } = await own.client.recommend('other');
    return Object.fromEntries(items.map(({ itemId, score }) => [itemId, score]));
  };
  const shown = async () => names((await own.client.recommend('ann')).items);
  await own.client.rate([event('ann', 'old', 'view'), event('bob', 'more', 'view')]);
  assert.deepEqual([await shown(), await scores()], [['more', 'old'], { more: 0, old: 0 }]);
  await own.restart({ kinds: { view: { weight: 4, hides: true } } });
  assert.deepEqual([await shown(), await scores()], [['more'], { more: 0, old: 0 }]);
  await own.client.rate([event('ann', 'new', 'view')]);
  assert.deepEqual([await shown(), await scores()], [['more'], { more: 0, old: 0, new: 2 }]);
  // A retraction takes back what was learned, not what it would weigh now.
  await own.client.rate([event('ann', 'old', 'view', { retract: true }), event('bob', 'old', 'view')]);
  assert.deepEqual(await scores(), { more: 0, old: 2, new: 2 });
  await own.restart();
  assert.deepEqual([await shown(), await scores()], [['more', 'old'], { more: 0, old: 2, new: 2 }]);
});

test('a model that is loaded later learns events as they were learned then', async (t) => {
  const own = await TestServer.start(t, { kinds: KINDS, models: [NO_DECAY] });
  await own.client.rate([event('ann', 'tea', 'view'), event('ann', 'cup', 'purchase'), rating('ann', 'pot', 3)]);
  await own.restart({ kinds: { view: { weight: 4 }, purchase: {} } });
  await own.client.rate([event('bob', 'tea', 'view'), event('ann', 'cup', 'purchase', { retract: true })]);
  const later = LoadModelRequest.fromPartial({ ...NO_DECAY, name: 'later' });
  await own.client.call(ModelServiceService.loadModel, later);
  const hashesOf = async () => {
    const [first, second] = await Promise.all(['popularity', 'later'].map((name) => own.client.getModel(name)));
    assert.equal(second.model?.learnedCount, first.model?.learnedCount);
    return [first.hashes?.tables, second.hashes?.tables];
  };
  const [first, second] = await hashesOf();
  assert.equal(second, first);
  await own.client.rate([event('cat', 'tea', 'view', { weight: 2 }), event('bob', 'tea', 'view', { retract: true })]);
  const [after, alsoAfter] = await hashesOf();
  assert.notEqual(after, first);
  assert.equal(alsoAfter, after);
});

test('events that do not fit are refused as a whole', async (t) => {
  const own = await TestServer.start(t, { kinds: KINDS, models: [NO_DECAY], memory: { budgetMiB: 64 } });
  const stateOf = async () => (await own.client.getModel('popularity')).hash;
  const batch = (n: number) =>
    Array.from({ length: 5000 }, (_, at) =>
      event(`u-${n}-${at % 50}`.padEnd(200, '.'), `i-${n}-${at}`.padEnd(200, '.'), 'click'),
    );
  let before = await stateOf();
  for (let n = 0; ; n++) {
    assert.ok(n < 200, 'the budget has no end');
    const call = own.client.rate(batch(n));
    const refused = await call.then(
      () => undefined,
      () => failureOf(call),
    );
    if (refused) {
      assert.ok(n > 0, 'not one batch fitted');
      assert.equal(refused.reason, 'MEMORY_FULL');
      break;
    }
    before = await stateOf();
  }
  assert.equal(await stateOf(), before);
  // What is taken back needs no more memory than there is.
  const [{ userId, itemId }] = batch(0);
  await own.client.rate([event(userId, itemId, 'click', { retract: true })]);
  const last = await stateOf();
  assert.notEqual(last, before);
  await own.restart();
  assert.equal(await stateOf(), last);
});
