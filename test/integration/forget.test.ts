import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { ExportRatingsRequest, type ForgetUserResponse, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { bytesOfNumber, searchFiles } from '../support/byte-search.ts';
import type { Client } from '../support/client.ts';
import { GONE, learnOthers, learnThem, othersOf, PROBE, tracesIn } from '../support/forgotten.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** ForgetUser: nothing of someone is left in any file of the store, and all others have what they had. */

const config = {
  models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 8 } }],
  kinds: { click: {}, buy: { weight: 2, hides: true } },
  journal: { linkMiB: 1 },
};
/** No checkpoint by itself, also not because of a new version: they are counted. */
const NEVER = { everyEvents: 0, everyMiB: 0, everySeconds: 0 };

test('no file of the store has the id or a value that was theirs alone; others keep theirs', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learnThem(client);
  assert.notDeepEqual(tracesIn(server.data), []);
  const before = await othersOf(client);
  const expected = placesOf(await client.forgetUser(GONE, true));
  assert.deepEqual(await othersOf(client), before);
  assert.notDeepEqual(tracesIn(server.data), [], 'nothing is removed by asking');

  const response = await client.forgetUser(GONE);
  assert.deepEqual(tracesIn(server.data), []);
  assert.deepEqual(placesOf(response), expected);
  assert.deepEqual(expected, { journal: 6, interactions: 4, request_ids: 1, features: 1, ids: 1, checkpoints: 1 });
  assert.match(response.revision, /^\d{20}$/);
  assert.deepEqual(await othersOf(client), before);
  await expectNobody(client);

  await learnOthers(client, 4);
  const after = await stateOf(client);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), after, 'after a kill');
  // A model that learns the journal from the first record gets the rows that the others have.
  await server.client.call(
    ModelServiceService.loadModel,
    LoadModelRequest.fromPartial({ name: 'late', plugin: 'popularity' }),
  );
  const [late, live] = [await scoresOf(server.client, 'late'), await scoresOf(server.client, 'popularity')];
  assert.deepEqual([...late.keys()].sort(), [...live.keys()].sort());
  for (const [item, score] of live) assert.ok(Math.abs((late.get(item) ?? 0) - score) < 1e-3, item);
  assert.deepEqual(tracesIn(server.data), []);
  assert.deepEqual((await server.client.forgetUser(GONE)).removals, []);
});

test('versions that are kept take it back too: rolling back brings nothing of them', { skip: leftOut }, async (t) => {
  const server = await ServerProcess.start(t, { ...config, checkpoint: NEVER });
  const { client } = server;
  await learnThem(client);
  await client.fuse({ model: 'mf', guard: { margin: 1 } });
  await learnOthers(client, 5, 5);
  // There is none by itself then, between the two answers: a new version makes one due.
  await client.createCheckpoint();
  const expected = placesOf(await client.forgetUser(GONE, true));
  const places = placesOf(await client.forgetUser(GONE));
  assert.deepEqual(places, expected);
  assert.deepEqual([places['model:mf@1'], places['model:mf@2']], [1, 1]);
  assert.deepEqual(tracesIn(server.data), []);
  const before = await othersOf(client);
  assert.equal((await client.rollbackModel('mf')).model?.version, '1');
  await expectNobody(client);
  assert.deepEqual(await othersOf(client), before);
  assert.equal((await client.recommend('user-1', { model: 'mf', pageSize: 5 })).items.length, 5);
  const after = await stateOf(client);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), after);
  assert.deepEqual(tracesIn(server.data), []);
});

test('after that every version can still be brought back, and a start without checkpoints has the one that serves', {
  skip: leftOut,
}, async (t) => {
  const server = await ServerProcess.start(t, { ...config, checkpoint: NEVER });
  const { client } = server;
  await learnThem(client);
  await client.fuse({ model: 'mf', guard: { margin: 1 } });
  // Each has two files now, the one that serves goes on from its later one.
  for (const seed of [5, 6]) {
    await learnOthers(client, seed, 2);
    await client.rollbackModel('mf');
  }
  const files = filesOfVersions(server.data);
  assert.equal(files.length, 4);
  await client.forgetUser(GONE);
  assert.deepEqual(filesOfVersions(server.data), files);
  assert.deepEqual(tracesIn(server.data), []);
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  const { model } = await server.client.getModel('mf');
  assert.deepEqual([model?.version, model?.stateReason], ['2', '']);
  assert.equal((await server.client.rollbackModel('mf')).model?.version, '1');
  await expectNobody(server.client);
});

test('somebody unknown, several at once, again, and back as somebody new', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t, config);
  const { client } = server;
  await learnThem(client);
  assert.deepEqual(await client.forgetUser('nobody'), { removals: [], revision: '' });
  assert.deepEqual((await client.forgetUser('nobody', true)).removals, []);
  assert.equal((await failureOf(client.forgetUser(''))).reason, 'INVALID_FIELD');
  const gone = [GONE, 'user-1', 'user-2', 'user-10'];
  const responses = await Promise.all([...gone, GONE].map((user) => client.forgetUser(user)));
  assert.deepEqual(
    responses.map(({ removals }) => removals.length > 0),
    [true, true, true, true, false],
  );
  for (const user of gone) assert.deepEqual((await client.listRatings(user)).ratings, []);
  assert.ok((await client.listRatings('user-11')).ratings.length > 0);
  await expectNobody(client);

  await client.rate([rating(GONE, 'item-1', 3)]);
  assert.equal((await client.listRatings(GONE)).ratings.length, 1);
  await server.restart();
  assert.equal((await server.client.listRatings(GONE)).ratings.length, 1);
  const exported = await exportedUsers(server.client);
  assert.deepEqual(
    gone.filter((user) => exported.includes(user)),
    [GONE],
  );
  assert.ok(!exported.includes(''));
  // A request that named them is learned again when it is sent again.
  const again = await server.client.rate([rating(GONE, 'item-3', PROBE)], { requestId: 'request-of-ann' });
  assert.equal(again.duplicate, false);
});

