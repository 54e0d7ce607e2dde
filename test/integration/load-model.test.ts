import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LoadModelRequest, ModelServiceService, ModelState } from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Models that are loaded and unloaded while the server serves. */

const mf = { name: 'second', plugin: 'mf', config: { k: 8, sequence: { k: 8 }, replay: { count: 2 } } };
const config = {
  models: [
    { name: 'first', plugin: 'mf', config: mf.config },
    { name: 'mean', plugin: pluginPath('mean') },
  ],
};

/** For the tests that leave it as they found it. */
const shared = await TestServer.start({ after }, config);

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

test('loading again is fine with the same settings, and refused with others', async () => {
  const { client } = shared;
  const [one, two] = await Promise.all([load(client), load(client)]);
  assert.deepEqual(one.model?.loadTime, two.model?.loadTime);
  assert.deepEqual((await load(client)).model?.config, one.model?.config);
  const failure = await failureOf(load(client, { ...mf, config: { k: 9 } }));
  assert.deepEqual([failure.code, failure.reason], ['ALREADY_EXISTS', 'MODEL_EXISTS']);
  await unload(client, 'second');
});

test('what cannot be loaded is refused with why, and nothing changes', async () => {
  const { client } = shared;
  const cases: [Partial<LoadModelRequest>, string, RegExp][] = [
    [{ ...mf, name: 'Second' }, 'INVALID_FIELD', /name/],
    [{ ...mf, plugin: 'mff' }, 'PLUGIN_INVALID', /Cannot find package 'mff'; did you mean mf\? there are /],
    [{ ...mf, plugin: '' }, 'INVALID_FIELD', /plugin/],
    [{ ...mf, plugin: 'data:text/javascript,export default {}' }, 'PLUGIN_INVALID', /is a URL/],
    [
      { ...mf, config: { kk: 3 } },
      'CONFIG_INVALID',
      /config\.kk is no setting of plugin mf: it knows seed, objective, k,/,
    ],
    [{ ...mf, config: { k: -1 } }, 'CONFIG_INVALID', /config\.k is -1: it takes a whole number from 0 to /],
    [
      { ...mf, plugin: 'ncf', config: { tower: { k: 33 } } },
      'CONFIG_INVALID',
      /wrong: config\.tower\.k is 33: it takes a whole number from 4 to 32 by steps of 4 \(factors\)$/,
    ],
    [
      { ...mf, config: { replay: { cuont: 1 } } },
      'CONFIG_INVALID',
      /config\.replay\.cuont .* mean count\? it knows count, /,
    ],
    [
      { ...mf, plugin: 'blend(mf,item-cf)', config: { members: [{}, { biass: 1 }] } },
      'CONFIG_INVALID',
      /config\.members\[1\]\.biass .* mean bias\? it knows seed, bias,/,
    ],
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

test('a model that fails while it learns says so, and leaves no trace', async () => {
  const { client } = shared;
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
  for (let n = 0; n < 4; n++) {
    await load(server.client);
    await server.client.recommend('user-1', { model: 'second' });
    await unload(server.client, 'second');
    sizes.push(await used());
  }
  assert.equal(sizes.at(-1), sizes[1], sizes.join());
});

test('a model that does not fit is refused before it takes anything, and ratings have room as before', async (t) => {
  const { client } = await TestServer.start(t, { ...config, memory: { budgetMiB: 192 } });
  const strangers = (from: number) =>
    Array.from({ length: 10_000 }, (_, n) => rating(`user-${from + n}`, `item-${from + n}`, 4));
  for (let from = 0; from < 60_000; from += 10_000) await client.rate(strangers(from));
  for (const validateOnly of [true, false, false]) {
    const failure = await failureOf(load(client, { name: 'wide', plugin: 'mf', config: { k: 256 }, validateOnly }));
    assert.deepEqual([failure.code, failure.reason], ['RESOURCE_EXHAUSTED', 'MEMORY_FULL']);
  }
  await client.rate(strangers(60_000));
  await load(client, { ...mf, validateOnly: true });
});

test('unloading a model that is being loaded ends that, holds up no rating, and it can be loaded again', async (t) => {
  const { client } = await TestServer.start(t, config);
  const gate = new Gate(t);
  await client.rate([heldRating('ann', 'matrix')]);
  const loading = failureOf(load(client, gate.model));
  await gate.held();
  const startMs = performance.now();
  const unloading = unload(client, 'gated');
  await client.rate([rating('ann', 'alien', 4)]);
  await unloading;
  assert(performance.now() - startMs < 5000, 'the learner waited for a model that will not come');
  const failure = await loading;
  assert.equal(failure.reason, 'MODEL_FAILED');
  assert.match(failure.message, /was unloaded while it was being loaded/);
  assert.equal((await failureOf(client.getModel('gated'))).reason, 'MODEL_NOT_FOUND');
  gate.open();
  await Promise.all([load(client, gate.model), load(client)]);
  await sameTables(client);
});

test('a model that is loaded while it is being unloaded is there afterwards', async () => {
  const { client } = shared;
  await learn(client, 5, 1);
  await load(client);
  const [gone, loaded] = await Promise.all([unload(client, 'second'), load(client)]);
  assert.deepEqual(
    [gone.model?.state, loaded.model?.state],
    [ModelState.MODEL_STATE_END, ModelState.MODEL_STATE_AVAILABLE],
  );
  assert.equal((await client.recommend('user-1', { model: 'second' })).model, 'second');
  await unload(client, 'second');
});

test('a model that cannot be made where calls are answered is not loaded, also not by a restart', async (t) => {
  const server = await TestServer.start(t, config);
  await learn(server.client, 5, 1);
  const model = { name: 'one-sided', plugin: pluginPath('one-sided') };
  assert.equal((await failureOf(load(server.client, model))).reason, 'INTERNAL');
  await learn(server.client, 5, 2);
  await server.restart();
  assert.equal((await failureOf(server.client.getModel('one-sided'))).reason, 'MODEL_NOT_FOUND');
});

test('a model that failed is in the way of another of its name until it is unloaded', async (t) => {
  const failing = { name: 'failing', plugin: pluginPath('failing') };
  const { client } = await TestServer.start(t, { models: [...config.models, failing] });
  await client.rate([rating('ann', 'poison', 3, { weight: 10 }), rating('ann', 'matrix', 3)]);
  const failure = await failureOf(load(client, failing));
  assert.equal(failure.reason, 'MODEL_EXISTS');
  assert.match(failure.message, /that failed: unload it first/);
  assert.match((await client.getModel('failing')).model?.stateReason ?? '', /quarantined/);
});

test('a server has so many models, and remembers so many that could not be loaded', async (t) => {
  const { client } = await TestServer.start(t, {
    models: Array.from({ length: 63 }, (_, n) => ({ name: `mean-${n}`, plugin: pluginPath('mean') })),
  });
  await load(client, { name: 'last', plugin: 'popularity' });
  for (let n = 0; n < 20; n++) {
    const failure = await failureOf(load(client, { name: `more-${n}`, plugin: 'popularity' }));
    assert.deepEqual([failure.code, failure.reason], ['RESOURCE_EXHAUSTED', 'MODELS_FULL']);
  }
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 0, pageToken: '' });
  assert.equal(models.filter(({ name }) => name.startsWith('more')).length, 16);
  await unload(client, 'mean-62');
  await load(client, { name: 'more-0', plugin: 'popularity' });
});
