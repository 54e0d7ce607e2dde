import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LearningScope, LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Models that learn and are measured, and answer only who names them. */

const { LEARNING_SCOPE_SHADOW: SHADOW, LEARNING_SCOPE_SHARED: SHARED, LEARNING_SCOPE_ISOLATED } = LearningScope;

const MEAN = { name: 'mean', plugin: pluginPath('mean') };
const load = (client: Client, learningScope: LearningScope, name = 'popularity', plugin = name) =>
  client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial({ name, plugin, learningScope }));

test('a shadow learns, is measured and answers who names it; in the place of others it does not, also after a restart', async (t) => {
  const server = await TestServer.start(t, { models: [MEAN], evaluation: { rankEvery: 1 } });
  await server.client.rate(
    Array.from({ length: 60 }, (_, n) => rating(`user-${n % 7}`, `item-${n % 11}`, 1 + (n % 5))),
  );
  const { model } = await load(server.client, SHADOW);
  assert.equal(model?.learningScope, SHADOW);
  const substitute = async () => (await server.client.recommend('stranger')).modelVersion;
  const withoutIt = await substitute();
  assert.equal(withoutIt, '', 'counts of ratings answer');
  await server.client.rate([rating('user-1', 'item-12', 3)]);
  const [one, other] = await Promise.all(['mean', 'popularity'].map((name) => server.client.getModel(name)));
  assert.equal(other.model?.learnedCount, one.model?.learnedCount);
  assert.ok((other.model?.metrics.length ?? 0) > 0);
  assert.equal((await server.client.recommend('user-1', { model: 'popularity' })).model, 'popularity');
  await server.restart();
  assert.equal(await substitute(), withoutIt);
  assert.equal((await server.client.getModel('popularity')).model?.learningScope, SHADOW);
  assert.equal((await load(server.client, LearningScope.LEARNING_SCOPE_UNSPECIFIED)).model?.learningScope, SHADOW);
  assert.equal((await load(server.client, SHARED)).model?.learningScope, SHARED);
  assert.equal(await substitute(), '1');
});

test('the default model is no shadow', async (t) => {
  const { client } = await TestServer.start(t, { models: [MEAN] });
  const refused = await failureOf(load(client, SHADOW, 'mean', MEAN.plugin));
  assert.deepEqual([refused.code, refused.reason], ['FAILED_PRECONDITION', 'MODEL_IN_USE']);
  await load(client, SHADOW);
  await client.call(ModelServiceService.setDefaultModel, { name: 'popularity' });
  assert.equal((await client.getModel('popularity')).model?.learningScope, SHARED);
  const isolated = await failureOf(load(client, LEARNING_SCOPE_ISOLATED, 'other'));
  assert.deepEqual([isolated.code, isolated.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
});
