import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvaluateRequest, EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { ExportRatingsRequest, UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { createServer } from '../../server/server.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { randomNumbers, rating, retraction } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** A journal of which only the end is kept. */

const config = {
  journal: { linkMiB: 1, keepMiB: 1 },
  kinds: { click: {}, buy: { weight: 2, hides: true } },
  evaluation: { rankEvery: 20, window: 300 },
};
const mf = { name: 'mf', plugin: 'mf', config: { k: 4, replay: { count: 2 } } };
const counts = { name: 'counts', plugin: 'popularity' };

const firstOf = (data: string) =>
  Number(
    readdirSync(join(data, 'journal'))
      .filter((name) => name.endsWith('.mdb'))
      .sort()[0]
      .slice(0, 20),
  );

const load = (client: Client, model: Partial<LoadModelRequest>) =>
  client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(model));

async function learn(client: Client, seed: number, batches = 2): Promise<void> {
  const random = randomNumbers(seed);
  const draw = (count: number) => Math.floor(random() * count);
  for (let n = 0; n < batches; n++) {
    const ratings = Array.from({ length: 1000 }, () => {
      const [user, item] = [`user-${draw(200)}`, `item-${draw(300)}`];
      if (draw(30) === 0) return retraction(user, item);
      const kind = ['', '', '', 'click', 'buy'][draw(5)];
      return rating(user, item, kind === 'click' ? undefined : 1 + draw(5), { kind, recommendationId: 'x'.repeat(64) });
    });
    await client.rate(ratings);
    await client.upsertItems([{ itemId: `item-${draw(300)}`, labels: [`l-${draw(9)}`] }]);
  }
}

/** A store whose journal begins later, which a server has left. */
const template = join(makeFolder({ after }), 'data');
{
  const server = await TestServer.start({ after }, { ...config, data: template });
  for (let n = 0; n < 30 && firstOf(template) === 1; n++) {
    await learn(server.client, n, 4);
    await server.client.createCheckpoint();
    await sleep(50);
  }
  await server.stop();
}
const first = firstOf(template);
assert.ok(first > 1, 'nothing was dropped');

/** A copy of it. */
function dataFor(t: TestContext): string {
  const data = join(makeFolder(t), 'data');
  cpSync(template, data, { recursive: true });
  return data;
}

async function stateOf(client: Client, names = ['mean', 'popularity']) {
  const states = await Promise.all(names.map((name) => client.getModel(name)));
  return states.map(({ hash, hashes, model }) => ({ hash, hashes, exact: model?.exactFromRevision }));
}

test('old records go, the state stays, and what asks for them is told', async (t) => {
  const server = await TestServer.start(t, { ...config, data: dataFor(t) });
  await learn(server.client, 100);
  const before = await stateOf(server.client);
  await server.restart();
  assert.deepEqual(await stateOf(server.client), before);

  const range = ExportRatingsRequest.fromPartial({ firstRevision: '00000000000000000001' });
  const gone = await failureOf(server.client.collect(UserServiceService.exportRatings, range));
  assert.deepEqual([gone.code, gone.reason], ['OUT_OF_RANGE', 'REVISION_GONE']);
  assert.deepEqual(gone.metadata, { first_revision: String(first).padStart(20, '0') });
  assert.match(gone.message, /Ask from there on/);
  const all = await server.client.collect(UserServiceService.exportRatings, ExportRatingsRequest.create());
  const batch = all.map(({ event }) => event).find((event) => event?.$case === 'batch');
  assert.ok(Number(batch?.value.revision) >= first);
  // What is left is replayed.
  const more = { protocol: EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT, models: ['mean'] };
  assert.ok((await server.client.evaluate(EvaluateRequest.fromPartial(more))).rows.length > 0);
  const early = EvaluateRequest.fromPartial({ ...more, window: range });
  assert.equal((await failureOf(server.client.evaluate(early))).reason, 'REVISION_GONE');
});

