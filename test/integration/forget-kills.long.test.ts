import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { searchFiles } from '../support/byte-search.ts';
import type { Client } from '../support/client.ts';
import { type Fault, FaultyServer } from '../support/faulty-server.ts';
import { GONE, learnOthers, learnThem, othersOf, tracesIn, untilGone } from '../support/forgotten.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

/** Killed at any step of forgetting someone, the next start finishes it by itself. */

const config = {
  models: [TEST_CONFIG.models[0]],
  kinds: { click: {} },
  journal: { linkMiB: 1 },
};

const LINK = 'journal/\\d+\\.mdb$';
const CHECKPOINT = 'state/\\d+\\.mdb$';
const NOTE = 'forgetting/.*json$';

const STEPS: Readonly<Record<string, Omit<Fault, 'flag'>>> = {
  'the note is written': { thread: 'main', function: 'rename', path: NOTE, after: true },
  'after the record': { thread: 'learner', function: 'writeFile', path: 'journal/\\d+\\.mdb\\.new$' },
  'before the checkpoint is there': { thread: 'checkpoint', function: 'rename', path: CHECKPOINT },
  'earlier checkpoints are still there': { thread: 'checkpoint', function: 'rmSync', path: CHECKPOINT },
  'before the journal is written anew': { thread: 'purge', function: 'rename', path: LINK },
  'between its files': { thread: 'purge', function: 'rename', path: LINK, after: true },
  'before the note is removed': { thread: 'main', function: 'rmSync', path: NOTE },
};

for (const [name, fault] of Object.entries(STEPS)) {
  test(`killed: ${name}`, async (t) => {
    const faulty = await FaultyServer.start(t, config, fault);
    const { server } = faulty;
    await learnThem(server.client);
    const before = await othersOf(server.client);
    faulty.arm();
    await assert.rejects(server.client.forgetUser(GONE));
    await server.exited;
    assert.ok(faulty.wasHit, 'it was killed elsewhere');
    assert.notDeepEqual(tracesIn(server.data), []);
    await server.start();
    await untilGone(server.data);
    assert.deepEqual(await othersOf(server.client), before);
    assert.deepEqual((await server.client.forgetUser(GONE)).removals, []);
    await expectEqualRows(server.client);
    assert.deepEqual(tracesIn(server.data), []);
  });
}

/** A model that learns the journal from the first record on gets the rows that all others have. */
async function expectEqualRows(client: Client): Promise<void> {
  const late = { name: 'late', plugin: pluginPath('mean') };
  await client.call(ModelServiceService.loadModel, LoadModelRequest.fromPartial(late));
  assert.deepEqual(await rankedBy(client, 'late'), await rankedBy(client, 'mean'));
}

/** Equal scores stand in the order of their rows. */
async function rankedBy(client: Client, model: string): Promise<string[]> {
  const { items } = await client.recommend('user-3', { model, pageSize: 1000, includeSeen: true });
  return items.map(({ itemId }) => itemId);
}

test('killed while ratings are taken back; who came back after the record stays', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  const many = Array.from({ length: 20_000 }, (_, n) => rating(GONE, `item-${n}`, 3));
  for (let from = 0; from < many.length; from += 5000) await client.rate(many.slice(from, from + 5000));
  const countOf = async () => Number((await client.getUser(GONE)).ratingCount);
  const forgetting = assert.rejects(client.forgetUser(GONE));
  for (let count = await countOf(); count > 19_900; ) count = await countOf();
  assert.ok((await countOf()) > 0, 'some are left');
  await server.kill();
  await forgetting;
  await server.start();
  await untilGone(server.data);
  await server.client.rate([rating(GONE, 'item-1', 2)]);
  await server.kill();
  await server.start();
  assert.equal((await server.client.listRatings(GONE)).ratings.length, 1);
});

test('killed between two who are forgotten together: one has the record, the other has not', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  const both = ['gone-first-of-two', 'gone-second-of-two'];
  await learnOthers(client, 1, 5);
  await client.rate(Array.from({ length: 500 }, (_, n) => rating(both[0], `item-${n}`, 3)));
  for (let from = 0; from < 10_000; from += 5000)
    await client.rate(Array.from({ length: 5000 }, (_, n) => rating(both[1], `item-${from + n}`, 3)));
  const before = await othersOf(client);
  const isKnown = (user: string) =>
    client.getUser(user).then(
      () => true,
      () => false,
    );
  // Asked for while another one is being forgotten: they are begun together.
  const asked = Promise.allSettled(['user-199', ...both].map((user) => client.forgetUser(user)));
  while (await isKnown(both[0])) await sleep(5);
  assert.ok(await isKnown(both[1]));
  await server.kill();
  const outcomes = (await asked).slice(1);
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  const left = () => searchFiles(server.data, ['-of-two']);
  assert.notDeepEqual(left(), []);
  await server.start();
  for (let n = 0; left().length > 0 && n < 1200; n++) await sleep(100);
  assert.deepEqual(left(), []);
  for (const user of both) assert.deepEqual((await server.client.forgetUser(user)).removals, []);
  assert.deepEqual(await othersOf(server.client), before);
  await expectEqualRows(server.client);
});
