import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { ConfigInput } from '../../server/config/schema.ts';
import { examine } from '../../server/doctor.ts';
import { AccreteError } from '../../server/errors.ts';
import { repair } from '../../server/repair.ts';
import { createServer } from '../../server/server.ts';
import { markFormat } from '../../server/store/format.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** How the server starts, and how it says why it does not. */

test('file, environment and flags reach the server, the later wins', async (t) => {
  const options = {
    env: { ACCRETE_RATING_MAX: '8', ACCRETE_RATING_MIN: '2', ACCRETE_LIMITS_PAGE_SIZE: '1' },
    args: ['--rating.max', '9', '--reflection=false'],
  };
  const server = await ServerProcess.start(
    t,
    { rating: { min: -5, max: 7 }, limits: { ratingsPerBatch: 2001 } },
    options,
  );
  const { client } = server;
  await client.rate([rating('ann', 'matrix', 9), rating('ann', 'alien', 2)]);
  assert.match((await failureOf(client.rate([rating('ann', 'matrix', 9.1)]))).message, /2 to 9/);
  assert.equal((await client.listRatings('ann', { pageSize: 5 })).ratings.length, 1);
  const many = Array.from({ length: 2002 }, () => rating('ann', 'matrix', 3));
  assert.match((await failureOf(client.rate(many))).message, /2001 are allowed/);
});

test('mistakes name the key, the value, what is allowed and the nearest key, all at once; the exit code is 1', async (t) => {
  const mistaken = { raiting: { min: 1 }, ring: { mib: 4 } } as ConfigInput;
  const options = {
    env: { ACCRETE_RATING_MINN: '0', ACCRETE_LIMITS_PAGE_SIZE: 'many' },
    args: ['--listn', '127.0.0.1:0', '--memory.budgetMiB=63'],
  };
  const server = ServerProcess.begin(t, mistaken, options);
  assert.deepEqual(await server.exited, { code: 1, signal: null });
  for (const expected of [
    /accrete\.yaml.* key that is not known.*`rating`/,
    /ring\.mib: .*4; it takes a whole number from 8 to 1024/,
    /ACCRETE_RATING_MINN: .*`ACCRETE_RATING_MIN`/,
    /limits\.pageSize: .*ACCRETE_LIMITS_PAGE_SIZE.*'many'.*whole number/,
    /--listn: .*`--listen`/,
    /memory\.budgetMiB: --memory\.budgetMiB holds 63; it takes a whole number from 64 to 4096/,
  ]) {
    assert.match(server.stderr, expected);
    assert.equal(server.stderr.split('\n').filter((line) => expected.test(line)).length, 1, String(expected));
  }
  assert(!/^ +at /m.test(server.stderr), 'a mistake needs no stack trace');
});

test('a file where the store has a folder is named, by the start, by doctor and by a repair', async (t) => {
  for (const name of ['', 'journal', 'state', 'state/versions', 'imports', 'forgetting']) {
    const data = join(makeFolder(t), 'data');
    const path = join(data, name);
    if (name !== '') {
      mkdirSync(dirname(path), { recursive: true });
      await markFormat(data);
    }
    writeFileSync(path, 'a file');
    const message = new RegExp(`${path} is a file, and it should be a folder of the store: move it away`);
    const server = createServer({ ...TEST_CONFIG, data });
    const reason = name === '' ? 'CONFIG_INVALID' : 'STORE_DAMAGED';
    await assert
      .rejects(
        server.start().then(() => server.ready),
        { reason, message },
      )
      .finally(() => server.stop());
    if (name !== 'journal' && name !== 'state') continue;
    await assert.rejects(repair({ env: {}, flags: ['--data', data], dryRun: true }), { reason, message });
    const { faults } = await examine({ env: {}, flags: ['--data', data] });
    if (name === 'state') assert.match(faults[0].message, message);
  }
});

test('an address that is in use is told, with its cause once', async (t) => {
  const taken = createTcpServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const server = ServerProcess.begin(t, { metrics: { listen: `127.0.0.1:${port}` } });
  assert.equal((await server.exited).code, 1);
  assert.match(server.stderr, new RegExp(`Cannot listen on 127.0.0.1:${port} for metrics: .*; set metrics.listen `));
  assert.equal(server.stderr.match(/EADDRINUSE/g)?.length, 1, server.stderr);
});

test('a second server on the same store is refused, and told who holds it', async (t) => {
  const server = await ServerProcess.start(t);
  const second = createServer({ ...TEST_CONFIG, data: server.data });
  const error = await refusal(second.start());
  assert.equal(error.reason, 'STORE_IN_USE');
  assert.match(error.message, new RegExp(`process ${server.pid} on .* since .*another data folder`));
  assert.equal((await server.client.rate([rating('ann', 'matrix', 4)])).acceptedCount, 1);

  // It is the process that holds it: when it is gone, so is the lock.
  await server.kill();
  const third = createServer({ ...TEST_CONFIG, data: server.data });
  await third.start();
  await third.ready;
  const fourth = await refusal(createServer({ ...TEST_CONFIG, data: server.data }).start());
  assert.equal(fourth.reason, 'STORE_IN_USE');
  await third.stop();
});

