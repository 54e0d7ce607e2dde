import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TEST_CONFIG } from '../test/support/server.ts';
import { makeFolder, type Scope } from '../test/support/temporary-folder.ts';
import { parseConfig } from './config/load.ts';
import { composeServer, RINGS } from './container/server.ts';
import { ARENA } from './container/shared.ts';
import type { LearnerNews } from './exchange/messages.ts';
import { LearnerHandle } from './learner-handle.ts';
import { createLog } from './telemetry/log.ts';

test('hashes of a model that is gone are refused, and the learner goes on', async (t) => {
  const { learner, heard } = await begin(t);
  await assert.rejects(learner.hashes('gone'), { reason: 'MODEL_NOT_FOUND', metadata: { model: 'gone' } });
  assert.match((await learner.hashes('mean')).all, /^[0-9a-f]{16}$/);
  await learner.stop(1000);
  assert.deepEqual(heard, ['ready', 'stopped']);
});

test('hashes that are asked for at once are made once, after those that are being made', async (t) => {
  const { learner } = await begin(t);
  const first = learner.hashes('mean');
  await new Promise(setImmediate);
  const answers = await Promise.all([first, ...Array.from({ length: 20 }, () => learner.hashes('mean'))]);
  assert.equal(new Set(answers).size, 2);
  assert.notEqual(await learner.hashes('mean'), answers[1]);
  const late = Promise.all(['mean', 'popularity'].map((model) => learner.hashes(model)));
  await learner.stop(1000);
  await late;
  await assert.rejects(learner.hashes('mean'), { reason: 'DRAINING' });
});

async function begin(scope: Scope) {
  const { config } = parseConfig({ ...TEST_CONFIG, data: makeFolder(scope) });
  const container = composeServer(config, createLog('silent'), { readersOf: () => [] }, '');
  const { memory } = container.get(ARENA);
  const heard: LearnerNews['type'][] = [];
  const ready = Promise.withResolvers<void>();
  const learner = new LearnerHandle({ config, memory, rings: container.get(RINGS), explicit: [] }, ({ type }) => {
    if (type === 'phase') return;
    heard.push(type);
    ready.resolve();
  });
  await ready.promise;
  return { learner, heard };
}
