import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ModelServiceService, ModelState, UnloadModelRequest } from '../../proto/gen/accrete/v1/model.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Models leave, and another becomes the default, while the server serves. */

const spare = (name: string) => ({ name, plugin: pluginPath('mean') });
const models = [
  ...TEST_CONFIG.models,
  { name: 'failing', plugin: pluginPath('failing') },
  ...['first', 'second', 'third', 'fourth', 'paged'].map(spare),
];
const server = await TestServer.start({ after }, { models });
await server.client.rate(Array.from({ length: 20 }, (_, n) => rating('ann', `item-${n}`, 1 + (n % 5))));
await server.client.rate([rating('ben', 'item-0', 3)]);

const namesOf = async () => {
  const all = (await server.client.call(ModelServiceService.listModels, { pageSize: 0, pageToken: '' })).models;
  return {
    names: all.map(({ name }) => name),
    defaults: all.filter(({ isDefault }) => isDefault).map(({ name }) => name),
  };
};

test('the default model answers from the moment on in which the call is answered', async () => {
  const { client } = server;
  const { model, previousName } = await client.setDefaultModel('first');
  assert.deepEqual([model?.name, model?.isDefault, previousName], ['first', true, 'mean']);
  assert.equal((await client.recommend('ben')).model, 'first');
  assert.deepEqual((await namesOf()).defaults, ['first']);
  assert.equal((await client.setDefaultModel('first')).previousName, 'first');
  await server.restart();
  assert.equal((await server.client.recommend('ben')).model, 'first');
  assert.equal((await server.client.setDefaultModel('mean')).previousName, 'first');
});

test('a model that was unloaded is gone, also after a restart; the others are as before', async () => {
  const { client } = server;
  const before = await client.getModel('mean');
  const { model } = await client.unloadModel('first');
  assert.deepEqual([model?.name, model?.state], ['first', ModelState.MODEL_STATE_END]);
  for (const call of [
    () => client.getModel('first'),
    () => client.recommend('ben', { model: 'first' }),
    () => client.setDefaultModel('first'),
    () => client.unloadModel('first'),
    () => client.putScenario({ name: 'x', model: 'first' }),
    () => client.rate([rating('ben', 'item-1', 2)], { returnPredictions: ['first'], validateOnly: true }),
    () => client.evaluate({ models: ['first'] }),
  ]) {
    const { code, reason, metadata } = await failureOf(call());
    assert.deepEqual([code, reason, metadata], ['NOT_FOUND', 'MODEL_NOT_FOUND', { model: 'first' }]);
  }
  assert.deepEqual((await client.getModel('mean')).hashes, before.hashes);
  await server.restart();
  assert(!(await namesOf()).names.includes('first'));
  assert.deepEqual((await server.client.getModel('mean')).hashes, before.hashes);
});

test('a model in use is not unloaded, and the message says by what', async () => {
  const { client } = server;
  await client.putScenario({ name: 'home', model: 'second' });
  for (const [name, by] of [
    ['mean', /default/],
    ['second', /scenario home/],
  ] as const) {
    const failure = await failureOf(client.unloadModel(name));
    assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'MODEL_IN_USE']);
    assert.deepEqual(failure.metadata, { model: name });
    assert.match(failure.message, by);
    assert.equal((await client.recommend('ben', { model: name })).model, name);
  }
  await client.deleteScenario('home');
  await client.unloadModel('second');
});

test('names that are none, and versions: the one that serves stays, others are not there', async () => {
  const { client } = server;
  for (const call of [() => client.unloadModel(''), () => client.setDefaultModel(''), () => client.getModel('')]) {
    const failure = await failureOf(call());
    assert.deepEqual([failure.reason, Object.keys(failure.fields)], ['INVALID_FIELD', ['name']]);
  }
  for (const [version, reason] of [
    ['1', 'MODEL_IN_USE'],
    ['2', 'VERSION_NOT_FOUND'],
  ]) {
    const versioned = UnloadModelRequest.fromPartial({ name: 'third', version });
    const failure = await failureOf(client.call(ModelServiceService.unloadModel, versioned));
    assert.deepEqual([failure.reason, failure.metadata], [reason, { model: 'third', version }]);
  }
});