test('many are forgotten together, with what they share', { skip: leftOut }, async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learnOthers(client, 1);
  const gone = Array.from({ length: 40 }, (_, n) => `gone-${n}-of-many`);
  const values = gone.map((_, n) => PROBE + n / 100);
  for (const [n, user] of gone.entries()) {
    const next = gone[(n + 1) % gone.length];
    await client.rate(
      [
        rating(user, `first-of-${n % 7}`, values[n]),
        rating(next, `item-${n}`, 2),
        rating('user-5', `first-of-${n % 5}`, 3),
      ],
      { requestId: `request-${user}` },
    );
    await client.upsertUsers([{ userId: user, labels: [`label-of-${user}`] }, { userId: 'user-6' }]);
  }
  await learnOthers(client, 2, 10);
  const before = await othersOf(client);
  const responses = await Promise.all(gone.map((user) => client.forgetUser(user)));
  for (const response of responses) {
    const places = placesOf(response);
    assert.deepEqual([places.journal, places.interactions, places.features], [3, 2, 1]);
    // Each is named by two requests; the first who is forgotten, alone, takes those of two others along.
    assert.ok(places.request_ids >= 1);
  }
  const saved = server.log.filter(({ msg }) => msg === 'checkpoint saved');
  assert.ok(saved.length <= 4, `${saved.length} checkpoints`);
  const traces = () => searchFiles(server.data, ['-of-many', ...values.flatMap(bytesOfNumber)]);
  assert.deepEqual(traces(), []);
  assert.deepEqual(await othersOf(client), before);
  const after = await stateOf(client);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), after);
  await server.client.call(
    ModelServiceService.loadModel,
    LoadModelRequest.fromPartial({ name: 'late', plugin: 'popularity' }),
  );
  const [late, live] = [await scoresOf(server.client, 'late'), await scoresOf(server.client, 'popularity')];
  assert.deepEqual([...late.keys()].sort(), [...live.keys()].sort());
});

test('where a model expected 0 of them, its last errors have no number of theirs either', async (t) => {
  const server = await TestServer.start(t, { ...config, rating: { min: -1, max: 1 } });
  const { client } = server;
  const value = PROBE / 2;
  await client.rate([rating(GONE, 'item-1', value)]);
  await client.rate(Array.from({ length: 50 }, (_, n) => rating(`user-${n % 9}`, `item-${n}`, (n % 5) / 5)));
  await client.createCheckpoint();
  const traces = () => searchFiles(server.data, [GONE, ...bytesOfNumber(value)]);
  assert.notDeepEqual(traces(), []);
  const figuresOf = async () =>
    (await client.getModel('mf')).model?.metrics.map((figure) => ({ ...figure, value: figure.value.toFixed(9) }));
  const before = await figuresOf();
  await client.forgetUser(GONE);
  assert.deepEqual(traces(), []);
  assert.deepEqual(await figuresOf(), before);
});

test('events of a kind that is configured no more go too', async (t) => {
  const server = await TestServer.start(t, config);
  await server.client.rate([rating(GONE, 'item-9', PROBE, { kind: 'click' }), rating('user-1', 'item-9', 3)]);
  await server.restart({ kinds: { buy: {} } });
  const { client } = server;
  assert.deepEqual(placesOf(await client.forgetUser(GONE)).interactions, 2);
  assert.deepEqual(tracesIn(server.data), []);
  await expectNobody(client);
});

async function expectNobody(client: Client): Promise<void> {
  assert.deepEqual((await client.listRatings(GONE)).ratings, []);
  assert.equal((await failureOf(client.getUser(GONE))).reason, 'USER_NOT_FOUND');
  const users = await exportedUsers(client);
  assert.ok(!users.includes(GONE) && !users.includes(''));
}

function filesOfVersions(data: string): string[] {
  const names = readdirSync(join(data, 'state', 'versions'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.mdb')).sort();
}

async function exportedUsers(client: Client): Promise<string[]> {
  const answers = await client.collect(UserServiceService.exportRatings, ExportRatingsRequest.fromPartial({}));
  return answers.flatMap(({ event }) =>
    event?.$case === 'batch' ? event.value.ratings.map((each) => each.userId) : [],
  );
}

function placesOf({ removals }: ForgetUserResponse): Record<string, number> {
  return Object.fromEntries(removals.map(({ place, count }) => [place, Number(count)]));
}

async function scoresOf(client: Client, model: string): Promise<Map<string, number>> {
  const { items } = await client.recommend('user-3', { model, pageSize: 500, includeSeen: true });
  return new Map(items.map(({ itemId, score }) => [itemId, score]));
}

async function stateOf(client: Client) {
  const states = await Promise.all(['mf', 'popularity', 'mean'].map((name) => client.getModel(name)));
  return states.map(({ hash, hashes, model }) => ({ hash, hashes, revision: model?.revision }));
}
