import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelChangeOutcome, ModelChangeRequester } from '../../proto/gen/accrete/v1/history.ts';
import type { Client } from '../support/client.ts';
import { Holds } from '../support/holds.ts';
import { historyGrows, historyOf, wordOf } from '../support/model-history.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { rateMany } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

/** Models that the server fuses by itself, which is killed between two of their periods and while one is fused. */

const holds = new Holds({ after });
const EVERY = { everyEvents: 1000 };
const better = { ...holds.model('better', { start: 0.5, gain: -0.05 }), fuse: EVERY };
const worse = { ...holds.model('worse', { gain: 0.5 }), fuse: EVERY };
/** A look and more. */
const QUIET_MS = 1500;

test('after every so many events one is made, and judged; a kill loses no part of the period', async (t) => {
  const config = { models: [...TEST_CONFIG.models, better, worse], metrics: { listen: '127.0.0.1:0' } };
  const server = await ServerProcess.start(t, config);
  await rateMany(server.client, 0, 900);
  await sleep(QUIET_MS);
  assert.deepEqual(await outlinesOf(server.client, 'better'), []);
  // Both are due at once: there is too little to judge by.
  await rateMany(server.client, 900, 1000);
  await historyGrows(server.client, 'better', 1);
  await historyGrows(server.client, 'worse', 1);
  assert.deepEqual(await outlinesOf(server.client, 'better'), ['PERIOD FAILED 1>']);
  assert.match((await historyOf(server.client, 'worse'))[0].reason, /wait for more ratings/);
  await rateMany(server.client, 1000, 1700);
  const told = await outlinesOf(server.client, 'better');
  await server.kill();
  await server.start();
  await sleep(QUIET_MS);
  assert.deepEqual(await outlinesOf(server.client, 'better'), told, 'a start is no reason for a Fuse');
  // It is killed while it makes a candidate, and makes that one after the start.
  holds.shut('refit');
  await rateMany(server.client, 1700, 2200);
  const before = (await server.client.getModel('worse')).hashes?.tables;
  await holds.held('refit');
  await server.kill();
  holds.open('refit');
  await server.start();
  await historyGrows(server.client, 'better', 2);
  await historyGrows(server.client, 'worse', 2);
  assert.deepEqual(await outlinesOf(server.client, 'better'), ['PERIOD PROMOTED 1>2', 'PERIOD FAILED 1>']);
  assert.deepEqual(await outlinesOf(server.client, 'worse'), ['PERIOD REFUSED 1>', 'PERIOD FAILED 1>']);
  const { model, hashes } = await server.client.getModel('worse');
  assert.deepEqual([model?.version, hashes?.tables], ['1', before], 'the model is as it was');
  // Whoever asks for one begins the period anew.
  await rateMany(server.client, 2200, 3100);
  await server.client.fuse({ model: 'worse', validateOnly: true });
  await server.client.fuse({ model: 'worse' });
  await rateMany(server.client, 3100, 3300);
  await historyGrows(server.client, 'better', 3);
  const [called, ...others] = await outlinesOf(server.client, 'worse');
  assert.deepEqual([called.split(' ')[0], others.length], ['CALL', 2]);
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  const counted = samples.find(({ name, labels }) => name === 'accrete_fuse_total' && labels.by === 'period');
  assert.equal(counted?.labels.strategy, 'REFIT');
  const passed = samples.filter(({ name }) => name === 'accrete_fuse_period_passed');
  assert.deepEqual(passed.map(({ labels }) => labels.model).sort(), ['better', 'worse']);
  assert.ok(passed.every(({ value }) => value < 1));
});

async function outlinesOf(client: Client, name: string): Promise<string[]> {
  return (await historyOf(client, name)).map(({ requester, outcome, previousVersion, version }) => {
    const words = [wordOf(ModelChangeRequester, requester), wordOf(ModelChangeOutcome, outcome)];
    return `${words.join(' ')} ${previousVersion}>${version}`;
  });
}
