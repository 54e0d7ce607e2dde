import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { ModelChangeKind, ModelChangeOutcome } from '../../proto/gen/accrete/v1/history.ts';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { TuneResult } from '../../proto/gen/accrete/v1/tuning.ts';
import { TuneModelRequest } from '../../proto/gen/accrete/v1/tuning.ts';
import { CuttableClient } from '../support/cuttable.ts';
import { Holds, holdingRating } from '../support/holds.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf, readFailure } from '../support/status.ts';

/** What TuneModel refuses, leaves off, and what changes nothing. */

const holds = new Holds({ after });
const tunable = (name: string, config: Record<string, unknown>) => ({ name, plugin: pluginPath('tunable'), config });
const models = [
  ...TEST_CONFIG.models,
  tunable('best', { shift: 0 }),
  tunable('off', { shift: 1 }),
  holds.model('held', { start: 1 }),
];
// Smaller than what one candidate takes that does not fit.
const server = await TestServer.start({ after }, { models, jobs: { memoryMiB: 64 }, evaluation: { rankEvery: 7 } });
const { client } = server;
type Asked = Parameters<typeof client.tune>[0];

const settingsOf = ({ candidates }: TuneResult, name: string) => candidates.map(({ config }) => config?.[name]);

test('before there is enough to search by, nothing is tried', async () => {
  for (const count of [0, 1000]) {
    if (count > 0) await client.rate(manyRatings(count));
    const failure = await failureOf(client.tune({ name: 'off' }));
    assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'TOO_FEW_EVENTS']);
    assert.match(failure.message, /wait for more ratings/);
  }
  for (let from = 1000; from < 3000; from += 100) await client.rate(manyRatings(100, { from }));
});

test('bad fields are named', async () => {
  const cases: [Asked, string][] = [
    [{ name: '' }, 'name'],
    [{ name: 'off', candidates: 257 }, 'candidates'],
    [{ name: 'off', candidates: -1 }, 'candidates'],
    [{ name: 'off', windowEvents: 999 }, 'window_events'],
    [{ name: 'off', windowEvents: 1_000_001 }, 'window_events'],
    [{ name: 'off', metric: 'beauty' }, 'metric'],
    [{ name: 'off', guard: { metric: 'beauty' } }, 'guard.metric'],
    [{ name: 'off', guard: { margin: 1.5 } }, 'guard.margin'],
    [{ name: 'off', guard: { windowEvents: 999 } }, 'guard.window_events'],
    [{ name: 'off', space: {} }, 'space'],
    [{ name: 'off', space: { shft: [1] } }, 'space["shft"]'],
    [{ name: 'off', space: { shift: [5] } }, 'space["shift"]'],
    [{ name: 'off', space: { shift: { min: 0, max: 9 } } }, 'space["shift"]'],
    [{ name: 'off', space: { shift: [1] } }, 'space'],
    [{ name: 'off', space: { together: [true] } }, 'space'],
  ];
  for (const [request, field] of cases) {
    const failure = await failureOf(client.tune(request));
    assert.deepEqual(
      [failure.reason, Object.keys(failure.fields)],
      ['INVALID_FIELD', [field]],
      JSON.stringify(request),
    );
  }
});

test('what is not there, or has nothing to search, is refused with what to do', async () => {
  const cases: [Asked, string, string, RegExp][] = [
    [{ name: 'nobody' }, 'NOT_FOUND', 'MODEL_NOT_FOUND', /loaded are/],
    [{ name: 'mean' }, 'UNIMPLEMENTED', 'CAPABILITY_MISSING', /name them in `space`/],
    [{ name: 'popularity' }, 'UNIMPLEMENTED', 'CAPABILITY_MISSING', /predicts no ratings/],
    [{ name: 'off', metric: 'ndcg@10' }, 'UNIMPLEMENTED', 'CAPABILITY_MISSING', /rank better/],
    [{ name: 'off', guard: { windowEvents: 50_000 } }, 'FAILED_PRECONDITION', 'TOO_FEW_EVENTS', /fewer/],
  ];
  for (const [request, code, reason, message] of cases) {
    const failure = await failureOf(client.tune(request));
    assert.deepEqual([failure.code, failure.reason], [code, reason]);
    assert.match(failure.message, message);
  }
});

