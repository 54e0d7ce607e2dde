import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ConfigInput } from '../../server/config/schema.ts';
import { checkpointFiles, stateOf } from '../support/checkpoints.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** What a start begins from when checkpoints are damaged, or do not fit what is configured now: the result is the same. */

const NEVER = { everyEvents: 0, everyMiB: 0, everySeconds: 0 };
const MODELS = [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 8 } }];
const config = { models: MODELS, evaluation: { rankEvery: 20, window: 100 }, checkpoint: NEVER } satisfies ConfigInput;
const NAMES = MODELS.map(({ name }) => name);

async function rateSome(client: Client, seed: number, count = 300): Promise<void> {
  const random = randomNumbers(seed);
  const draw = (below: number) => Math.floor(random() * below);
  const ratings = Array.from({ length: count }, () => rating(`user-${draw(50)}`, `item-${draw(80)}`, 1 + draw(5)));
  await client.rate(ratings, { requestId: `request-${seed}` });
}

/** A server that was killed after two checkpoints and something more, and its state. */
async function killed(t: TestContext) {
  const server = await ServerProcess.start(t, config);
  for (let seed = 0; seed < 3; seed++) {
    await rateSome(server.client, seed);
    if (seed < 2) await server.client.createCheckpoint();
  }
  const state = await stateOf(server.client, NAMES);
  await server.kill();
  return { server, state, files: checkpointFiles(server.data) };
}

/** The checkpoint that it began from, once it is ready. */
async function begunFrom(server: ServerProcess): Promise<number | undefined> {
  await server.start();
  return ((await server.said('ready')) as { checkpoint?: number }).checkpoint;
}

const DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  'bytes in its middle': (path) => {
    const bytes = readFileSync(path);
    bytes.fill(0x5a, bytes.length / 2, bytes.length / 2 + 8192);
    writeFileSync(path, bytes);
  },
  'its second half': (path) => truncateSync(path, readFileSync(path).length / 2),
  'all of it': (path) => truncateSync(path, 0),
  'its first page': (path) =>
    writeFileSync(path, Buffer.concat([Buffer.alloc(4096), readFileSync(path).subarray(4096)])),
};

test('a model that was saved with numbers that are not finite is not gone on with; the others are', async (t) => {
  const models = [...TEST_CONFIG.models, { name: 'failing', plugin: pluginPath('failing') }];
  const server = await TestServer.start(t, { models, checkpoint: NEVER });
  // It notices at the next rating, which does not come.
  await server.client.rate([rating('ann', 'alien', 4, { weight: 10 })]);
  const { checkpoint } = await server.client.createCheckpoint();
  await server.restart();
  const { model } = await server.client.getModel('failing');
  assert.equal(model?.revision, checkpoint?.revision);
  assert.match(model?.stateReason ?? '', /quarantined: its numbers were no longer finite/);
  const { model: answered } = await server.client.recommend('ben');
  assert.equal(answered, 'popularity');
  await server.client.rate([rating('ann', 'solaris', 4)]);
});

test('a damaged checkpoint falls back to the one before, and that to the journal; the log says why', {
  skip: leftOut,
}, async (t) => {
  const { server, state, files } = await killed(t);
  assert.equal(files.length, 2);
  const kept = join(server.folder, 'kept');
  cpSync(join(server.data, 'state'), kept, { recursive: true });
  for (const [what, damage] of Object.entries(DAMAGE)) {
    damage(files[0]);
    const older = await begunFrom(server);
    assert.equal(older, Number(files[1].match(/(\d+)\.mdb$/)?.[1]), what);
    assert.deepEqual(await stateOf(server.client, NAMES), state, what);
    const { why } = (await server.said('a file of the state cannot be used; the start goes on without it')) as never;
    assert.match(why, /^the checkpoint .* is damaged: /, what);
    assert((why as string).includes(files[0]), why);
    await server.kill();
    cpSync(kept, join(server.data, 'state'), { recursive: true });
  }
  for (const file of files) DAMAGE['its second half'](file);
  assert.equal(await begunFrom(server), undefined);
  assert.deepEqual(await stateOf(server.client, NAMES), state);
  // It is whole again.
  await server.client.createCheckpoint();
  await server.kill();
  assert(await begunFrom(server));
  assert.deepEqual(await stateOf(server.client, NAMES), state);
});

test('a damaged checkpoint is none of the two that are kept', { skip: leftOut }, async (t) => {
  const { server, state, files } = await killed(t);
  DAMAGE['bytes in its middle'](files[0]);
  const older = await begunFrom(server);
  assert(older);
  await server.client.createCheckpoint();
  const left = checkpointFiles(server.data);
  assert.deepEqual([left.length, left.includes(files[0])], [2, false]);
  await server.kill();
  DAMAGE['all of it'](left[0]);
  assert.equal(await begunFrom(server), older);
  assert.deepEqual(await stateOf(server.client, NAMES), state);
});

test('a checkpoint beyond the end of the journal ends the start, and the log says what to do', {
  skip: leftOut,
}, async (t) => {
  const server = await ServerProcess.start(t, config);
  await rateSome(server.client, 1);
  await server.stop();
  const early = join(server.folder, 'early');
  cpSync(join(server.data, 'journal'), early, { recursive: true });
  await server.start();
  await rateSome(server.client, 2);
  await server.stop();
  rmSync(join(server.data, 'journal'), { recursive: true });
  cpSync(early, join(server.data, 'journal'), { recursive: true });
  server.spawn();
  const { code } = await server.exited;
  assert.notEqual(code, 0);
  assert.match(server.stderr, /STORE_DAMAGED/);
  assert.match(server.stderr, /goes? beyond|the journal ends at \d+: its newest files are gone. Restore them/);
});

