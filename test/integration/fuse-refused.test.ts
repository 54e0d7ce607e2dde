import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { Holds } from '../support/holds.ts';
import { leftOut } from '../support/long.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { manyRatings } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** What Fuse and RollbackModel refuse, and what a guard does not let through: the model is as it was. */

const holds = new Holds({ after });
const models = [
  ...TEST_CONFIG.models,
  holds.model('same'),
  holds.model('worse', { gain: 0.5 }),
  holds.model('slightly', { gain: 0.05 }),
  holds.model('better', { start: 0.5, gain: -0.5 }),
];
const server = await TestServer.start({ after }, { models, metrics: { listen: '127.0.0.1:0' } });
const { client } = server;

test('before there is enough to judge by, nothing is made', async () => {
  for (const count of [0, 1000]) {
    if (count > 0) await client.rate(manyRatings(count));
    const failure = await failureOf(client.fuse({ model: 'same' }));
    assert.deepEqual([failure.code, failure.reason], ['FAILED_PRECONDITION', 'TOO_FEW_EVENTS']);
    assert.match(failure.message, /wait for more ratings/);
  }
  // All of it came in one record, so that no model is from before the window.
  await client.rate(manyRatings(10, { from: 1000 }));
  const failure = await failureOf(client.fuse({ model: 'same' }));
  assert.equal(failure.reason, 'TOO_FEW_EVENTS');
  assert.deepEqual((await client.getModel('same')).model?.versions.length, 1);
  for (let from = 1010; from < 2010; from += 100) await client.rate(manyRatings(100, { from }));
});

test('bad fields are named', async () => {
  const source = { source: { $case: 'model', value: 'mean' } } as const;
  const cases: [Parameters<typeof client.fuse>[0], string][] = [
    [{ model: '' }, 'model'],
    [{ model: 'same', strategy: 77 as FuseStrategy }, 'strategy'],
    [{ model: 'same', sources: [source] }, 'sources'],
    [{ model: 'same', options: { rank: 3 } }, 'options.rank'],
    [{ model: 'same', options: { force: true } }, 'options.force'],
    [{ model: 'same', guard: { margin: 1.5 } }, 'guard.margin'],
    [{ model: 'same', guard: { margin: Number.NaN } }, 'guard.margin'],
    [{ model: 'same', guard: { windowEvents: 999 } }, 'guard.window_events'],
    [{ model: 'same', guard: { windowEvents: 100_001 } }, 'guard.window_events'],
    [{ model: 'same', guard: { metric: 'beauty' } }, 'guard.metric'],
  ];
  for (const [request, field] of cases) {
    const failure = await failureOf(client.fuse(request));
    assert.deepEqual([failure.reason, Object.keys(failure.fields)], ['INVALID_FIELD', [field]]);
  }
  assert.deepEqual(Object.keys((await failureOf(client.rollbackModel(''))).fields), ['name']);
});

test('what is not there, cannot be done, or not yet, is refused with what to do', async () => {
  const cases: [Promise<unknown>, string, string, RegExp][] = [
    [client.fuse({ model: 'nobody' }), 'NOT_FOUND', 'MODEL_NOT_FOUND', /loaded are/],
    [client.fuse({ model: 'mean' }), 'UNIMPLEMENTED', 'CAPABILITY_MISSING', /these can: same, worse/],
    [client.rollbackModel('nobody'), 'NOT_FOUND', 'MODEL_NOT_FOUND', /loaded are/],
    [client.rollbackModel('mean'), 'NOT_FOUND', 'VERSION_NOT_FOUND', /no earlier version.*1 serves/],
    [client.rollbackModel('mean', '7', true), 'NOT_FOUND', 'VERSION_NOT_FOUND', /no earlier version "7"/],
    [client.fuse({ model: 'same', guard: { windowEvents: 5000 } }), 'FAILED_PRECONDITION', 'TOO_FEW_EVENTS', /fewer/],
  ];
  for (const [call, code, reason, message] of cases) {
    const failure = await failureOf(call);
    assert.deepEqual([failure.code, failure.reason], [code, reason]);
    assert.match(failure.message, message);
  }
  // It serves already: whoever repeats a call is answered.
  assert.equal((await client.rollbackModel('mean', '1')).previousVersion, '1');
  const sources = [{ source: { $case: 'model', value: 'mean' } as const }];
  const { FUSE_STRATEGY_UNSPECIFIED, FUSE_STRATEGY_REFIT, FUSE_STRATEGY_BLEND, UNRECOGNIZED, ...others } = FuseStrategy;
  for (const strategy of Object.values(others)) {
    const failure = await failureOf(client.fuse({ model: 'same', strategy, sources }));
    assert.deepEqual([failure.code, failure.reason], ['UNIMPLEMENTED', 'CAPABILITY_MISSING']);
    assert.match(failure.message, /its plugin does not say.*; this one takes REFIT, BLEND$/);
  }
});