test('a model that is loaded later begins with what is live, and a restart comes to the same', {
  skip: leftOut,
}, async (t) => {
  const server = await ServerProcess.start(t, { ...config, data: dataFor(t) });
  await learn(server.client, 200);
  const loading = load(server.client, mf);
  await learn(server.client, 300);
  const { model } = await loading;
  assert.ok(Number(model?.exactFromRevision) > 1, model?.exactFromRevision);
  await load(server.client, counts);
  await learn(server.client, 400);
  const names = ['mean', 'popularity', 'mf', 'counts'];
  const before = await stateOf(server.client, names);
  assert.notEqual(before[2].exact, before[0].exact);
  const learned = Number((await server.client.getModel('mf')).model?.learnedCount);
  assert.ok(learned > 1000, String(learned));
  // From a checkpoint that has them.
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client, names), before);
});

test('a model that is in no checkpoint yet begins again where it began', { skip: leftOut }, async (t) => {
  const data = dataFor(t);
  const server = await ServerProcess.start(t, { ...config, data });
  const { client } = server;
  await learn(client, 1);
  // What a kill just before the first checkpoint with the model leaves: the checkpoints from before the load.
  const copy = join(makeFolder(t), 'state');
  await client.createCheckpoint();
  cpSync(join(data, 'state'), copy, { recursive: true });
  await load(client, mf);
  await learn(client, 2);
  const names = ['mean', 'mf'];
  const before = await stateOf(client, names);
  await server.kill();
  rmSync(join(data, 'state'), { recursive: true });
  cpSync(copy, join(data, 'state'), { recursive: true });
  await server.start();
  assert.deepEqual(await stateOf(server.client, names), before);
});

const cutOff = (path: string) => truncateSync(path, statSync(path).size / 2);

/** A bit in each page. */
function flip(path: string): void {
  const bytes = readFileSync(path);
  for (let at = 2048; at < bytes.length; at += 4096) bytes[at] ^= 1;
  writeFileSync(path, bytes);
}

test('without a checkpoint that covers what is gone a start ends with what to do', async (t) => {
  const data = dataFor(t);
  const state = join(data, 'state');
  const start = async (more = {}) => {
    const other = createServer({ ...TEST_CONFIG, ...config, data, ...more });
    try {
      await other.start();
      await Promise.race([other.ready, other.failed.then((error) => Promise.reject(error))]);
    } finally {
      await other.stop();
    }
  };
  await assert.rejects(start({ evaluation: { rankEvery: 7, window: 300 } }), /evaluation\.window .* set them back/);
  const intact = join(makeFolder(t), 'state');
  cpSync(state, intact, { recursive: true });
  const files = readdirSync(state).filter((name) => name.endsWith('.mdb'));
  for (const damage of [cutOff, flip]) {
    for (const name of files) damage(join(state, name));
    const spoilt = readdirSync(state);
    await assert.rejects(start(), (error: { reason?: string; message: string }) => {
      assert.equal(error.reason, 'STORE_DAMAGED');
      assert.match(error.message, /begins at revision \d+, and no checkpoint in .*state .*restore that folder/);
      return true;
    });
    assert.deepEqual(readdirSync(state), spoilt, 'nothing is changed');
    cpSync(intact, state, { recursive: true });
  }
  await start();
});

test('a start with a new model in its configuration teaches it what is live', async (t) => {
  const server = await TestServer.start(t, { ...config, data: dataFor(t) });
  const [mean] = await stateOf(server.client, ['mean']);
  await server.restart({ models: [...TEST_CONFIG.models, mf] });
  const [same, begun] = await stateOf(server.client, ['mean', 'mf']);
  assert.equal(same.hashes?.tables, mean.hashes?.tables);
  assert.ok(Number(begun.exact) > 1);
  await server.restart();
  assert.deepEqual(await stateOf(server.client, ['mean', 'mf']), [same, begun]);
});
