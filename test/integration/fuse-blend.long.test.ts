import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FuseSource } from '../../proto/gen/accrete/v1/fuse.ts';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { BLEND, data, learn, live, models, stateOf, wide } from '../support/blends.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Versions that are blends, over kills, rollbacks, forgetting, sources that go, and models that have them as inputs. */

const neighbours = { name: 'neighbours', plugin: 'item-cf', config: {} };
const config = {
  models: [...TEST_CONFIG.models, live, wide, neighbours],
  rating: { min: 0.5, max: 5 },
  evaluation: { rankEvery: 50, window: 500 },
  memory: { budgetMiB: 1024 },
};

test('models of other ranks and plugins become one, which outlives them, a kill and a forgetting, and goes back', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learn(client, 0, 12_000);
  const sources = models('wide', 'neighbours');
  const { result } = await client.fuse({ model: 'live', strategy: BLEND, sources, guard: { margin: 1 } });
  assert.equal(result.promoted, true, result.decision?.reason);
  assert.equal(result.diagnostics.fused_models, 3);
  const blended = await stateOf(client);
  assert.deepEqual([blended.version, blended.plugin], ['2', 'blend(mf,mf,item-cf)']);
  const gained = (result.before[0].value ?? 0) - (result.after[0].value ?? 9);
  assert.ok(gained > 0, `a blend of several models is no better than one of them: ${gained}`);
  // The sources go; their copies go on.
  await client.unloadModel('wide');
  await client.unloadModel('neighbours');
  await learn(client, 12_000, 12_600);
  const after = await stateOf(client);
  assert.notEqual(after.hash, blended.hash);
  for (const hasCheckpoints of [true, false]) {
    await server.kill();
    if (!hasCheckpoints) removeCheckpoints(server.data);
    await server.start();
    assert.deepEqual(await stateOf(server.client), after, `after a kill, checkpoints: ${hasCheckpoints}`);
  }
  const never = await TestServer.start(t, { ...config, models: [...TEST_CONFIG.models, live] });
  await learn(never.client, 0, 12_600);
  await server.client.rollbackModel('live');
  const back = await stateOf(server.client);
  assert.deepEqual([back.version, back.plugin], ['1', 'mf']);
  assert.equal(back.tables, (await stateOf(never.client)).tables, 'as if it had never been blended');
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), back, 'rolled back, after a kill');

  // And forth again, to what it would be had it always served; who is forgotten is so by every member.
  await server.client.rollbackModel('live', '2');
  assert.equal((await stateOf(server.client)).hash, after.hash);
  const { removals } = await server.client.forgetUser(String(data.user[0]));
  assert.ok(
    removals.some(({ place, count }) => place === 'model:live@2' && count > 0n),
    String(removals.map((each) => each.place)),
  );
  const forgotten = await stateOf(server.client);
  assert.notEqual(forgotten.tables, after.tables);
  await server.kill();
  removeCheckpoints(server.data);
  await server.start();
  assert.equal((await stateOf(server.client)).plugin, 'blend(mf,mf,item-cf)');
});

test('a version that was trained and one that was not are members, and are trained by a refit', async (t) => {
  const server = await TestServer.start(t, { ...config, models: [...TEST_CONFIG.models, live] });
  const { client } = server;
  await learn(client, 0, 3000);
  await client.fuse({ model: 'live', guard: { margin: 1 } });
  await learn(client, 3000, 4200);
  const sources: FuseSource[] = [{ source: { $case: 'version', value: '1' } }];
  await client.fuse({ model: 'live', strategy: BLEND, sources, guard: { margin: 1 } });
  assert.equal((await stateOf(client)).plugin, 'blend(mf,mf)');
  await learn(client, 4200, 5400);
  // What is blended again keeps its own line, and no other.
  await client.fuse({ model: 'live', strategy: BLEND, sources, guard: { margin: 1 } });
  assert.equal((await stateOf(client)).plugin, 'blend(mf,mf)');
  await learn(client, 5400, 6600);
  const { result } = await client.fuse({ model: 'live', guard: { margin: 1 } });
  assert.equal(result.promoted, true);
  const refitted = await stateOf(client);
  assert.deepEqual([refitted.version, refitted.plugin], ['5', 'blend(mf,mf)']);
  // The same model is asked for again: it is there.
  const again = await client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(live));
  assert.equal(again.model?.version, '5');
  await server.restart();
  assert.deepEqual(await stateOf(server.client), refitted);
});

test('models that have it as an input learn with each of its versions, live, loaded and started', async (t) => {
  const mix = (name: string) => ({ name, plugin: pluginPath('blending'), config: { inputs: ['live'] } });
  const server = await TestServer.start(t, { ...config, models: [...TEST_CONFIG.models, live, wide, mix('mix')] });
  const { client } = server;
  await learn(client, 0, 3000);
  await client.fuse({ model: 'live', strategy: BLEND, sources: models('wide'), guard: { margin: 1 } });
  await learn(client, 3000, 3400);
  await client.rollbackModel('live', '1');
  await learn(client, 3400, 4600);
  await client.fuse({ model: 'live', strategy: BLEND, sources: models('wide'), guard: { margin: 1 } });
  await learn(client, 4600, 4800);
  const tablesOf = async (name: string) => (await server.client.getModel(name)).hashes?.tables;
  const learned = await tablesOf('mix');
  await client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(mix('late')));
  assert.equal(await tablesOf('late'), learned);
  await server.stop();
  removeCheckpoints(server.data);
  await server.restart();
  assert.deepEqual([await tablesOf('mix'), await tablesOf('late')], [learned, learned]);
});
