import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { LoadModelRequest, ModelServiceService, ModelState } from '../../proto/gen/accrete/v1/model.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** What the configuration says at the first start and calls decide later: the journal keeps it; only a change counts. */

const [mean, popularity] = TEST_CONFIG.models;
const third = { name: 'third', plugin: pluginPath('mean') };

async function modelsOf({ client }: TestServer) {
  const { models } = await client.call(ModelServiceService.listModels, { pageSize: 0, pageToken: '' });
  return models.map(({ name, isDefault, state }) =>
    [name, ...(isDefault ? ['default'] : []), ...(state === ModelState.MODEL_STATE_AVAILABLE ? [] : ['gone'])].join(
      ' ',
    ),
  );
}

test('what calls decided outlives an unchanged configuration, and a change of it is applied', async (t) => {
  const server = await TestServer.start(t, { models: [mean, popularity, third], defaultModel: 'mean' });
  await server.client.rate([rating('ann', 'matrix', 4), rating('ann', 'alien', 2)]);
  await server.client.setDefaultModel('popularity');
  await server.client.unloadModel('third');
  const { hashes } = await server.client.getModel('mean');
  await server.restart();
  assert.deepEqual(await modelsOf(server), ['mean', 'popularity default']);
  assert.deepEqual((await server.client.getModel('mean')).hashes, hashes);

  const second = { name: 'second', plugin: pluginPath('mean') };
  await server.restart({ models: [mean, popularity, third, second] });
  assert.deepEqual(await modelsOf(server), ['mean', 'popularity default', 'second']);
  assert.deepEqual((await server.client.getModel('second')).hashes, hashes);

  await server.restart({ defaultModel: 'second' });
  assert.deepEqual(await modelsOf(server), ['mean', 'popularity', 'second default']);

  await server.restart({ models: [mean, popularity], defaultModel: 'mean' });
  assert.deepEqual(await modelsOf(server), ['mean default', 'popularity']);
});

test('a scale that differs from what the store was begun with refuses the start, and says what to do', async (t) => {
  const server = await TestServer.start(t, { rating: { min: 0, max: 10 } });
  await server.client.rate([rating('ann', 'matrix', 9)]);
  await assert.rejects(server.restart({ rating: { min: 0, max: 5 } }), {
    reason: 'CONFIG_INVALID',
    message: /0 and 10/,
  });
  await server.restart({ rating: { min: 0, max: 10 } });
  assert.equal((await server.client.allRatings('ann'))[0].value, 9);
});

test('a model whose plugin is gone is gone, and says why; the others answer, and it can be unloaded', async (t) => {
  const server = await TestServer.start(t);
  const file = join(makeFolder(t), 'vanishing.mjs');
  writeFileSync(file, `export { default } from ${JSON.stringify(pathToFileURL(pluginPath('mean')).href)};`);
  await server.client.rate([rating('ann', 'matrix', 4)]);
  const request = LoadModelRequest.fromPartial({ name: 'vanishing', plugin: file });
  await server.client.call(ModelServiceService.loadModel, request);
  await server.client.setDefaultModel('vanishing');
  await server.client.putScenario({ name: 'home', model: 'vanishing' });
  const { hashes } = await server.client.getModel('mean');

  rmSync(file);
  await server.restart();
  const { client } = server;
  assert.deepEqual(await modelsOf(server), ['mean', 'popularity', 'vanishing default gone']);
  assert.deepEqual((await client.getModel('mean')).hashes, hashes);
  const { model, hash } = await client.getModel('vanishing');
  assert.deepEqual([model?.state, hash], [ModelState.MODEL_STATE_END, '']);
  assert.match(model?.stateReason ?? '', /vanishing\.mjs/);
  const answer = await client.recommend('ann', { includeSeen: true });
  assert.deepEqual(
    [answer.model, answer.fallbackReason, answer.items.length],
    ['popularity', 'MODEL_NOT_AVAILABLE', 1],
  );
  for (const call of [
    client.recommend('ann', { model: 'vanishing' }),
    client.recommend('ann', { scenario: 'home' }),
    client.setDefaultModel('vanishing'),
  ]) {
    const failure = await failureOf(call);
    assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'MODEL_FAILED']);
  }
  await client.deleteScenario('home');
  assert.equal((await client.setDefaultModel('mean')).previousName, 'vanishing');
  await client.unloadModel('vanishing');
  await server.restart();
  assert.deepEqual(await modelsOf(server), ['mean default', 'popularity']);
});

test('a model whose plugin fails after a restart is gone, and says why; a new one refuses the start', async (t) => {
  const server = await TestServer.start(t);
  const file = join(makeFolder(t), 'breaking.mjs');
  const url = JSON.stringify(pathToFileURL(pluginPath('mean')).href);
  writeFileSync(file, `export { default } from ${url};`);
  const request = LoadModelRequest.fromPartial({ name: 'breaking', plugin: file });
  await server.client.call(ModelServiceService.loadModel, request);
  const broken = (part: string) =>
    `import mean from ${url}; export default { ...mean, ${part}: () => { throw new Error('out of order'); } };`;
  for (const part of ['learner', 'tables']) {
    writeFileSync(file, broken(part));
    await server.restart();
    assert.deepEqual(await modelsOf(server), ['breaking gone', 'mean default', 'popularity']);
    const { model } = await server.client.getModel('breaking');
    assert.match(model?.stateReason ?? '', /breaking\.mjs failed: .*out of order/);
    await server.client.rate([rating('ann', 'matrix', 4)]);
  }
  await server.client.unloadModel('breaking');
  const added = { models: [mean, popularity, { name: 'added', plugin: file }] };
  await assert.rejects(server.restart(added));
  const changed = { models: [{ ...mean, plugin: file }, popularity] };
  await assert.rejects(server.restart(changed), 'what the configuration changes is looked at again');
  await server.restart({ models: [mean, popularity] });
  assert.deepEqual(await modelsOf(server), ['mean default', 'popularity']);
});
