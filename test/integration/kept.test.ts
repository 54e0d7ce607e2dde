import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetModelResponse } from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';

/** All that was answered is there after a kill; the same calls come to the same bytes on any server. */

const models = [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf' }, { name: 'going', plugin: 'popularity' }];
const NAMES = ['mean', 'popularity', 'mf'];

test('killed after the last answer and started: everything is as it was answered', async (t) => {
  const killed = await ServerProcess.start(t, { models });
  await callMuch(killed.client, 1);
  const before = await allOf(killed.client);
  await killed.kill();
  await killed.start();
  assert.deepEqual(await allOf(killed.client), before);
  await callMuch(killed.client, 2);

  const undisturbed = await TestServer.start(t, { models });
  await callMuch(undisturbed.client, 1);
  await callMuch(undisturbed.client, 2);
  const [one, other] = await Promise.all([allOf(killed.client), allOf(undisturbed.client)]);
  assert.deepEqual(other.states.map(withoutTimes), one.states.map(withoutTimes));
  assert.deepEqual({ ...other, states: [] }, { ...one, states: [] });
});

/** Calls of every sort that changes something, in an order that `seed` says; only the first time unloads. */
async function callMuch(client: Client, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  const draw = (count: number) => Math.floor(random() * count);
  const item = () => `item-${draw(30)}`;
  const user = () => `user-${draw(10)}`;
  const distinct = (make: () => string) => [...new Set(Array.from({ length: 4 }, make))];
  // Ratings without a time have that of their receipt, which differs from server to server.
  const rated = () => rating(user(), item(), 1 + draw(5), { eventTime: { seconds: BigInt(draw(1e9)), nanos: 0 } });
  const vector = () => ({ text: { values: [random(), random()] } });
  const calls: (() => Promise<unknown>)[] = [
    () => client.rate([rated(), rated(), rated()]),
    () =>
      client.upsertItems(distinct(item).map((itemId) => ({ itemId, labels: [`l-${draw(4)}`], embeddings: vector() }))),
    () => client.upsertItems([{ itemId: item(), title: 't' }], { updateMask: ['title'] }),
    () => client.upsertUsers(distinct(user).map((userId) => ({ userId, attributes: { age: draw(90) } }))),
    () => client.deleteItems(distinct(item)),
    () => client.putScenario({ name: `scenario-${draw(4)}`, model: NAMES[draw(3)], filter: `labels:"l-${draw(4)}"` }),
    () => client.deleteScenario(`scenario-${draw(4)}`),
    () => client.setDefaultModel(NAMES[draw(3)]),
  ];
  for (let n = 0; n < 60; n++) await calls[draw(calls.length)]();
  if (seed === 1) await client.unloadModel('going');
  else assert.equal((await failureOf(client.unloadModel('going'))).reason, 'MODEL_NOT_FOUND');
}

async function allOf(client: Client) {
  const { items } = await client.listItems({ pageSize: 1000 });
  // As of a time: what is expected and what comes next depends on when.
  const eventTime = { seconds: 1_700_000_000n, nanos: 0 };
  const ask = (user: string) => client.recommend(user, { pageSize: 100, model: 'mf', includeSeen: true, eventTime });
  const lists = await Promise.all(['user-1', 'user-2'].map(async (user) => (await ask(user)).items));
  return {
    states: await Promise.all(NAMES.map((name) => client.getModel(name))),
    items,
    lists,
    scenarios: (await client.listScenarios()).scenarios,
  };
}

/** Two servers that did the same differ in when they did it. */
function withoutTimes({ model, hash, hashes }: GetModelResponse): unknown {
  assert.match(hash, /^[0-9a-f]{16}$/);
  return [{ ...model, loadTime: undefined, versions: [] }, hashes];
}
