import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  type ModelChange,
  ModelChangeKind,
  ModelChangeOutcome,
  ModelChangeRequester,
} from '../../proto/gen/accrete/v1/history.ts';
import { Holds } from '../support/holds.ts';
import { leftOut } from '../support/long.ts';
import { historyOf, wordOf } from '../support/model-history.ts';
import { rateMany } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** What was done with a model, and what was tried, is told by GetModel, and outlives the server. */

const holds = new Holds({ after });
const config = {
  models: [
    ...TEST_CONFIG.models,
    holds.model('better', { start: 0.5, gain: -0.5 }),
    holds.model('worse', { gain: 0.5 }),
  ],
};

test('changes are told with what they were decided by, the latest first, also after a kill', {
  skip: leftOut,
}, async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await rateMany(client, 0, 2000);
  assert.deepEqual(await historyOf(client, 'better'), []);
  const { result } = await client.fuse({ model: 'better' });
  const tables = (await client.getModel('worse')).hashes?.tables;
  await client.fuse({ model: 'worse' });
  assert.equal((await client.getModel('worse')).hashes?.tables, tables);
  await client.fuse({ model: 'worse', validateOnly: true });
  await failureOf(client.fuse({ model: 'worse', guard: { windowEvents: 50_000 } }));
  await client.rollbackModel('better');

  const [refused, ...none] = await historyOf(client, 'worse');
  assert.deepEqual(none, [], 'what was only asked, or failed for who called, is no change');
  assert.deepEqual(outlineOf(refused), ['FUSE', 'REFUSED', 'CALL', '1', '', 2000n]);
  assert.equal(refused.decision?.passed, false);
  assert.match(refused.reason, /^The candidate is worse/);
  assert((refused.after?.value ?? 0) > (refused.before?.value ?? 9));

  const [back, fused] = await historyOf(client, 'better');
  assert.deepEqual(outlineOf(back), ['ROLLBACK', 'PROMOTED', 'CALL', '2', '1', 2000n]);
  assert.equal(back.decision, undefined);
  assert.deepEqual(outlineOf(fused), ['FUSE', 'PROMOTED', 'CALL', '1', '2', 2000n]);
  assert.deepEqual([fused.revision, fused.decision?.reason], [result.revision, result.decision?.reason]);
  const [before, after_] = [result.before, result.after].map((rows) => rows.find(({ metric }) => metric === 'rmse'));
  assert.deepEqual([fused.before, fused.after, fused.decision], [before, after_, result.decision]);

  const told = [await historyOf(client, 'better'), await historyOf(client, 'worse')];
  for (const hasCheckpoints of [true, false]) {
    if (hasCheckpoints) await client.createCheckpoint();
    await server.kill();
    if (!hasCheckpoints) removeCheckpoints(server.data);
    await server.start();
    assert.deepEqual([await historyOf(server.client, 'better'), await historyOf(server.client, 'worse')], told);
  }
});

function outlineOf({ kind, outcome, requester, previousVersion, version, learnedCount }: ModelChange) {
  const words = [wordOf(ModelChangeKind, kind), wordOf(ModelChangeOutcome, outcome)];
  return [...words, wordOf(ModelChangeRequester, requester), previousVersion, version, learnedCount];
}
