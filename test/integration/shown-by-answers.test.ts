import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AllocationMethod } from '../../proto/gen/accrete/v1/experiment.ts';
import { parseConfig } from '../../server/config/load.ts';
import { createExperiment, twoArms } from '../support/experiments.ts';
import { createIsolated, getOfArm } from '../support/isolated.ts';
import { leftOut } from '../support/long.ts';
import { randomNumbers, rating, retraction } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** A bandit learns of what its answers showed: clients ask, and report clicks. */

const bandit = { name: 'bandit', plugin: 'bandit', config: { prior: 5 } };
const CONFIG = {
  kinds: { shown: { exposure: true, answers: true }, click: {} },
  models: [bandit, ...TEST_CONFIG.models],
};
const server = await TestServer.start({ after }, CONFIG);
const { client } = server;
const items = Array.from({ length: 12 }, (_, n) => `item-${n}`);
await client.upsertItems(items.map((itemId) => ({ itemId })));

/** What is waiting goes first, so all that was shown is learned when this is. */
const settle = () => server.client.rate([retraction('nobody', 'nothing')]);

/** What a user was shown, as it was learned. */
async function shownTo(user: string): Promise<string[]> {
  await settle();
  return (await server.client.allRatings(user)).filter(({ kind }) => kind === 'shown').map(({ itemId }) => itemId);
}

test('who is only asked for lists, and told of clicks, finds what is clicked on', async () => {
  const draw = randomNumbers(5);
  const firsts: string[] = [];
  for (let n = 0; n < 200; n++) {
    const user = `user-${n}`;
    const [{ itemId }] = (await client.recommend(user, { pageSize: 1 })).items;
    // Everybody clicks on it: of fewer clicks, one run in two hundred has not found it by then.
    if (itemId === 'item-7' || draw() < 0.05) await client.rate([rating(user, itemId, undefined, { kind: 'click' })]);
    firsts.push(itemId);
  }
  const share = firsts.slice(-50).filter((item) => item === 'item-7').length / 50;
  assert.ok(share > 0.6, `${share} of the lists begin with what is clicked on, and one in 12 would`);
  assert.deepEqual(await shownTo('user-3'), [firsts[3]]);
});

test('lists of other models, for many users, or of items that nobody knows, are not learned', async () => {
  await client.recommend('calm', { model: 'popularity' });
  assert.deepEqual(await shownTo('calm'), []);
  await client.recommendBatch({ userIds: ['batch'], pageSize: 2 });
  assert.deepEqual(await shownTo('batch'), []);
  await client.recommend('ann', { candidateItemIds: ['unheard of', 'item-2'] });
  assert.deepEqual(await shownTo('ann'), ['item-2']);
});

test('lists that it drafts with another model are learned whole', async () => {
  await createExperiment(client, {
    name: 'drafts',
    arms: twoArms('popularity', 'bandit'),
    allocation: AllocationMethod.ALLOCATION_METHOD_INTERLEAVE,
  });
  // Of some lists every item is one that the other model wants as well.
  for (let n = 0; n < 20; n++) {
    const { items: list } = await client.recommend(`reader-${n}`, { pageSize: 4 });
    assert.deepEqual((await shownTo(`reader-${n}`)).toSorted(), list.map(({ itemId }) => itemId).toSorted());
  }
});

test('the journal comes to the same bytes again, with the last answers before a stop', async () => {
  const { hash } = await client.getModel('bandit');
  await client.recommend('last', { model: 'bandit', pageSize: 3 });
  await server.restart();
  const before = await server.client.getModel('bandit');
  assert.notEqual(before.hash, hash);
  await server.stop();
  removeCheckpoints(server.data);
  await server.restart();
  assert.equal((await server.client.getModel('bandit')).hash, before.hash);
});

test('a world of an arm learns what its users were shown, and no more', { skip: leftOut }, async (t) => {
  const isolated = await TestServer.start(t, CONFIG);
  await isolated.client.upsertItems(items.map((itemId) => ({ itemId })));
  await createIsolated(isolated.client, [
    ['plain', 'popularity'],
    ['exploring', 'bandit'],
  ]);
  let explored = 0;
  for (let n = 0; n < 20; n++) {
    const { arm } = await isolated.client.recommend(`user-${n}`, { pageSize: 3 });
    if (arm === 'trial/exploring') explored++;
  }
  await isolated.client.recommend('outside', { model: 'bandit', pageSize: 3 });
  await isolated.client.rate([retraction('nobody', 'nothing')]);
  const hashOf = async (arm: string) => (await getOfArm(isolated.client, arm, 'bandit')).hashes?.tables;
  const all = (await isolated.client.getModel('bandit')).hashes?.tables;
  const own = await hashOf('exploring');
  assert.ok(explored > 0 && explored < 20 && own !== all);
  // Those of the arm alone, told by a client, come to the same.
  const told = await TestServer.start(t, CONFIG);
  await told.client.upsertItems(items.map((itemId) => ({ itemId })));
  for (let n = 0; n < 20; n++) {
    const shown = (await isolated.client.allRatings(`user-${n}`)).filter(({ kind }) => kind === 'shown');
    if (shown.length > 0) await told.client.rate(shown);
  }
  assert.equal((await told.client.getModel('bandit')).hashes?.tables, own);
  await isolated.restart();
  assert.equal(await hashOf('exploring'), own);
});

test('someone who is forgotten was shown nothing', { skip: leftOut }, async () => {
  const { client } = server;
  await client.recommend('user-9', { pageSize: 3 });
  await client.recommend('stranger', { pageSize: 3 });
  await Promise.all(['user-9', 'stranger'].map((user) => client.forgetUser(user)));
  for (const user of ['user-9', 'stranger']) assert.deepEqual(await shownTo(user), []);
});

test('what is shown is learned once: of one kind, which is an exposure', () => {
  const shown = { exposure: true, answers: true };
  assert.throws(() => parseConfig({ kinds: { shown: { answers: true } } }), /takes `exposure: true` beside it/);
  assert.throws(() => parseConfig({ kinds: { shown, seen: shown } }), /`answers` for one kind at most/);
});
