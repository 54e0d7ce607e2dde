import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { checkpointFiles } from '../support/checkpoints.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings, rating } from '../support/ratings.ts';
import { pluginPath, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Models that have others as inputs. */

const shifty = { name: 'shifty', plugin: pluginPath('refitting'), config: { gain: 0.001 } };
const mean = { name: 'mean', plugin: pluginPath('mean') };
const blend = (name: string, ...inputs: string[]) => ({ name, plugin: pluginPath('blending'), config: { inputs } });
const top = blend('top', 'mean', 'shifty');
const config = { models: [top, mean, shifty, blend('above', 'top', 'mean')], defaultModel: 'above' };

async function learn(client: Client, count: number, from = 0): Promise<void> {
  for (let at = from; at < from + count; at += 100) await client.rate(manyRatings(100, { from: at }));
}

async function tablesOf(client: Client, ...names: string[]) {
  const models = await Promise.all(names.map((name) => client.getModel(name)));
  return models.map(({ hashes }) => hashes?.tables);
}

const load = (client: Client, more: Partial<LoadModelRequest>) =>
  client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(more));

const fuse = async (client: Client) => {
  const { result } = await client.fuse({ model: 'shifty', guard: { margin: 1, windowEvents: 1000 } });
  assert.equal(result.promoted, true, result.decision?.reason);
};

test('what it answers comes of its inputs, whatever their order', async (t) => {
  const { client } = await TestServer.start(t, config);
  await client.rate([rating('ann', 'a', 5), rating('ann', 'b', 4), rating('bob', 'a', 1)]);
  const { predictions } = await client.rate([rating('ann', 'c', 3)], { returnPredictions: ['above', 'top'] });
  assert.deepEqual(
    predictions.map(({ values }) => values),
    [[4.5], [4.5]],
  );
  // `top` ranks by the sums of ratings of `mean` and by the rows of `shifty`; `above` adds the sums once more.
  const { items } = await client.recommend('new', { model: 'above' });
  assert.deepEqual(
    items.map(({ itemId, score }) => [itemId, score]),
    [
      ['a', 12],
      ['b', 9],
      ['c', 8],
    ],
  );
});

test('circles and inputs that are no models are refused, and an input is not unloaded', async (t) => {
  const cases: [NonNullable<ConfigInput['models']>, RegExp][] = [
    [
      [mean, blend('one', 'two'), blend('two', 'one')],
      /models\[1\]\.config closes a circle of inputs \(one -> two -> one\)/,
    ],
    [[mean, blend('self', 'self')], /models\[1\]\.config closes a circle of inputs \(self -> self\)/],
    [[mean, blend('one', 'maen')], /models\[1\]\.config has "maen" as an input, which is no model: there are mean/],
    [
      [mean, { name: 'many', plugin: 'stack', config: {} }],
      /"mf", "item-cf", "biases", "popularity" as inputs, which are no models: there are mean/,
    ],
  ];
  for (const [models, says] of cases) {
    const failure = await TestServer.start(t, { models, defaultModel: 'mean' }).then(
      () => assert.fail('it started'),
      (error: Error) => error,
    );
    assert.match(failure.message, says);
  }
  const { client } = await TestServer.start(t, config);
  const missing = await failureOf(load(client, blend('late', 'nobody')));
  assert.deepEqual([missing.code, missing.reason], ['INVALID_ARGUMENT', 'CONFIG_INVALID']);
  const used = await failureOf(client.unloadModel('mean'));
  assert.deepEqual([used.code, used.reason], ['FAILED_PRECONDITION', 'MODEL_IN_USE']);
  assert.match(used.message, /it is an input of top, above/);
});