test('a candidate that is worse does not pass, and the model is as it was to the byte', async () => {
  const before = await client.getModel('worse');
  const { result } = await client.fuse({ model: 'worse' });
  const { promoted, version, previousVersion, revision, decision } = result;
  assert.deepEqual([promoted, version, previousVersion, revision], [false, '', '1', '']);
  assert.equal(decision?.passed, false);
  assert.match(decision.reason, /^The candidate is worse: over 1000 events of 40 users/);
  assert((decision.difference?.value ?? 0) > 0.1);
  assert.deepEqual(
    result.before.map(({ metric, model }) => [metric, model]),
    [
      ['rmse', 'worse@1'],
      ['mae', 'worse@1'],
    ],
  );
  assert(result.after.every((row, n) => row.model === 'worse@2' && row.value > result.before[n].value));
  // But for what its history says.
  const after = await client.getModel('worse');
  assert.equal(after.model?.history.length, 1);
  const { revision: last = '' } = after.model.history[0];
  assert.deepEqual(
    { ...after, model: { ...after.model, history: [] } },
    { ...before, model: { ...before.model, revision: last } },
  );
});

test('one that is only validated is not promoted, and spends nothing', async () => {
  const before = await client.getModel('better');
  const { result } = await client.fuse({ model: 'better', validateOnly: true });
  assert.deepEqual([result.promoted, result.version, result.decision?.passed], [false, '', true]);
  assert.match(result.decision?.reason ?? '', /^The candidate is better/);
  assert.deepEqual(await client.getModel('better'), before);
  const slightly = { model: 'slightly', guard: { margin: 0.1 } };
  const tried = await Promise.all([1, 2].map(() => client.fuse({ ...slightly, validateOnly: true }).catch(() => {})));
  assert.equal(tried.filter(Boolean).length, 1, 'one at a time');
  const { decision } = (await client.fuse({ ...slightly, validateOnly: true })).result;
  assert.equal(decision?.passed, true);
  assert.doesNotMatch(decision.reason, /earlier promotions left/);
});

test('what became of them is counted', async () => {
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  const counts = samples.filter(({ name }) => name === 'accrete_fuse_total');
  assert(counts.every(({ labels }) => labels.strategy === 'REFIT'));
  const { refused, validated, failed } = Object.fromEntries(counts.map(({ labels, value }) => [labels.result, value]));
  assert.deepEqual([refused, validated], [1, 3]);
  assert(failed >= 3);
});

test('what a margin tolerates is spent by promotions, also over a restart; a rollback gives back what came after', {
  skip: leftOut,
}, async () => {
  const fuse = () => server.client.fuse({ model: 'slightly', guard: { margin: 0.009, windowEvents: 1000 } });
  const rateMore = async (from: number) => {
    for (let n = 0; n < 1100; n += 100) await server.client.rate(manyRatings(100, { from: from + n }));
  };
  const first = (await fuse()).result;
  assert.equal(first.promoted, true, first.decision?.reason);
  const left = first.decision?.marginLeft ?? 0;
  assert(left < (first.decision?.margin ?? 0));
  await rateMore(2010);
  await server.restart();
  const second = (await fuse()).result;
  assert.match(second.decision?.reason ?? '', /what earlier promotions left of 0.9% of the live model's/);
  assert.equal(second.promoted, false, second.decision?.reason);
  // The first version has spent nothing.
  await server.client.rollbackModel('slightly');
  const third = (await fuse()).result;
  assert.doesNotMatch(third.decision?.reason ?? '', /earlier promotions left/);
});
