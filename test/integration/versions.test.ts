import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Versions that are kept: which, where, and what they come back as. */

const shifty = { name: 'shifty', plugin: pluginPath('refitting'), config: { gain: 0.001 } };
const config = { models: [...TEST_CONFIG.models, shifty, { ...shifty, name: 'other' }] };
const server = await TestServer.start({ after }, config);
const never = await TestServer.start({ after }, config);

let from = 0;
/** Brings both servers the same ratings. */
async function learn(count: number): Promise<void> {
  for (const end = from + count; from < end; from += 100)
    for (const { client } of [server, never]) await client.rate(manyRatings(100, { from }));
}

const fuse = async () => {
  const { result } = await server.client.fuse({ model: 'shifty', guard: { margin: 1, windowEvents: 1000 } });
  assert.equal(result.promoted, true, result.decision?.reason);
  return result;
};

async function stateOf(client: Client) {
  const { model, hashes } = await client.getModel('shifty');
  return { version: model?.version, tables: hashes?.tables };
}
const versionsOf = async () => (await server.client.getModel('shifty')).model?.versions ?? [];
const namesOf = async () => (await versionsOf()).map(({ version }) => version);
const foldersOf = () => readdirSync(join(server.data, 'state', 'versions')).sort();

test('two promotions in a row; each version comes back as it was, and as if it had always been there', async () => {
  await learn(1500);
  const one = await stateOf(server.client);
  await fuse();
  const two = await stateOf(server.client);
  assert.notEqual(two.tables, one.tables);
  // Nothing arrived meanwhile: the exact bytes.
  const { previousVersion } = await server.client.rollbackModel('shifty');
  assert.deepEqual([previousVersion, await stateOf(server.client)], ['2', one]);
  await server.client.rollbackModel('shifty', '2');
  assert.deepEqual(await stateOf(server.client), two);
  await learn(1100);
  await fuse();
  await learn(100);
  assert.deepEqual(await namesOf(), ['3', '2', '1']);
  await server.client.rollbackModel('shifty', '1');
  assert.deepEqual(await stateOf(server.client), { ...(await stateOf(never.client)), version: '1' });
  await learn(100);
  assert.equal((await stateOf(server.client)).tables, (await stateOf(never.client)).tables);
  const before = await stateOf(server.client);
  await server.restart();
  assert.deepEqual(await stateOf(server.client), before);
});

test('they are listed with what they are, the one that serves first', async () => {
  const versions = await versionsOf();
  assert.deepEqual(
    versions.map(({ version, origin }) => [version, origin]),
    [
      ['1', 'rollback'],
      ['3', 'fuse:refit'],
      ['2', 'rollback'],
    ],
  );
  const { model } = await server.client.getModel('shifty');
  for (const { bytes, configHash, createTime, revision } of versions) {
    assert(bytes > 0n, 'on disk');
    assert.equal(configHash, model?.configHash);
    assert(createTime);
    assert.match(revision, /^\d{20}$|^[0-9a-z]+$/);
  }
  const [first] = (await server.client.getModel('other')).model?.versions ?? [];
  assert.deepEqual([first.version, first.origin, first.bytes, first.revision], ['1', 'load', 0n, '']);
});

test('one can be dropped, not the one that serves; its name is not used again', async () => {
  const { client } = server;
  assert.equal((await failureOf(client.unloadModel('shifty', '1'))).reason, 'MODEL_IN_USE');
  const { model } = await client.unloadModel('shifty', '3');
  assert.deepEqual(
    model?.versions.map(({ version }) => version),
    ['1', '2'],
  );
  assert.deepEqual(foldersOf(), ['shifty@1', 'shifty@2']);
  const gone = await failureOf(client.rollbackModel('shifty', '3'));
  assert.deepEqual([gone.reason, gone.metadata], ['VERSION_NOT_FOUND', { model: 'shifty', version: '3' }]);
  assert.equal((await fuse()).version, '4');
  await server.restart();
  assert.deepEqual(await namesOf(), ['4', '1', '2']);
});

test('only so many are kept', async () => {
  for (let n = 0; n < 2; n++) {
    await learn(1100);
    await fuse();
  }
  assert.deepEqual(await namesOf(), ['6', '5', '4', '1']);
  assert.deepEqual(foldersOf(), ['shifty@1', 'shifty@4', 'shifty@5', 'shifty@6']);
});

test('a model that is unloaded leaves nothing, and one of its name has no other versions', async () => {
  const { client } = server;
  await client.unloadModel('shifty');
  assert.deepEqual(foldersOf(), []);
  await client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(shifty));
  assert.deepEqual(await namesOf(), ['1']);
  assert.equal((await failureOf(client.rollbackModel('shifty', '4'))).reason, 'VERSION_NOT_FOUND');
  assert.equal((await stateOf(client)).tables, (await stateOf(never.client)).tables);
  assert.equal((await fuse()).version, '2');
  const before = await stateOf(client);
  await server.restart();
  assert.deepEqual(await stateOf(server.client), before);
  assert(existsSync(join(server.data, 'state', 'versions', 'shifty@2')));
});
