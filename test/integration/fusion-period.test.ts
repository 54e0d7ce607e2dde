import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DeepPartial, type FuseSource, FuseStrategy, type FusionPeriod } from '../../proto/gen/accrete/v1/fuse.ts';
import { ModelChangeOutcome, ModelChangeRequester } from '../../proto/gen/accrete/v1/history.ts';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { createServer } from '../../server/server.ts';
import { Holds } from '../support/holds.ts';
import { leftOut } from '../support/long.ts';
import { historyGrows, historyOf } from '../support/model-history.ts';
import { rateMany } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Models that the server fuses by itself, when they have learned so much or so much time has passed. */

const holds = new Holds({ after });
const better = holds.model('better', { start: 0.5, gain: -0.05 });
/** A look and more. */
const QUIET_MS = 1500;

test('a period comes with LoadModel and with the configuration, changes and ends, and costs no version', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t);
  await rateMany(server.client, 0, 2000);
  const { name, plugin, config } = better;
  const load = (more: { fusePeriod?: DeepPartial<FusionPeriod> }) =>
    server.client.call(
      ModelServiceService.loadModel,
      LoadModelRequest.fromPartial({ name, plugin, config, ...more } as object),
    );
  await load({});
  assert.equal((await server.client.getModel(name)).model?.fusePeriod, undefined);
  const guard = { margin: 0.1, windowEvents: 1000, metric: 'mae' };
  await load({ fusePeriod: { every: { seconds: 1n }, guard } });
  await historyGrows(server.client, name, 1);
  const [first] = await historyOf(server.client, name);
  assert.equal(first.before?.metric, 'mae');
  assert.equal(first.requester, ModelChangeRequester.MODEL_CHANGE_REQUESTER_PERIOD);
  // Nothing was learned since.
  await sleep(QUIET_MS);
  assert.equal((await historyOf(server.client, name)).length, 1);
  await load({ fusePeriod: { everyEvents: 5000n } });
  await server.restart();
  const { model } = await server.client.getModel(name);
  assert.deepEqual([model?.fusePeriod?.everyEvents, model?.fusePeriod?.every, model?.version], [5000n, undefined, '2']);
  await load({ fusePeriod: {} });
  await rateMany(server.client, 2000, 2200);
  assert.equal((await server.client.getModel(name)).model?.fusePeriod, undefined);
  assert.equal((await historyOf(server.client, name)).length, 1);
  // A source that is gone by then is told, once a period.
  const sources: FuseSource[] = [{ source: { $case: 'model', value: 'gone' } }];
  const strategy = FuseStrategy.FUSE_STRATEGY_BLEND;
  const gone = LoadModelRequest.fromPartial({ ...better, name: 'gone' } as object);
  await server.client.call(ModelServiceService.loadModel, gone);
  await load({ fusePeriod: { every: { seconds: 1n }, strategy, sources } });
  await server.client.unloadModel('gone');
  await rateMany(server.client, 2200, 2300);
  await historyGrows(server.client, name, 2);
  const [{ reason, outcome, ...how }] = await historyOf(server.client, name);
  assert.equal(outcome, ModelChangeOutcome.MODEL_CHANGE_OUTCOME_FAILED);
  assert.match(reason, /There is no model "gone"/);
  assert.deepEqual([how.sources, how.strategy, how.version], [['gone'], strategy, '']);
});

test('another period in the configuration is another period, and no other model', async (t) => {
  const models = (more: object) => ({ models: [...TEST_CONFIG.models, { ...better, ...more }] });
  const server = await TestServer.start(t, models({}));
  await rateMany(server.client, 0, 2000);
  await server.client.fuse({ model: 'better' });
  const before = await server.client.getModel('better');
  await server.restart(models({ fuse: { everySeconds: 100_000 } }));
  const after = await server.client.getModel('better');
  assert.deepEqual([after.hashes, after.model?.version], [before.hashes, '2']);
  assert.equal(after.model?.fusePeriod?.every?.seconds, 100_000n);
  await server.restart(models({}));
  assert.equal((await server.client.getModel('better')).model?.fusePeriod, undefined);
});

test('bad periods are refused, with what to do', async (t) => {
  const { client } = await TestServer.start(t);
  const { name, plugin, config } = better;
  const source = { source: { $case: 'model', value: 'mean' } } as const;
  for (const [fusePeriod, reason, field] of [
    [{ everyEvents: 999n }, 'INVALID_FIELD', 'fuse_period.every_events'],
    [{ everyEvents: -1n }, 'INVALID_FIELD', 'fuse_period.every_events'],
    [{ every: { seconds: 0n } }, 'INVALID_FIELD', 'fuse_period.every'],
    [{ every: { seconds: 1n, nanos: 5 } }, 'INVALID_FIELD', 'fuse_period.every'],
    [{ everyEvents: 1000n, sources: [source] }, 'INVALID_FIELD', 'fuse_period.sources'],
    [{ everyEvents: 1000n, guard: { margin: 2 } }, 'INVALID_FIELD', 'fuse_period.guard.margin'],
    [
      { everyEvents: 1000n, strategy: FuseStrategy.FUSE_STRATEGY_AVERAGE, sources: [source] },
      'CAPABILITY_MISSING',
      undefined,
    ],
    [
      {
        everyEvents: 1000n,
        strategy: FuseStrategy.FUSE_STRATEGY_BLEND,
        sources: [{ source: { $case: 'model', value: name } }],
      },
      'INVALID_FIELD',
      'fuse_period.sources[0].model',
    ],
    [
      {
        everyEvents: 1000n,
        strategy: FuseStrategy.FUSE_STRATEGY_BLEND,
        sources: [source, { source: { $case: 'model', value: 'gone' } }],
      },
      'MODEL_NOT_FOUND',
      undefined,
    ],
  ] as const) {
    const request = LoadModelRequest.fromPartial({ name, plugin, config, fusePeriod } as object);
    const failure = await failureOf(client.call(ModelServiceService.loadModel, request));
    assert.deepEqual([failure.reason, Object.keys(failure.fields)[0]], [reason, field]);
  }
  const strategy = FuseStrategy.FUSE_STRATEGY_BLEND;
  const fusePeriod = { everyEvents: 1000n, strategy, sources: [source] };
  const mute = LoadModelRequest.fromPartial({ name, plugin: 'popularity', fusePeriod });
  const { message } = await failureOf(client.call(ModelServiceService.loadModel, mute));
  assert.match(message, /takes no BLEND, since it expects no ratings.*it takes COUNTS/);
  const missing = await failureOf(client.getModel(name));
  assert.equal(missing.reason, 'MODEL_NOT_FOUND');
  for (const [fuse, message] of [
    [{}, /it takes `everyEvents`, `everySeconds` or both/],
    [{ everyEvents: 1000, sources: ['mean'] }, /it takes `sources` for every strategy but `refit`/],
    [{ everyEvents: 1000, strategy: 'magic', sources: ['mean'] }, /one of `refit`, `average`/],
    [{ everyEvents: 1000, metric: 'beauty' }, /models\[2\]\.fuse cannot be: .*beauty/],
    [
      { everyEvents: 1000, strategy: 'average', sources: ['mean'] },
      /models\[2\]\.fuse cannot be: .*takes REFIT, BLEND/,
    ],
  ] as const) {
    const models = [...TEST_CONFIG.models, { ...better, fuse }];
    await assert.rejects(
      async () => createServer({ ...TEST_CONFIG, models } as unknown as ConfigInput).start(),
      (error: Error) => message.test(error.message),
    );
  }
});
