import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetModelResponse } from '../../proto/gen/accrete/v1/model.ts';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { readMovieLensSmall } from '../data.ts';
import type { Client } from '../support/client.ts';
import { batchesOf, randomNumbers, rating, retraction } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

/** A restart brings back every byte: tables, ids, interactions, request ids, and the figures. */

const MODELS = [{ name: 'mf', plugin: 'mf' }, ...TEST_CONFIG.models];
const config = { models: MODELS, rating: { min: 0.5, max: 5 }, evaluation: { rankEvery: 50, window: 500 } };
const data = readMovieLensSmall();

test('stopped and started: the same bytes', async (t) => {
  const server = await TestServer.start(t, config);
  await learn(server.client, 0, 4000);
  const before = await stateOf(server.client);
  await server.restart();
  assert.deepEqual(await stateOf(server.client), before);
  await server.restart();
  assert.deepEqual(await stateOf(server.client), before);
});

test('killed and started: the same bytes, and learning goes on as if nothing had happened', async (t) => {
  const killed = await ServerProcess.start(t, config);
  await learn(killed.client, 0, 2000);
  const before = await stateOf(killed.client);
  await killed.kill();
  await killed.start();
  assert.deepEqual(await stateOf(killed.client), before);
  await learn(killed.client, 2000, 3000);

  const undisturbed = await TestServer.start(t, config);
  await learn(undisturbed.client, 0, 2000);
  await learn(undisturbed.client, 2000, 3000);
  assert.deepEqual(withoutTimes(await stateOf(killed.client)), withoutTimes(await stateOf(undisturbed.client)));
});

test('a model of another configuration learns the whole journal at the next start', async (t) => {
  const server = await TestServer.start(t, config);
  await learn(server.client, 0, 1000);
  await server.restart({
    models: [...MODELS, { name: 'second', plugin: pluginPath('mean') }],
  });
  const [first, second] = await Promise.all(['mean', 'second'].map((name) => server.client.getModel(name)));
  assert.equal(second.hashes?.tables, first.hashes?.tables);
  assert.equal(second.model?.learnedCount, first.model?.learnedCount);
});

/** Ratings of the data set in batches with request ids; some are edited and some taken back. */
async function learn(client: Client, from: number, to: number): Promise<void> {
  const random = randomNumbers(from + 1);
  const stream = client.rateStream();
  let sent = 0;
  for (const batch of batchesOf(data, from, to, 100)) {
    const ratings = batch.flatMap((each) => [each, ...afterthoughts(each, random)]);
    stream.send(RateStreamRequest.fromPartial({ requestId: `${from}-${sent++}`, ratings }));
  }
  const answers = await stream.finish();
  assert.equal(answers.length, sent);
  assert(answers.every(({ error }) => error === undefined));
}

function afterthoughts({ userId, itemId, eventTime }: Rating, random: () => number): Rating[] {
  const choice = random();
  if (choice < 0.1) return [rating(userId, itemId, 1 + 4 * random(), { eventTime, weight: 2 * random() })];
  return choice < 0.2 ? [retraction(userId, itemId)] : [];
}

/** All that GetModel says of every model. */
function stateOf(client: Client): Promise<GetModelResponse[]> {
  return Promise.all(MODELS.map(({ name }) => client.getModel(name)));
}

/** Two servers that learned the same differ in when they received it, which request ids keep. */
function withoutTimes(states: GetModelResponse[]): unknown[] {
  return states.map(({ model, hashes }) => ({
    model: { ...model, loadTime: undefined, versions: [] },
    hashes: { ...hashes, requestIds: '' },
  }));
}