test('an input that cannot do what is asked of it is refused, by a start and by a load', async (t) => {
  const items = { name: 'item-cf', plugin: 'item-cf' };
  const popularity = { name: 'popularity', plugin: 'popularity' };
  const stack = (name: string, inputs: string[], rankings: { model: string; head?: string }[]) => ({
    name,
    plugin: 'stack',
    config: { rating: { inputs }, ranking: { inputs: rankings } },
  });
  const deaf = stack(
    'deaf',
    ['item-cf', 'popularity'],
    [
      { model: 'item-cf', head: 'fats' },
      { model: 'mean', head: 'top' },
    ],
  );
  const says = [
    /config asks popularity for expected ratings, and popularity predicts none as it is set/,
    /config asks item-cf for its ranking "fats": it has fast; without a name/,
    /config asks mean for its ranking "top": it has none by a name/,
  ];
  const failure = await TestServer.start(t, { models: [mean, items, popularity, deaf], defaultModel: 'mean' }).then(
    () => assert.fail('it started'),
    (error: Error) => error,
  );
  for (const what of says) assert.match(failure.message, what);
  const good = stack('good', ['mean', 'item-cf'], [{ model: 'popularity' }, { model: 'item-cf', head: 'fast' }]);
  const { client } = await TestServer.start(t, { models: [mean, items, popularity, good], defaultModel: 'good' });
  for (const validateOnly of [true, false]) {
    const refused = await failureOf(load(client, { ...deaf, validateOnly }));
    assert.deepEqual([refused.code, refused.reason], ['INVALID_ARGUMENT', 'CONFIG_INVALID']);
    for (const what of says) assert.match(refused.message, what);
  }
  await load(client, { ...good, name: 'more', config: { ...good.config, seed: 2 } });
});

test('a start and a load bring it through all the versions that its inputs had', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t, config);
  const { client } = server;
  await learn(client, 1500);
  await fuse(client);
  await learn(client, 300, 1500);
  await client.rollbackModel('shifty', '1');
  await learn(client, 1100, 1800);
  await fuse(client);
  await learn(client, 200, 2900);
  const live = await tablesOf(client, 'top', 'above', 'shifty');
  await load(client, { ...top, name: 'late' });
  assert.deepEqual(await tablesOf(client, 'late', 'late', 'shifty'), [live[0], live[0], live[2]]);
  await server.stop();
  removeCheckpoints(server.data);
  await server.restart();
  assert.deepEqual(await tablesOf(server.client, 'top', 'above', 'shifty', 'late'), [...live, live[0]]);
  await server.client.createCheckpoint();
  await learn(server.client, 1100, 3100);
  await fuse(server.client);
  await learn(server.client, 100, 4200);
  const later = await tablesOf(server.client, 'top', 'above', 'shifty', 'late');
  await server.stop();
  const [ofDrain] = checkpointFiles(server.data);
  rmSync(ofDrain);
  await server.restart();
  assert.deepEqual(await tablesOf(server.client, 'top', 'above', 'shifty', 'late'), later);
  // The file that version 2 had when it came first is gone: who learns all anew does without it there.
  await server.client.rollbackModel('shifty', '2');
  await load(server.client, { ...top, name: 'without' });
  const [without] = await tablesOf(server.client, 'without');
  await server.stop();
  removeCheckpoints(server.data);
  await server.restart();
  assert.deepEqual(await tablesOf(server.client, 'without', 'top'), [without, without]);
});

test('an input that fails is left out from then on, also by a start', async (t) => {
  const failing = { name: 'failing', plugin: pluginPath('failing') };
  const server = await TestServer.start(t, {
    models: [blend('top', 'mean', 'failing'), mean, failing],
    defaultModel: 'top',
  });
  await server.client.rate([rating('ann', 'a', 5), rating('ann', 'b', 3, { weight: 10 }), rating('ann', 'd', 1)]);
  const { predictions } = await server.client.rate([rating('ann', 'c', 3)], { returnPredictions: ['top'] });
  assert.deepEqual(predictions[0].values, [3]);
  const { model } = await server.client.getModel('top');
  assert.deepEqual(model?.inputs, ['mean', 'failing']);
  assert.equal(model?.stateReason, 'answers without its input failing, which failed');
  const [before] = await tablesOf(server.client, 'top');
  await server.stop();
  removeCheckpoints(server.data);
  await server.restart();
  assert.deepEqual(await tablesOf(server.client, 'top'), [before]);
});
