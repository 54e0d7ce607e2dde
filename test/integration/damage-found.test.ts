import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { createServer } from '../../server/server.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import type { Scope } from '../support/temporary-folder.ts';
import { within } from '../support/within.ts';

/** Damage in a part of the journal that a start need not learn, since a checkpoint has it. */

const NOT_SERVING = 2;
const SECOND_ITEM = `item-2`.padEnd(250, '-');

/** A stopped server with a checkpoint of all, whose second record is damaged. */
async function makeDamaged(t: Scope, batches: number, config: ConfigInput): Promise<TestServer> {
  const server = await TestServer.start(t, config);
  for (let n = 1; n <= batches; n++) {
    const itemId = `item-${n}`.padEnd(250, '-');
    await server.client.rate(Array.from({ length: 100 }, (_, user) => rating(`user-${user}`, itemId, 1 + (user % 5))));
  }
  await server.stop();
  const [name] = readdirSync(join(server.data, 'journal')).filter((each) => each.endsWith('.mdb'));
  const path = join(server.data, 'journal', name);
  const text = readFileSync(path, 'latin1').replaceAll(SECOND_ITEM, `${SECOND_ITEM.slice(0, -1)}+`);
  writeFileSync(path, Buffer.from(text, 'latin1'));
  return server;
}

async function refusalOf(data: string, config: ConfigInput): Promise<string> {
  const server = createServer({ ...TEST_CONFIG, ...config, data });
  await server.start();
  const refused = server.ready.then(
    () => assert.fail('it started'),
    (error) => error,
  );
  const { reason, message } = await refused.finally(() => server.stop());
  assert.equal(reason, 'STORE_DAMAGED');
  return message;
}

async function untilFound(server: TestServer): Promise<void> {
  for (;;) {
    const text = await (await fetch(server.url('/metrics'))).text();
    if (parseMetrics(text).some(({ name, value }) => name === 'accrete_journal_damaged' && value === 1)) return;
    await sleep(20);
  }
}

test('in a small journal it stops the start, unless nobody is to look', async (t) => {
  const server = await makeDamaged(t, 4, {});
  const message = await refusalOf(server.data, {});
  assert.match(
    message,
    /^revision 3 of the journal is damaged: .*\. Without a backup: accrete doctor --repair would keep /,
  );
  await server.restart({ journal: { checkMiBPerSecond: 0 } });
  await server.client.rate([rating('ann', 'matrix', 5)]);
});

test('in a large one it is found beside the stream: no more is taken, and the next start refuses', async (t) => {
  const config = { journal: { linkMiB: 1, checkMiBPerSecond: 1 }, metrics: { listen: '127.0.0.1:0' } };
  const server = await makeDamaged(t, 120, config);
  await server.restart();
  const { client } = server;
  await within(20_000, 'that the damage is found', untilFound(server));
  const told = await failureOf(client.rate([rating('ann', 'matrix', 5)]));
  assert.deepEqual([told.code, told.reason], ['DATA_LOSS', 'STORE_DAMAGED']);
  assert.match(
    told.message,
    /^revision 3 of the journal is damaged: .*\. Without a backup: accrete doctor --repair would keep /,
  );
  assert.equal((await failureOf(client.putScenario({ name: 'front' }))).reason, 'STORE_DAMAGED');
  const health = await client.call(HealthService.check, { service: 'accrete.write' });
  assert.equal(health.status, NOT_SERVING);
  assert.equal((await client.recommend('user-1')).model, 'mean');
  await server.stop();
  assert.equal(await refusalOf(server.data, config), told.message);

  // Put right again: the start reads all of it, and goes on.
  const [name] = readdirSync(join(server.data, 'journal')).filter((each) => each.endsWith('.mdb'));
  const path = join(server.data, 'journal', name);
  const text = readFileSync(path, 'latin1').replaceAll(`${SECOND_ITEM.slice(0, -1)}+`, SECOND_ITEM);
  writeFileSync(path, Buffer.from(text, 'latin1'));
  assert(existsSync(join(server.data, 'journal', 'damaged')));
  await server.restart();
  assert(!existsSync(join(server.data, 'journal', 'damaged')));
  await server.client.rate([rating('ann', 'matrix', 5)]);
});
