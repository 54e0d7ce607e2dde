import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MadeTensor, METADATA, makeIds, makeModelBytes } from '../../server/store/models/testing/file-maker.ts';
import { bytesOfNumber, searchFiles } from '../support/byte-search.ts';
import { leftOut } from '../support/long.ts';
import { importModel } from '../support/model-files.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Forgetting reaches model files that were imported. */

const GONE = 'ann-who-shall-be-forgotten';
const ONLY_IN_A_FILE = 'bob-of-another-shop';
const PROBE = 1.23456789;
/** A number of their row. */
const TEXTS = [GONE, ONLY_IN_A_FILE, ...bytesOfNumber(PROBE)];

/** A file with a row for each of these users. */
function fileOf(...users: string[]): Buffer {
  const [starts, bytes] = makeIds('users', users);
  const values = new Float64Array(users.length).fill(PROBE);
  const bias: MadeTensor = { name: 'table.users.bias', dtype: 'F64', shape: [users.length], values };
  const tables = JSON.stringify({ users: { index: 'user', rows: users.length } });
  return makeModelBytes({ ...METADATA, tables }, [starts, bias, bytes]);
}

const placesOf = ({ removals }: { removals: readonly { place: string }[] }) =>
  removals.map(({ place }) => place).filter((place) => place.startsWith('import:'));

test('files that name someone who is forgotten are removed, the others stay', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t);
  const { client, data } = server;
  const imports = join(data, 'imports');
  await client.rate([rating(GONE, 'one', 4), rating('ben', 'one', 5)]);
  const other = makeModelBytes();
  await importModel(client, 'of-others', other);
  await importModel(client, 'with-ann', fileOf('ben', GONE));
  await importModel(client, 'with-both', fileOf(ONLY_IN_A_FILE, GONE));
  await importModel(client, 'with-bob', fileOf(ONLY_IN_A_FILE));
  assert.notDeepEqual(searchFiles(data, TEXTS), []);

  assert.deepEqual(placesOf(await client.forgetUser(GONE, true)), ['import:with-ann', 'import:with-both']);
  assert.equal(readdirSync(imports).length, 4, 'nothing is removed by asking');
  assert.deepEqual(placesOf(await client.forgetUser(GONE)), ['import:with-ann', 'import:with-both']);
  assert.deepEqual(searchFiles(data, [GONE]), []);
  assert.deepEqual(readdirSync(imports).sort(), ['of-others', 'with-bob']);

  // Whom the server knows by a file alone.
  assert.deepEqual(placesOf(await client.forgetUser(ONLY_IN_A_FILE, true)), ['import:with-bob']);
  assert.deepEqual(placesOf(await client.forgetUser(ONLY_IN_A_FILE)), ['import:with-bob']);
  assert.deepEqual(searchFiles(data, TEXTS), []);
  assert.deepEqual(readdirSync(imports), ['of-others']);
  assert.deepEqual((await client.forgetUser('nobody')).removals, []);

  // What is imported afterwards is of somebody new.
  await importModel(client, 'with-ann', fileOf(GONE));
  assert.deepEqual(placesOf(await client.forgetUser(GONE)), ['import:with-ann']);
});

test('what is on its way meanwhile does not bring them back', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t);
  const { client, data } = server;
  await client.rate([rating(GONE, 'one', 4)]);
  const isComing = async (count: number) => {
    const drafts = () => (existsSync(join(data, 'imports')) ? readdirSync(join(data, 'imports')) : []);
    while (drafts().filter((name) => name.startsWith('.')).length < count) await sleep(10);
  };
  // Of one nothing is known but by this file.
  for (const user of [GONE, ONLY_IN_A_FILE]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const named = importModel(client, 'named', fileOf('ben', user), {}, promise);
    const others = importModel(client, `without-${user}`, fileOf('ben'), {}, promise);
    await isComing(2);
    await client.forgetUser(user);
    resolve();
    const failure = await failureOf(named);
    assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'USER_FORGOTTEN']);
    await others;
    assert.deepEqual(searchFiles(data, [user]), []);
  }
  assert.deepEqual(readdirSync(join(data, 'imports')).length, 2);
});

test('what is no model file any more may have anybody: it is removed', async (t) => {
  const server = await TestServer.start(t);
  const { client, data } = server;
  await client.rate([rating(GONE, 'one', 4)]);
  const path = join(data, 'imports', 'damaged');
  await importModel(client, 'damaged', fileOf(GONE));
  writeFileSync(path, fileOf(GONE).subarray(0, -1));
  assert.deepEqual(placesOf(await client.forgetUser(GONE)), ['import:damaged']);
  assert.ok(!existsSync(path));
});

test('a forgetting that was not finished reaches them at the next start', async (t) => {
  const server = await TestServer.start(t);
  await server.client.rate([rating('ben', 'one', 5)]);
  await importModel(server.client, 'with-bob', fileOf(ONLY_IN_A_FILE));
  await server.stop();
  mkdirSync(join(server.data, 'forgetting'), { recursive: true });
  // The note of a process that was killed once it had written it.
  const note = join(server.data, 'forgetting', '0b3c1f7e-5d0a-4a57-9d52-6f4f5c4b2a10.json');
  writeFileSync(note, JSON.stringify({ userId: ONLY_IN_A_FILE }));
  await server.restart();
  while (existsSync(note)) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(searchFiles(server.data, [ONLY_IN_A_FILE]), []);
});