test('where the live settings are the best nothing changes but the history', async () => {
  const before = await client.getModel('best');
  const request = { name: 'best', candidates: 6, seed: 3 };
  const looked = (await client.tune({ ...request, validateOnly: true })).result;
  assert.deepEqual(await client.getModel('best'), before);
  const { result, standings } = await client.tune(request);
  assert.deepEqual(result, looked, 'of the same seed');
  assert.deepEqual([result.promoted, result.version, result.decision], [false, '', undefined]);
  assert.deepEqual(settingsOf(result, 'shift')[0], 0);
  assert.equal(result.candidates[0].isLive, true);
  assert.equal(result.candidates.length, 7);
  assert.deepEqual([standings[0].rungs, standings[0].events, standings.at(-1)?.events], [2, 1000n, 3000n]);
  const { model, hash } = await client.getModel('best');
  assert.deepEqual([hash, model?.versions.length], [before.hash, before.model?.versions.length]);
  const [{ kind, outcome, reason }] = model?.history ?? [];
  assert.deepEqual(
    [kind, outcome],
    [ModelChangeKind.MODEL_CHANGE_KIND_TUNE, ModelChangeOutcome.MODEL_CHANGE_OUTCOME_KEPT],
  );
  assert.match(reason, /^of 7 settings the live ones are the best: over 1500 ratings their rmse is/);
});

test('candidates that fail are left off with the reason; the others go on', async () => {
  const fails = ['no', 'learning', 'predicting', 'making', 'fitting'];
  const request = { name: 'off', space: { fails, shift: [0, 1] }, validateOnly: true };
  const { result } = await client.tune(request);
  assert.deepEqual([result.candidates[0].config?.shift, result.candidates[0].config?.fails], [0, 'no']);
  assert.equal(result.decision?.passed, true, result.decision?.reason);
  const failures = Object.fromEntries(result.candidates.map(({ config, failure }) => [config?.fails, failure]));
  assert.deepEqual(Object.keys(failures).sort(), [...fails].sort());
  assert.equal(failures.no, '');
  assert.match(failures.learning, /it cannot learn/);
  assert.match(failures.predicting, /predicts NaN/);
  assert.match(failures.making, /no such tables/);
  assert.match(failures.fitting, /more memory than jobs.memoryMiB allows \(64 MiB\)/);
  if (leftOut) return;
  const ranked = (
    await client.tune({
      ...request,
      space: { fails: ['ranking'], predicts: [false], shift: [0] },
      metric: 'hit_rate@10',
    })
  ).result;
  const reasons = ranked.candidates.map(({ failure }) => failure).filter(Boolean);
  assert.deepEqual(reasons, ['it cannot rank']);
  const silent = (await client.tune({ ...request, space: { predicts: [false] } })).result;
  assert.match(silent.candidates[1].failure, /it has no rmse/);
});

test('one that the guard does not let is not promoted, and the history says so', async () => {
  // Of late more is expected too little of than before: the guard looks at that, the search at more.
  for (let from = 3000; from < 3300; from += 100)
    await client.rate(manyRatings(100, { from }).map((each) => ({ ...each, value: 5 })));
  const before = await client.getModel('off');
  const { result } = await client.tune({ name: 'off', space: { shift: [0] }, guard: { windowEvents: 1000 } });
  assert.deepEqual([result.promoted, result.version, result.decision?.passed], [false, '', false]);
  assert.match(result.decision?.reason ?? '', /^The candidate (is|may be) worse/);
  const { model, hash } = await client.getModel('off');
  assert.equal(hash, before.hash);
  const [{ kind, outcome, settings }] = model?.history ?? [];
  const { MODEL_CHANGE_OUTCOME_REFUSED: refused } = ModelChangeOutcome;
  assert.deepEqual([kind, outcome, settings], [ModelChangeKind.MODEL_CHANGE_KIND_TUNE, refused, { shift: 0 }]);
});

