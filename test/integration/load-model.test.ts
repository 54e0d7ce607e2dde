import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadModelRequest, ModelServiceService, ModelState } from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Models that are loaded and unloaded while the server serves. */

const mf = { name: 'second', plugin: 'mf', config: { k: 8, replay: { count: 2 } } };
const config = {
  models: [
    { name: 'first', plugin: 'mf', config: mf.config },
    { name: 'mean', plugin: pluginPath('mean') },
  ],
};

function load(client: Client, more: Partial<LoadModelRequest> = mf) {
  return client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(more));
}

const unload = (client: Client, name: string) => client.call(ModelServiceService.unloadModel, { name, version: '' });

async function learn(client: Client, count: number, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  for (let n = 0; n < count; n++) {
    const ratings = Array.from({ length: 20 }, () =>
      rating(`user-${Math.floor(random() * 60)}`, `item-${Math.floor(random() * 90)}`, 1 + Math.floor(random() * 5), {
        retract: random() < 0.1,
      }),
    );
    await client.rate(ratings);
  }
}

async function sameTables(client: Client): Promise<void> {
  const [first, second] = await Promise.all([client.getModel('first'), client.getModel('second')]);
  assert.equal(second.hashes?.tables, first.hashes?.tables);
  assert.equal(second.model?.learnedCount, first.model?.learnedCount);
}

test('a model that is loaded beside a stream is as if it had been there from the start, also after a restart', async (t) => {
  const server = await TestServer.start(t, config);
  await learn(server.client, 40, 1);
  let loading = true;
  const stream = (async () => {
    for (let seed = 2; loading; seed++) await learn(server.client, 3, seed);
  })();
  const { model } = await load(server.client);
  loading = false;
  await stream;
  assert.equal(model?.state, ModelState.MODEL_STATE_AVAILABLE);
  await learn(server.client, 5, 100);
  await sameTables(server.client);
  assert.equal((await server.client.recommend('user-1', { model: 'second' })).model, 'second');
  await server.restart();
  await sameTables(server.client);
});

test('loading again is fine with the same settings, and refused with others', async (t) => {
  const { client } = await TestServer.start(t, config);
  const [one, two] = await Promise.all([load(client), load(client)]);
  assert.deepEqual(one.model?.loadTime, two.model?.loadTime);
  assert.deepEqual((await load(client)).model?.config, one.model?.config);
  const failure = await failureOf(load(client, { ...mf, config: { k: 9 } }));
  assert.deepEqual([failure.code, failure.reason], ['ALREADY_EXISTS', 'MODEL_EXISTS']);
});

test('what cannot be loaded is refused with why, and nothing changes', async (t) => {
  const { client } = await TestServer.start(t, config);
  const cases: [Partial<LoadModelRequest>, string, RegExp][] = [
    [{ ...mf, name: 'Second' }, 'INVALID_FIELD', /name/],
    [{ ...mf, plugin: 'mff' }, 'PLUGIN_INVALID', /did you mean mf/],
    [{ ...mf, plugin: '' }, 'INVALID_FIELD', /plugin/],
    [{ ...mf, config: { kk: 3 } }, 'CONFIG_INVALID', /config\.kk/],
    [{ ...mf, config: { k: -1 } }, 'CONFIG_INVALID', /config\.k/],
    [{ ...mf, name: 'mean' }, 'MODEL_EXISTS', /unload it first/],
  ];
  for (const [request, reason, says] of cases) {
    const failure = await failureOf(load(client, request));
    assert.equal(failure.reason, reason);
    assert.match(failure.message, says);
  }
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 0, pageToken: '' });
  assert.deepEqual(
    models.map(({ name }) => name),
    ['first', 'mean'],
  );
  const { model } = await load(client, { ...mf, validateOnly: true });
  assert.equal(model?.state, ModelState.MODEL_STATE_START);
  assert.equal((await failureOf(client.getModel('second'))).reason, 'MODEL_NOT_FOUND');
});

test('a model that fails while it learns says so, and leaves no trace', async (t) => {
  const { client } = await TestServer.start(t, config);
  await client.rate([rating('ann', 'poison', 3, { weight: 10 }), rating('ann', 'matrix', 3)]);
  const failure = await failureOf(load(client, { name: 'failing', plugin: pluginPath('failing') }));
  assert.equal(failure.reason, 'MODEL_FAILED');
  const { model } = await client.getModel('failing');
  assert.equal(model?.state, ModelState.MODEL_STATE_END);
  assert.match(model?.stateReason ?? '', /failed while it learned/);
  await client.rate([rating('ann', 'other', 3)]);
  await unload(client, 'failing');
});

test('models that come and go leave their memory to those that come after', async (t) => {
  const server = await TestServer.start(t, { ...config, metrics: { listen: '127.0.0.1:0' } });
  await learn(server.client, 30, 1);
  const used = async () =>
    Number(/accrete_memory_bytes\{state="used"\} (\d+)/.exec(await (await fetch(server.url('/metrics'))).text())?.[1]);
  const sizes: number[] = [];
  for (let n = 0; n < 5; n++) {
    await load(server.client);
    await server.client.recommend('user-1', { model: 'second' });
    await unload(server.client, 'second');
    sizes.push(await used());
  }
  assert.equal(sizes.at(-1), sizes[1], sizes.join());
});
