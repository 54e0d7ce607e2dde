import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FuseSource } from '../../proto/gen/accrete/v1/fuse.ts';
import { BLEND, learn, live, models, SMALL, stateOf, wide } from '../support/blends.ts';
import { leftOut } from '../support/long.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Fuse by BLEND: a version of several models, which go on learning in it, and a gate that says how much each is to be believed. */

const config = {
  models: [...TEST_CONFIG.models, live, wide],
  rating: { min: 0.5, max: 5 },
  evaluation: { rankEvery: 50, window: 500 },
};

test('models of other ranks become one, which is the same after a restart, and goes back', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t, config);
  const { client } = server;
  await learn(client, 0, 2400);
  const { result } = await client.fuse({
    model: 'live',
    strategy: BLEND,
    sources: models('wide'),
    guard: { margin: 1 },
  });
  assert.deepEqual([result.promoted, result.diagnostics.fused_models], [true, 2]);
  const [made] = (await client.getModel('live')).model?.history ?? [];
  assert.deepEqual([made.strategy, made.sources], [BLEND, ['wide']]);
  await client.unloadModel('wide');
  await learn(client, 2400, 2600);
  const blended = await stateOf(client);
  assert.deepEqual([blended.version, blended.plugin], ['2', 'blend(mf,mf)']);
  await server.restart({ models: [...TEST_CONFIG.models, live] });
  assert.deepEqual(await stateOf(server.client), blended);
  await server.client.rollbackModel('live');
  const { version, plugin } = await stateOf(server.client);
  assert.deepEqual([version, plugin], ['1', 'mf']);
  await server.client.rollbackModel('live', '2');
  assert.equal((await stateOf(server.client)).hash, blended.hash);
  // Another shape in the configuration would lose it.
  const other = [...TEST_CONFIG.models, { ...live, config: { ...SMALL, k: 9 } }];
  await assert.rejects(server.restart({ models: other }), /would be lost: set them back/);
});

test('what cannot be a member is refused, and the model is as it was', async (t) => {
  const blending = { name: 'mix', plugin: pluginPath('blending'), config: { inputs: ['live'] } };
  const more = [blending, { name: 'popular', plugin: 'popularity', config: {} }];
  const { client } = await TestServer.start(t, { ...config, models: [...TEST_CONFIG.models, live, wide, ...more] });
  await learn(client, 0, 2000);
  const before = await client.getModel('live');
  const cases: [string, FuseSource[], string, RegExp][] = [
    ['live', [], 'INVALID_FIELD', /sources is empty/],
    ['live', models('live'), 'INVALID_FIELD', /is the model itself/],
    ['live', models('nobody'), 'MODEL_NOT_FOUND', /loaded are/],
    ['live', models('mix'), 'INVALID_FIELD', /mix.*cannot be a member of a blend, since it has other models as inputs/],
    ['live', models('popular'), 'INVALID_FIELD', /popular.*since it expects no ratings/],
    ['live', models('wide', 'wide'), 'INVALID_FIELD', /again/],
    ['live', [{ source: { $case: 'file', value: 'made' } }], 'INVALID_FIELD', /is a file.*fuse it into a model/],
    ['live', [{ source: { $case: 'version', value: '9' } }], 'VERSION_NOT_FOUND', /no earlier version "9"/],
    ['mix', models('live'), 'CAPABILITY_MISSING', /has other models as inputs/],
    ['popular', models('live'), 'CAPABILITY_MISSING', /expects no ratings/],
    ['live', models(...Array.from({ length: 8 }, (_, n) => `m${n}`)), 'INVALID_FIELD', /sources has 8.*7/],
  ];
  for (const [model, sources, reason, message] of cases) {
    const failure = await failureOf(client.fuse({ model, strategy: BLEND, sources }));
    assert.equal(failure.reason, reason, failure.message);
    assert.match(failure.message, message);
  }
  const options = { rank: 3 };
  const failure = await failureOf(client.fuse({ model: 'live', strategy: BLEND, sources: models('wide'), options }));
  assert.deepEqual(Object.keys(failure.fields), ['options.rank']);
  assert.deepEqual(await client.getModel('live'), before);
});
