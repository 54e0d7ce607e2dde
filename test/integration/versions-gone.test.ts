import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelState } from '../../proto/gen/accrete/v1/model.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** Versions that cannot be brought back any more: whoever asks is told so, and why, and the model is as it was. */

const shifty = { name: 'shifty', plugin: pluginPath('refitting'), config: { gain: 0.001 } };
const models = [...TEST_CONFIG.models, shifty];
const REQUEST = { model: 'shifty', guard: { margin: 1, windowEvents: 1000 } };

test('asked only whether, without a file that is good', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t, { models });
  const { client } = server;
  for (let from = 0; from < 1500; from += 100) await client.rate(manyRatings(100, { from }));
  assert.equal((await client.fuse(REQUEST)).result.version, '2');
  await client.rollbackModel('shifty');
  assert.equal((await client.rollbackModel('shifty', '2', true)).model?.version, '1');
  const folder = join(server.data, 'state', 'versions', 'shifty@2');
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'nothing');
  const before = await client.getModel('shifty');
  for (const validateOnly of [true, false]) {
    const { reason, message } = await failureOf(client.rollbackModel('shifty', '2', validateOnly));
    assert.equal(reason, 'VERSION_NOT_FOUND');
    assert.match(message, /there is no good file of it, .* choose another one .* restore its files from a backup/);
  }
  assert.deepEqual(await client.getModel('shifty'), before);
});

test('of another shape than the settings ask for: a start is refused until the model is given up', async (t) => {
  const ncfOf = (k: number) => {
    const config = { gmf: { k: 4 }, tower: { k }, refit: { epochs: 1 } };
    return { models: [...TEST_CONFIG.models, { name: 'ncf', plugin: 'ncf', config }] };
  };
  const server = await TestServer.start(t, ncfOf(4));
  for (let from = 0; from < 1500; from += 100) await server.client.rate(manyRatings(100, { from }));
  const { result } = await server.client.fuse({ ...REQUEST, model: 'ncf' });
  assert.equal(result.version, '2');
  const { hash } = await server.client.getModel('ncf');
  await assert.rejects(server.restart(ncfOf(8)), {
    reason: 'CONFIG_INVALID',
    message: /^models: the settings of ncf .*users\.vector.* version 2 .* fuse:refit .*`accrete fuse`.* unload ncf/,
  });
  await server.restart(ncfOf(4));
  assert.equal((await server.client.getModel('ncf')).hash, hash);
  await server.client.unloadModel('ncf');
  await server.restart(ncfOf(8));
  assert.equal((await server.client.getModel('ncf')).model?.version, '1');
});

test('where the journal no longer has what came after; the next one goes on from a checkpoint', {
  skip: leftOut,
}, async (t) => {
  const journal = { linkMiB: 1, keepMiB: 1 };
  const server = await TestServer.start(t, { models, journal });
  const { client } = server;
  let from = 0;
  const learn = async (count: number) => {
    for (const end = from + count; from < end; from += 1000)
      await client.rate(manyRatings(1000, { from }).map((each) => ({ ...each, recommendationId: 'x'.repeat(64) })));
  };
  await learn(3000);
  assert.equal((await client.fuse(REQUEST)).result.version, '2');
  const links = join(server.data, 'journal');
  const firstOf = () =>
    readdirSync(links)
      .filter((name) => name.endsWith('.mdb'))
      .sort()[0];
  for (const first = firstOf(); firstOf() === first && from < 200_000; ) {
    await learn(8000);
    await client.createCheckpoint();
    await sleep(50);
  }
  const before = await client.getModel('shifty');
  for (const validateOnly of [true, false]) {
    const { reason, message } = await failureOf(client.rollbackModel('shifty', '1', validateOnly));
    assert.equal(reason, 'VERSION_NOT_FOUND');
    assert.match(message, /the journal begins at revision \d+ by now, .* make a new one with Fuse; journal\.keepMiB/);
  }
  assert.deepEqual(await client.getModel('shifty'), before);
  await learn(3000);
  assert.equal((await client.fuse(REQUEST)).result.version, '3');
  const [now, versions] = [await client.getModel('shifty'), ['3', '2', '1']];
  assert.deepEqual(
    now.model?.versions.map(({ version }) => version),
    versions,
  );
  await server.restart();
  assert.equal((await server.client.getModel('shifty')).hash, now.hash);
});

test('whose plugin has other tables by now, and no other stateVersion; with the old ones it comes back', {
  skip: leftOut,
}, async (t) => {
  const plugin = join(makeFolder(t), 'own.ts');
  const write = (columns: string) =>
    writeFileSync(
      plugin,
      `import refitting from ${JSON.stringify(shifty.plugin)};
       const { users, model } = refitting.tables({});
       const { sum, count } = users.columns;
       const tables = { users: { ...users, columns: ${columns} }, model };
       export default { ...refitting, name: 'own', tables: () => tables };`,
    );
  write('{ sum, count }');
  const server = await ServerProcess.start(t, { models: [...TEST_CONFIG.models, { ...shifty, plugin }] });
  const stateOf = () => server.client.getModel('shifty');
  for (let from = 0; from < 1500; from += 100) await server.client.rate(manyRatings(100, { from }));
  assert.equal((await server.client.fuse(REQUEST)).result.version, '2');
  const { hash } = await stateOf();
  await server.client.rollbackModel('shifty');
  const before = await stateOf();
  write('{ sum, count, more: sum }');
  for (const validateOnly of [true, false]) {
    const { reason, message } = await failureOf(server.client.rollbackModel('shifty', '2', validateOnly));
    assert.equal(reason, 'VERSION_NOT_FOUND');
    assert.match(message, /Version 2 of model shifty cannot be brought back: .* the tables that it declares/);
  }
  assert.deepEqual(await stateOf(), before);
  await server.kill();
  await server.start();
  // The first version has learned nothing but the journal, and does so anew.
  assert.equal((await stateOf()).model?.state, ModelState.MODEL_STATE_AVAILABLE);
  assert.match(
    server.stderr,
    /version 1 of model shifty is learned from the first record on: its file has other tables/,
  );
  await server.kill();
  write('{ sum, count }');
  await server.start();
  await server.client.rollbackModel('shifty', '2');
  assert.equal((await stateOf()).hash, hash);
});
