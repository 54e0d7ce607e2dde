import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stateOf } from '../support/checkpoints.ts';
import type { Client } from '../support/client.ts';
import { leftOut } from '../support/long.ts';
import { randomNumbers, rating, retraction } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import type { makeFolder } from '../support/temporary-folder.ts';

/** A start from a checkpoint comes to the same bytes as one that learns the whole journal. */

const config = {
  models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 8 } }],
  kinds: { click: {}, buy: { weight: 2, hides: true } },
  evaluation: { rankEvery: 20, window: 300 },
};
const NAMES = ['mean', 'popularity', 'mf'];

test('checkpoints beside a stream, a kill, and a start: equal to a clean replay, for every model', {
  skip: leftOut,
}, async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  const names: string[] = [];
  let isOver = false;
  const saving = (async () => {
    while (!isOver) names.push((await client.createCheckpoint()).checkpoint?.name ?? '');
  })();
  for (let seed = 0; seed < 40; seed++) await callMuch(client, seed);
  isOver = true;
  await saving;
  assert.ok(new Set(names).size > 3, `${new Set(names).size} checkpoints`);
  // And something after the last one.
  await callMuch(client, 40);
  const before = await stateOf(client, NAMES);
  await server.kill();
  const replayed = await replayOf(t, server.data);
  assert.deepEqual(replayed, before);
  // As a kill inside a checkpoint leaves it.
  const draft = join(server.data, 'state', '00000000000000099999.mdb.new');
  writeFileSync(draft, 'half a checkpoint');
  await server.start();
  assert.equal(existsSync(draft), false, 'what was not finished is there after a start');
  assert.ok(((await server.said('ready')) as { checkpoint?: number }).checkpoint, 'the start began from a checkpoint');
  assert.deepEqual(await stateOf(server.client, NAMES), before);
});

/** What a server that has the journal alone comes to. */
async function replayOf(t: Parameters<typeof makeFolder>[0], data: string) {
  const server = await TestServer.start(t, config);
  await server.stop();
  rmSync(server.data, { recursive: true });
  cpSync(data, server.data, { recursive: true, filter: (path) => !path.endsWith('state') });
  await server.restart();
  return stateOf(server.client, NAMES);
}

async function callMuch(client: Client, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  const draw = (count: number) => Math.floor(random() * count);
  const item = () => `item-${draw(300)}`;
  const user = () => `user-${draw(100)}`;
  const calls: (() => Promise<unknown>)[] = [
    () => client.rate(Array.from({ length: 200 }, () => rating(user(), item(), 1 + draw(5)))),
    () => client.rate(Array.from({ length: 30 }, () => retraction(user(), item()))),
    () =>
      client.rate(
        Array.from({ length: 50 }, () => rating(user(), item(), undefined, { kind: ['click', 'buy'][draw(2)] })),
      ),
    () => client.upsertItems([{ itemId: item(), labels: [`l-${draw(40)}`], title: 'x'.repeat(draw(1000)) }]),
    () => client.upsertUsers([{ userId: user(), attributes: { age: draw(90) } }]),
    () => client.deleteItems([item()]),
  ];
  for (let n = 0; n < 12; n++) await calls[draw(calls.length)]();
}