/** Starts from a checkpoint with another configuration, and goes on; and a start from the journal of all that alone. */
async function bothWays(t: TestContext, changes: ConfigInput, names = NAMES) {
  const server = await TestServer.start(t, config);
  for (let seed = 0; seed < 3; seed++) {
    await rateSome(server.client, seed);
    if (seed < 2) await server.client.createCheckpoint();
  }
  await server.restart(changes);
  await rateSome(server.client, 9);
  const state = await stateOf(server.client, names);
  await server.stop();
  const copy = await TestServer.start(t, config);
  await copy.stop();
  rmSync(copy.data, { recursive: true });
  cpSync(server.data, copy.data, { recursive: true, filter: (path) => !path.endsWith('state') });
  await copy.restart(changes);
  return [state, await stateOf(copy.client, names)];
}

const CHANGES: Readonly<
  Record<string, { readonly changes: ConfigInput; readonly names?: string[]; readonly skip?: string | false }>
> = {
  nothing: { changes: {}, skip: leftOut },
  'the window': { changes: { evaluation: { rankEvery: 20, window: 150 } }, skip: leftOut },
  'how often is ranked': { changes: { evaluation: { rankEvery: 10, window: 100 } }, skip: leftOut },
  'the setting of a model': {
    changes: { models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 4 } }] },
  },
  'a model more': {
    changes: { models: [...MODELS, { name: 'more', plugin: pluginPath('mean') }] },
    names: [...NAMES, 'more'],
  },
  'a model less': { changes: { models: MODELS.slice(0, 2) }, names: NAMES.slice(0, 2), skip: leftOut },
  'the budget': { changes: { memory: { budgetMiB: 512 } }, skip: leftOut },
  'what kinds there are': { changes: { kinds: { click: {} } }, skip: leftOut },
};

for (const [what, { changes, names, skip }] of Object.entries(CHANGES)) {
  test(`where the configuration changes ${what}, the state is that of the whole journal`, { skip }, async (t) => {
    const [gone, replayed] = await bothWays(t, changes, names);
    assert.deepEqual(gone, replayed);
  });
}

test('tables of another stateVersion are not gone on with', async (t) => {
  const server = await ServerProcess.start(t, config);
  await server.stop();
  const plugin = join(server.folder, 'own.ts');
  const write = (version: number, factor: number) =>
    writeFileSync(
      plugin,
      `import mean from ${JSON.stringify(pluginPath('mean'))};
       export default { ...mean, name: 'own', stateVersion: ${version},
         learner: (context) => {
           const learner = mean.learner(context);
           return { ...learner, learn: (event) => learner.learn({ ...event, value: event.value * ${factor} }) };
         } };`,
    );
  write(1, 1);
  const own = { models: [{ name: 'own', plugin }], checkpoint: NEVER };
  const first = await ServerProcess.start(t, own);
  await rateSome(first.client, 1);
  await first.client.createCheckpoint();
  const [before] = await stateOf(first.client, ['own']);
  await first.kill();
  write(1, 2);
  assert(await begunFrom(first), 'it goes on from the checkpoint');
  assert.deepEqual(await stateOf(first.client, ['own']), [before]);
  await first.kill();
  write(2, 2);
  assert.equal(await begunFrom(first), undefined);
  const [after] = await stateOf(first.client, ['own']);
  assert.notEqual(after.hash, before.hash);
});

const ADDED = 'a column that was added';
const TABLES: Readonly<Record<string, string>> = {
  [ADDED]:
    '{ ...tables, users: { ...tables.users, columns: { ...tables.users.columns, one: { ...one, added: true } } } }',
  'a table more': "{ ...tables, more: { index: 'item', columns: { one } } }",
  'a column more': '{ ...tables, users: { ...tables.users, columns: { ...tables.users.columns, one } } }',
  'another order of columns': `{ ...tables, users: { ...tables.users, columns: { count, sum } } }`,
};

for (const [what, tables] of Object.entries(TABLES)) {
  const goesOn = what === ADDED;
  const then = goesOn ? 'goes on from the checkpoint' : 'learns the whole journal';
  test(`a plugin that declares ${what}, and no other stateVersion, ${then}`, {
    skip: !goesOn && leftOut,
  }, async (t) => {
    const folder = makeFolder(t);
    const plugin = join(folder, 'own.ts');
    const write = (declared: string) =>
      writeFileSync(
        plugin,
        `import mean from ${JSON.stringify(pluginPath('mean'))};
         const tables = mean.tables();
         const { sum, count } = tables.users.columns;
         const one = sum;
         export default { ...mean, name: 'own', tables: () => (${declared}) };`,
      );
    write('tables');
    const server = await ServerProcess.start(t, { models: [{ name: 'own', plugin }], checkpoint: NEVER });
    await rateSome(server.client, 1);
    await server.client.createCheckpoint();
    await server.kill();
    write(tables);
    assert.equal((await begunFrom(server)) !== undefined, goesOn);
    await rateSome(server.client, 2);
    const state = await stateOf(server.client, ['own']);
    await server.client.createCheckpoint();
    await server.kill();
    rmSync(join(server.data, 'state'), { recursive: true });
    await server.start();
    assert.deepEqual(await stateOf(server.client, ['own']), state);
  });
}
