import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateCheckpointRequest } from '../../proto/gen/accrete/v1/checkpoint.ts';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { checkpointFiles, stateOf } from '../support/checkpoints.ts';
import type { Client } from '../support/client.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { enlarge, noSmallDisk, onSmallDisk } from '../support/small-disk.ts';
import { errorOf, failureOf } from '../support/status.ts';

/** When checkpoints are written, by a real server; and what happens when one cannot be. */

const NEVER = { everyEvents: 0, everyMiB: 0, everySeconds: 0 };
const MODELS = [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf' }];
const NAMES = MODELS.map(({ name }) => name);
const metrics = { listen: '127.0.0.1:0' };

function start(t: TestContext | { after: typeof after }, more: ConfigInput = {}): Promise<ServerProcess> {
  return ServerProcess.start(t, { models: MODELS, metrics, checkpoint: NEVER, ...more });
}

/** Ratings of so many users that a checkpoint takes a few megabytes. */
async function rateMuch(client: Client, seed: number, users = 5000): Promise<void> {
  const random = randomNumbers(seed);
  const ratings = Array.from({ length: 5000 }, () =>
    rating(`user-${Math.floor(random() * users)}`, `item-${Math.floor(random() * 500)}`, 1 + Math.floor(5 * random())),
  );
  await client.rate(ratings);
}

async function samplesOf(server: ServerProcess): Promise<Record<string, number>> {
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => [labels.result ? `${name} ${labels.result}` : name, value]),
  );
}

/** Waits until a file of a checkpoint has come. */
async function written(server: ServerProcess, count = 1): Promise<void> {
  for (let n = 0; n < 200; n++) {
    try {
      if (checkpointFiles(server.data).length >= count) return;
    } catch {
      // There is no folder yet.
    }
    await sleep(50);
  }
  throw new Error(`no ${count} checkpoints came`);
}

test('one comes after so many events, after so much journal, and after so long', async (t) => {
  for (const checkpoint of [{ everyEvents: 5000 }, { everyMiB: 1 }, { everySeconds: 1 }]) {
    const server = await start(t, { checkpoint: { ...NEVER, ...checkpoint } });
    for (let seed = 0; seed < 10; seed++) await rateMuch(server.client, seed);
    await written(server);
    const state = await stateOf(server.client, NAMES);
    await server.kill();
    await server.start();
    assert.deepEqual(await stateOf(server.client, NAMES), state, JSON.stringify(checkpoint));
    await server.kill();
  }
});

test('one is written at a drain, and none where nothing is new', async (t) => {
  const server = await start(t);
  await rateMuch(server.client, 1);
  const state = await stateOf(server.client, NAMES);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  const [file, ...others] = checkpointFiles(server.data);
  assert.deepEqual(others, []);
  const { mtimeMs } = statSync(file);
  await server.start();
  assert.deepEqual(await stateOf(server.client, NAMES), state);
  const named = await server.client.createCheckpoint();
  assert.equal(Number(named.checkpoint?.revision), Number(file.match(/(\d+)\.mdb$/)?.[1]));
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.deepEqual([checkpointFiles(server.data), statSync(file).mtimeMs], [[file], mtimeMs]);
});

test('a drain while one is being written, and a kill', async (t) => {
  const server = await start(t, { checkpoint: NEVER });
  for (let round = 0; round < 6; round++) {
    for (let seed = 0; seed < 4; seed++) await rateMuch(server.client, 10 * round + seed, 50_000);
    const asked = server.client.createCheckpoint().catch((error) => error);
    await sleep(5 * round);
    const rated = rateMuch(server.client, 10 * round + 9);
    await rated;
    const state = await stateOf(server.client, NAMES);
    if (round % 2 === 0) assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.stderr);
    else await server.kill();
    await asked;
    await server.start();
    assert.deepEqual(await stateOf(server.client, NAMES), state, `round ${round}`);
  }
});