test('one change of a model at a time, and a search that is left stops', async (t) => {
  const request = TuneModelRequest.fromPartial({ name: 'held', space: { start: [0, 0.5] } });
  const held = holdingRating('u1', 'held-1');
  await client.rate([held]);
  holds.shut('learn', held);
  const { client: leaving, cut } = await cuttable(t);
  const begun = leaving.collect(ModelServiceService.tuneModel, request).catch(() => {});
  await holds.held('learn');
  const second = await failureOf(client.tune(request));
  assert.deepEqual([second.code, second.reason], ['ABORTED', 'MODEL_CHANGING']);
  assert.match(second.message, /Settings are being searched/);
  cut();
  await begun;
  holds.open('learn');
  const before = await client.getModel('held');
  const result = await once({ ...request, validateOnly: true });
  assert.equal(result.candidates.length, 3);
  assert.deepEqual(await client.getModel('held'), before);

  holds.shut('refit');
  const fused = client.fuse({ model: 'held', guard: { margin: 1 } });
  await holds.held('refit');
  const failure = await failureOf(client.tune(request));
  assert.deepEqual([failure.code, failure.reason], ['ABORTED', 'MODEL_CHANGING']);
  holds.open('refit');
  await fused;
});

test('a fusion period that is changed meanwhile is kept', async () => {
  const stop = holdingRating('u3', 'held-3');
  await client.rate([stop]);
  const { plugin, config } = (await client.getModel('held')).model ?? {};
  const load = (fusePeriod: LoadModelRequest['fusePeriod']) =>
    client.call(
      ModelServiceService.loadModel,
      LoadModelRequest.fromPartial({ name: 'held', plugin, config, fusePeriod }),
    );
  const blend: LoadModelRequest['fusePeriod'] = {
    everyEvents: 500_000n,
    every: undefined,
    strategy: FuseStrategy.FUSE_STRATEGY_BLEND,
    sources: [{ source: { $case: 'model', value: 'best' } }],
    guard: undefined,
    options: undefined,
  };
  holds.shut('learn', stop);
  const searching = failureOf(
    client.tune({ name: 'held', space: { 'fuse.everyEvents': [1000] }, guard: { margin: 1 } }),
  );
  await holds.held('learn');
  await load(blend);
  holds.open('learn');
  const failure = await searching;
  assert.deepEqual([failure.code, failure.reason], ['ABORTED', 'MODEL_CHANGING']);
  const { fusePeriod } = (await client.getModel('held')).model ?? {};
  assert.deepEqual([fusePeriod?.everyEvents, fusePeriod?.strategy], [blend.everyEvents, blend.strategy]);
});

test('of a model that is unloaded no settings are searched any more', async () => {
  const stop = holdingRating('u2', 'held-2');
  await client.rate([stop]);
  holds.shut('learn', stop);
  const searching = failureOf(client.tune({ name: 'held', space: { start: [3] } }));
  await holds.held('learn');
  await client.unloadModel('held');
  // The search still stands where it is held.
  const failure = await searching;
  assert.deepEqual([failure.code, failure.reason], ['NOT_FOUND', 'MODEL_NOT_FOUND']);
  holds.open('learn');
});

/** As soon as the server has noticed that whoever searched before is gone. */
async function once(request: Asked): Promise<TuneResult> {
  for (;;) {
    const tried = client.tune(request);
    if (await tried.then(() => true).catch((error) => readFailure(error).reason !== 'MODEL_CHANGING')) {
      return (await tried).result;
    }
    await sleep(20);
  }
}

async function cuttable(scope: Parameters<typeof CuttableClient.connect>[0]) {
  const relayed = await CuttableClient.connect(scope, server.address);
  return { client: relayed.client, cut: () => relayed.cut() };
}