test('another scale on a store that has ratings is refused, and told what to do', async (t) => {
  const server = await ServerProcess.start(t, { rating: { min: 1, max: 5 } });
  await server.client.rate([rating('ann', 'matrix', 4)]);
  const before = await server.client.getModel('mean');
  await server.stop();

  const other = createServer({ ...TEST_CONFIG, data: server.data, rating: { min: 0, max: 1 } });
  await other.start();
  const error = await refusal(other.ready);
  assert.equal(error.reason, 'CONFIG_INVALID');
  assert.match(error.message, /0 and 1.*begun with 1 and 5.*set them back, or set data to another folder/);
  await other.stop();

  await server.start();
  assert.deepEqual(await server.client.getModel('mean'), before);
});

const MODEL_MISTAKES: readonly [what: string, model: object, reason: string, says: RegExp][] = [
  [
    'a plugin that does not exist',
    { name: 'a', plugin: 'poplarity' },
    'PLUGIN_INVALID',
    /models\[1\]\.plugin.*"poplarity".*popularity/,
  ],
  [
    'a plugin file that does not exist',
    { name: 'a', plugin: './nowhere.ts' },
    'PLUGIN_INVALID',
    /models\[1\]\.plugin.*nowhere\.ts/,
  ],
  [
    'a package that is not installed',
    { name: 'a', plugin: '@nobody/nothing' },
    'PLUGIN_INVALID',
    /models\[1\]\.plugin.*@nobody\/nothing/,
  ],
  ['a module that is no plugin', { name: 'a', plugin: './test/support/ratings.ts' }, 'PLUGIN_INVALID', /definePlugin/],
  [
    'a setting that the plugin does not know',
    { name: 'a', plugin: 'popularity', config: { halfLiveDays: 3 } },
    'CONFIG_INVALID',
    /models\[1\]\.config\.halfLiveDays.*halfLifeDays/,
  ],
  [
    'a setting out of its range',
    { name: 'a', plugin: 'popularity', config: { halfLifeDays: -1, seed: 'x' } },
    'CONFIG_INVALID',
    /models\[1\]\.config\.seed.*models\[1\]\.config\.halfLifeDays/s,
  ],
];

for (const [what, model, reason, says] of MODEL_MISTAKES) {
  test(`${what} is refused with its place`, async (t) => {
    const models = [TEST_CONFIG.models[0], model] as ConfigInput['models'];
    const data = makeFolder(t);
    const error = await refusal(createServer({ ...TEST_CONFIG, data, models }).start());
    assert.equal(error.reason, reason);
    assert.match(error.message, says);
  });
}

test('an address that is taken is refused, and the store is free again', async (t) => {
  const first = await TestServer.start(t);
  const data = makeFolder(t);
  for (const taken of [{ listen: first.address }, { metrics: { listen: first.address } }]) {
    const error = await refusal(createServer({ ...TEST_CONFIG, data, ...taken }).start());
    assert.match(error.message, new RegExp(`${first.address}.*to another address`));
  }
  const free = createServer({ ...TEST_CONFIG, data });
  await free.start();
  await free.ready;
  await free.stop();
});

test('a Unix socket serves too; what a killed server left of it is taken away', async (t) => {
  const listen = `unix:${join(makeFolder(t), 'accrete.sock')}`;
  const server = await ServerProcess.start(t, { listen });
  assert.equal(server.address, listen);
  assert.equal((await server.client.rate([rating('ann', 'matrix', 4)])).acceptedCount, 1);
  const error = await refusal(createServer({ ...TEST_CONFIG, data: makeFolder(t), listen }).start());
  assert.match(error.message, /another address/);
  await server.kill();
  await server.start();
  assert.equal((await server.client.allRatings('ann')).length, 1);
});

test('a file in the place of a Unix socket is left alone', async (t) => {
  const path = join(makeFolder(t), 'notes.txt');
  writeFileSync(path, 'mine');
  const error = await refusal(createServer({ ...TEST_CONFIG, data: makeFolder(t), listen: `unix:${path}` }).start());
  assert.match(error.message, /another address/);
  assert.equal(readFileSync(path, 'utf8'), 'mine');
});

test('a store of a later version is refused and left alone', async (t) => {
  const server = await TestServer.start(t);
  await server.stop();
  const path = join(server.data, 'format.json');
  writeFileSync(path, '{"store":"accrete","format":99}');
  const error = await refusal(createServer({ ...TEST_CONFIG, data: server.data }).start());
  assert.equal(error.reason, 'STORE_TOO_NEW');
  assert.match(error.message, /format 99.*newer/);
});

test('a server that is stopped while it starts stops', async (t) => {
  const data = makeFolder(t);
  const server = createServer({ ...TEST_CONFIG, data });
  const starting = server.start();
  await Promise.all([starting, server.stop()]);
  await TestServer.start(t, { data });
});

async function refusal(step: Promise<unknown>): Promise<AccreteError> {
  const error = await step.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert(error instanceof AccreteError, `it should have been refused: ${error}`);
  return error;
}