test('a model that failed does not become the default, and can be unloaded', async () => {
  const { client } = server;
  await client.rate([rating('ben', 'item-2', 3, { weight: 10 })]);
  await client.rate([rating('ben', 'item-3', 3)]);
  const failure = await failureOf(client.setDefaultModel('failing'));
  assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'MODEL_FAILED']);
  assert.equal((await client.recommend('ben')).model, 'mean');
  await client.unloadModel('failing');
  assert(!(await namesOf()).names.includes('failing'));
});

test('a list whose model is unloaded between pages goes on by the default model, and nothing comes twice', async () => {
  const { client } = server;
  await client.setDefaultModel('paged');
  const first = await client.recommend('ben', { pageSize: 6 });
  await client.setDefaultModel('mean');
  await client.unloadModel('paged');
  const second = await client.recommend('ben', { pageSize: 100, pageToken: first.nextPageToken });
  assert.deepEqual([first.model, second.model], ['paged', 'mean']);
  const ids = [...first.items, ...second.items].map(({ itemId }) => itemId);
  assert.deepEqual([ids.length, new Set(ids).size], [17, 17]);
});

test('what is decided at the same time is decided in one order: a default is never unloaded', async () => {
  const { client } = server;
  const results = await Promise.allSettled([
    client.setDefaultModel('third'),
    client.unloadModel('third'),
    client.putScenario({ name: 'fast', model: 'fourth' }),
    client.unloadModel('fourth'),
    client.unloadModel('fourth'),
  ]);
  assert.deepEqual(results.map(({ status }) => status).slice(0, 3), ['fulfilled', 'rejected', 'fulfilled']);
  const { names, defaults } = await namesOf();
  assert.deepEqual(defaults, ['third']);
  assert(names.includes('third') && names.includes('fourth'));
  assert.equal((await client.recommend('ben')).model, 'third');
  assert.equal((await client.recommend('ben', { scenario: 'fast' })).model, 'fourth');
  await client.deleteScenario('fast');
  await client.setDefaultModel('mean');
});

test('ratings, recommendations and questions go on while models leave', async () => {
  const { client } = server;
  const random = randomNumbers(8);
  let over = false;
  const counts = { rated: 0, recommended: 0, asked: 0 };
  const expected = new Set(['MODEL_NOT_FOUND', 'MODEL_FAILED', 'MODEL_IN_USE']);
  const repeat = async (name: keyof typeof counts, call: () => Promise<unknown>) => {
    while (!over) {
      await call().catch(async (error) => {
        const { reason, message } = await failureOf(Promise.reject(error));
        assert(expected.has(reason), `${name}: ${message}`);
      });
      counts[name]++;
    }
  };
  const item = () => `item-${Math.floor(40 * random())}`;
  const load = [
    repeat('rated', () => client.rate([rating('cleo', item(), 3)])),
    repeat('recommended', () => client.recommend('ben', { pageSize: 50 })),
    repeat('recommended', () => client.recommend('ben', { model: 'third' })),
    repeat('asked', () => client.getModel('third')),
    repeat('asked', () => client.getModel('fourth')),
  ];
  for (const name of ['third', 'popularity', 'mean']) await client.setDefaultModel(name);
  await client.unloadModel('fourth');
  await client.unloadModel('third');
  over = true;
  await Promise.all(load);
  assert(
    Object.values(counts).every((count) => count > 1),
    JSON.stringify(counts),
  );
  assert.deepEqual(await namesOf(), { names: ['mean', 'popularity'], defaults: ['mean'] });
  const before = await client.getModel('mean');
  await server.restart();
  assert.deepEqual(await server.client.getModel('mean'), before);
});
