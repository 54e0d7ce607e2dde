import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelState } from '../../proto/gen/accrete/v1/model.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { errorOf } from '../support/status.ts';
import { Ledger } from './traffic/ledger.ts';
import { KINDS } from './traffic/reference.ts';
import { Traffic } from './traffic/traffic.ts';
import { settle, verifyState } from './traffic/verify.ts';

/** Plugins that throw, diverge or take the learner down while many clients stream. */

const poison = (userId: string) => [rating(userId, 'poison', 4, { weight: 10 })];

for (const name of ['throwing', 'failing']) {
  test(`a model of the plugin "${name}" is put in quarantine, the others go on`, { timeout: 120_000 }, async (t) => {
    const models = [...TEST_CONFIG.models, { name, plugin: pluginPath(name) }];
    const config = { ...TEST_CONFIG, kinds: KINDS, models };
    const server = await ServerProcess.start(t, config);
    const ledger = new Ledger(name);
    const traffic = new Traffic(server, ledger, randomNumbers(1));
    await sleep(200);
    const sent = ledger.send(poison('ann'));
    ledger.acknowledge(sent, await server.client.rate([...sent.ratings], { requestId: sent.requestId }));
    await sleep(200);
    await traffic.end();
    await settle(server.client, ledger);
    const { model } = await server.client.getModel(name);
    assert.equal(model?.state, ModelState.MODEL_STATE_END);
    assert.match(model?.stateReason ?? '', /quarantined/);
    assert.equal((await server.client.recommend('user-1')).model, 'mean');
    await verifyState(t, server.client, server.data, config);

    const before = await server.client.getModel(name);
    await server.kill();
    await server.start();
    assert.deepEqual(await server.client.getModel(name), before);
  });
}

test('a learner that dies takes nothing with it that was acknowledged', { timeout: 120_000 }, async (t) => {
  const config = { ...TEST_CONFIG, kinds: KINDS };
  const models = [...TEST_CONFIG.models, { name: 'fatal', plugin: pluginPath('fatal') }];
  const server = await ServerProcess.start(t, { ...config, models });
  const ledger = new Ledger('fatal');
  const traffic = new Traffic(server, ledger, randomNumbers(1), { dying: true });
  await sleep(300);
  const { requestId, ratings } = ledger.send(poison('ann'));
  await errorOf(server.client.rate([...ratings], { requestId }));
  assert.deepEqual(await server.exited, { code: 1, signal: null });
  await traffic.done;

  // The rating is on disk, so the model meets it again at every start, until it is taken out.
  server.spawn();
  assert.equal((await server.exited).code, 1);
  assert.match(server.stderr, /the learner thread ended/);
  server.configure(config);
  await server.start();
  const open = ledger.unknown.length;
  const there = await settle(server.client, ledger);
  t.diagnostic(`${ledger.acknowledgedCount} acknowledged, ${open} open of which ${there} were there`);
  assert(there > 0, 'the rating that the learner died of was not on disk');
  await verifyState(t, server.client, server.data, config);
});