test('many ask at once, some give up: those that wait get one', async (t) => {
  const server = await start(t);
  for (let seed = 0; seed < 4; seed++) await rateMuch(server.client, seed, 50_000);
  const ask = (options?: object) =>
    server.client.call(ModelServiceService.createCheckpoint, CreateCheckpointRequest.fromPartial({}), options as never);
  const late = errorOf(ask({ deadline: Date.now() + 1 }));
  const many = await Promise.all(Array.from({ length: 8 }, () => ask()));
  await late;
  assert.equal(new Set(many.map(({ checkpoint }) => checkpoint?.name)).size, 1);
  const {
    accrete_checkpoint_revision: revision,
    accrete_checkpoint_bytes: bytes,
    accrete_checkpoint_age_seconds: age,
    accrete_checkpoint_duration_seconds_count: count,
    ...samples
  } = await samplesOf(server);
  assert.deepEqual([revision, bytes], [Number(many[0].checkpoint?.revision), Number(many[0].checkpoint?.bytes)]);
  assert(age >= 0 && age < 60 && count >= 1, `${age} s, ${count}`);
  assert.deepEqual(
    [samples['accrete_checkpoints_total saved'], samples['accrete_checkpoints_total failed']],
    [count, 0],
  );
});

test('models and features that come and go while one is written', async (t) => {
  const server = await start(t);
  for (let seed = 0; seed < 4; seed++) await rateMuch(server.client, seed, 50_000);
  const guest = LoadModelRequest.fromPartial({ name: 'guest', plugin: 'mf', config: { k: 4 } });
  await server.client.call(ModelServiceService.loadModel, guest);
  for (let round = 0; round < 4; round++) {
    const { client } = server;
    const saving = client.createCheckpoint();
    if (round % 2 === 0) await client.unloadModel('guest');
    else await client.call(ModelServiceService.loadModel, guest);
    for (let n = 0; n < 20; n++) {
      const title = `${round} ${'x'.repeat(50 * n)}`;
      await client.upsertItems([{ itemId: `item-${n}`, title, labels: [`l-${round}`] }]);
    }
    await rateMuch(client, 100 + round);
    await saving;
    const names = round % 2 === 0 ? NAMES : [...NAMES, 'guest'];
    const state = await stateOf(client, names);
    await server.kill();
    await server.start();
    assert.deepEqual(await stateOf(server.client, names), state, `round ${round}`);
  }
});

test('one that cannot be written changes nothing else; it can be written later', async (t) => {
  const server = await start(t);
  const { client } = server;
  const state = join(server.data, 'state');
  const inTheWay = () => {
    renameSync(state, `${state}-aside`);
    writeFileSync(state, 'in the way');
  };
  mkdirSync(state, { recursive: true });
  await rateMuch(client, 1);
  await client.createCheckpoint();
  inTheWay();
  await rateMuch(client, 2);
  const failure = await failureOf(client.createCheckpoint());
  assert.deepEqual([failure.code, failure.reason], ['UNAVAILABLE', 'CHECKPOINT_FAILED']);
  const said = (await server.said('a checkpoint failed; the journal has everything, and it is tried again')) as {
    reason?: string;
  };
  assert.equal(said.reason, 'CHECKPOINT_FAILED');
  await rateMuch(client, 3);
  assert.equal((await samplesOf(server))['accrete_checkpoints_total failed'], 1);
  rmSync(state);
  renameSync(`${state}-aside`, state);
  const { checkpoint } = await client.createCheckpoint();
  assert(checkpoint);
  const before = await stateOf(client, NAMES);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client, NAMES), before);
});

test('a full disk fails a checkpoint, not a rating', { skip: noSmallDisk }, async (t) => {
  const server = await start(t);
  const { client } = server;
  for (let seed = 0; seed < 4; seed++) await rateMuch(client, seed, 50_000);
  // Checkpoints have a disk of their own, too small for one.
  const disk = join(server.data, 'state');
  await onSmallDisk(disk, 2, async () => {
    for (let n = 0; n < 3; n++) {
      const failure = await failureOf(client.createCheckpoint());
      assert.deepEqual([failure.code, failure.reason], ['RESOURCE_EXHAUSTED', 'DISK_FULL']);
      await client.rate([rating('ann', `matrix-${n}`, 5)]);
    }
    assert((await client.recommend('ann', { includeSeen: true })).items.length > 0);
    assert.equal((await samplesOf(server))['accrete_checkpoints_total failed'], 3);
    enlarge(disk, 64);
    await client.createCheckpoint();
    const before = await stateOf(client, NAMES);
    await server.kill();
    await server.start();
    assert(((await server.said('ready')) as { checkpoint?: number }).checkpoint);
    assert.deepEqual(await stateOf(server.client, NAMES), before);
    await server.kill();
  });
});
