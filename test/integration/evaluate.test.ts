import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import {
  EvaluateRequest,
  EvaluateResponse,
  EvaluationProtocol,
  HoldoutSplit,
} from '../../proto/gen/accrete/v1/evaluation.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { readMovieLensSmall } from '../data.ts';
import { leftOut } from '../support/long.ts';
import { batchesOf, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import type { Scope } from '../support/temporary-folder.ts';

/** Evaluate by HOLDOUT and RANKING_SAMPLED, through the wire and beside the stream. */

const HOLDOUT = EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT;
const SAMPLED = EvaluationProtocol.EVALUATION_PROTOCOL_RANKING_SAMPLED;
const LEAVE_LAST_OUT = { split: HoldoutSplit.HOLDOUT_SPLIT_LEAVE_LAST_OUT, share: undefined };
const MODELS = [
  { name: 'mf', plugin: 'mf' },
  { name: 'popularity', plugin: 'popularity' },
];
const data = readMovieLensSmall();

async function startWith(scope: Scope, ratings: number, jobs = 2) {
  const server = await TestServer.start(scope, { models: MODELS, rating: { min: 0.5, max: 5 }, jobs: { max: jobs } });
  for (const batch of batchesOf(data, 0, ratings, 5000)) await server.client.rate(batch);
  return server;
}

/** Enough to take a while, for the tests of what happens meanwhile; the last of them stops it. */
const busy = await startWith({ after }, 100_000, 1);

const json = (report: unknown) => EvaluateResponse.toJSON({ event: { $case: 'report', value: report as never } });

test('a report of each protocol, the same again after more ratings for the same window', async (t) => {
  const { client } = await startWith(t, 10_000);
  const lastRevision = (await client.evaluate()).revision;
  const window = { firstRevision: '', lastRevision };
  const byTime = await client.evaluate({ protocol: HOLDOUT, window, seed: 3 });
  assert.deepEqual([byTime.protocol, byTime.revision], [HOLDOUT, lastRevision]);
  assert.deepEqual([byTime.trainedCount, byTime.heldOutCount], [9000n, 1000n]);
  const whole = byTime.rows.filter(({ segment }) => segment === '');
  const names = whole.map(({ model, metric }) => `${model} ${metric}`);
  const ranked = ['hit_rate@10', 'ndcg@10', 'mrr'];
  assert.deepEqual(names, [
    ...['rmse', 'mae', ...ranked].map((metric) => `mf ${metric}`),
    ...ranked.map((metric) => `popularity ${metric}`),
  ]);
  for (const { metric, value, lower, upper, count, window } of whole) {
    assert.deepEqual([count, window], [1000n, 'total']);
    assert(
      (lower ?? 9) <= value && value <= (upper ?? -9) && value > 0 && value < 2,
      `${metric}: ${lower} ${value} ${upper}`,
    );
  }
  assert.deepEqual(
    new Set(byTime.differences.map(({ model, baseline }) => `${model} ${baseline}`)),
    new Set(['popularity mf']),
  );
  for (const batch of batchesOf(data, 10_000, 12_000, 500)) await client.rate(batch);
  assert.deepEqual(json(await client.evaluate({ protocol: HOLDOUT, window, seed: 3 })), json(byTime));

  const sampled = await client.evaluate({ protocol: SAMPLED, models: ['popularity'], metrics: ['hit_rate@5'] });
  const full = await client.evaluate({
    protocol: HOLDOUT,
    holdout: LEAVE_LAST_OUT,
    models: ['popularity'],
    metrics: ['hit_rate@5'],
  });
  assert.equal(sampled.heldOutCount, full.heldOutCount);
  assert.deepEqual(sampled.rows.map(({ metric }) => metric)[0], 'hit_rate@5');
  assert(
    sampled.rows[0].value > full.rows[0].value,
    `${sampled.rows[0].value} among 100, ${full.rows[0].value} among all`,
  );
});

test('learning curves, and what a model does not have', async (t) => {
  const { client } = await startWith(t, 10_000);
  const metrics = ['mae', 'log_loss', 'auc', 'precision@5', 'coverage@5', 'diversity@5'];
  const held = await client.evaluate({ protocol: HOLDOUT, metrics });
  assert.deepEqual(
    new Set(held.series.map(({ model, metric }) => `${model} ${metric}`)),
    new Set(['mf rmse', 'mf mae']),
  );
  for (const { points } of held.series) assert.equal(points.at(-1)?.count, held.trainedCount);
  const silent = 'it does not predict ratings';
  const bare = 'no item has categories or labels';
  assert.deepEqual(held.missing, [
    { model: 'mf', metric: 'diversity@5', reason: bare },
    { model: 'popularity', metric: 'mae', reason: silent },
    { model: 'popularity', metric: 'log_loss', reason: silent },
    { model: 'popularity', metric: 'diversity@5', reason: bare },
  ]);
  const named = new Set(held.rows.map(({ metric }) => metric));
  assert.deepEqual(named, new Set(metrics.slice(0, -1)));
  // What nobody named is reported as far as it goes.
  assert.deepEqual((await client.evaluate({ protocol: HOLDOUT })).missing, []);

  const asked = await client.evaluate({ metrics: ['rmse', 'hit_rate@10'] });
  assert.deepEqual(asked.missing, [{ model: 'popularity', metric: 'rmse', reason: silent }]);
  assert.deepEqual((await client.evaluate({})).missing, []);
  const live = await client.evaluate({ models: ['mf'], metrics: ['rmse'] });
  assert.deepEqual(
    live.series.map(({ model, metric }) => [model, metric]),
    [['mf', 'rmse']],
  );
  const [{ points }] = live.series;
  const window = live.rows.find((row) => row.window === 'window');
  assert.equal(points.at(-1)?.count, window?.count);
  const squares = points.reduce(
    (sum, { count, value }, n) => sum + Number(count - (points[n - 1]?.count ?? 0n)) * value ** 2,
    0,
  );
  assert.ok(Math.abs(Math.sqrt(squares / Number(window?.count)) - (window?.value ?? 0)) < 1e-9);
});

test('progress comes with its phases and the time left, also between long records', {
  skip: leftOut,
  timeout: 60_000,
}, async () => {
  const { client } = busy;
  const request = EvaluateRequest.fromPartial({ protocol: HOLDOUT, holdout: { share: 0.3 } });
  const phases = new Set<string>();
  let last = performance.now();
  let [longest, timed] = [0, 0];
  for await (const { event } of client.watch(RecommenderServiceService.evaluate, request)) {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (event?.$case !== 'progress') continue;
    const { phase, completed, total, unit, remaining } = event.value;
    phases.add(phase);
    if (remaining) timed++;
    assert(
      (phase === 'start' || total > 0n) && completed <= total && unit !== '',
      `${phase}: ${completed} of ${total} ${unit}`,
    );
  }
  assert(phases.has('train') || phases.has('measure'), [...phases].join());
  assert(timed > 0, 'no progress had the time left');
  assert(longest < 2500, `for ${longest} ms there was no progress`);
});

test('an evaluation that is cancelled ends at once; too many at once are refused; a stop ends them', {
  timeout: 60_000,
}, async () => {
  const { client } = busy;
  const request = EvaluateRequest.fromPartial({ protocol: HOLDOUT, holdout: { share: 0.9 } });
  const begin = () => client.watch(RecommenderServiceService.evaluate, request);
  const cancelled = begin();
  await once(cancelled, 'data');
  const full = await failureOf(client.evaluate(request));
  assert.deepEqual([full.code, full.reason], ['RESOURCE_EXHAUSTED', 'JOBS_FULL']);
  cancelled.cancel();
  assert.equal((await once(cancelled, 'error').catch((error) => [error]))[0].code, status.CANCELLED);
  await sleep(200);
  const next = begin();
  await once(next, 'data');
  // The stream goes on meanwhile.
  assert.equal((await client.rate([rating('ann', 'matrix', 4)])).acceptedCount, 1);
  const began = performance.now();
  const ended = once(next, 'error').catch((error) => [error]);
  await Promise.all([
    busy.stop(),
    (async () => assert.equal((await ended)[0].code, status.UNAVAILABLE))(),
    drain(next),
  ]);
  assert(performance.now() - began < 5000);
});

async function drain(answers: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of answers);
  } catch {}
}

test('what cannot be asked', async (t) => {
  const { client } = await startWith(t, 100);
  const revision = (n: number) => String(n).padStart(20, '0');
  const refusal = async (request: Partial<EvaluateRequest>) => {
    const { code, reason, fields } = await failureOf(client.evaluate(request));
    return [code, reason, ...Object.keys(fields)];
  };
  const invalid = ['INVALID_ARGUMENT', 'INVALID_FIELD'];
  for (const share of [0, 1, -1, Number.NaN])
    assert.deepEqual(await refusal({ protocol: HOLDOUT, holdout: { split: HoldoutSplit.HOLDOUT_SPLIT_TIME, share } }), [
      ...invalid,
      'holdout.share',
    ]);
  assert.deepEqual(await refusal({ protocol: HOLDOUT, holdout: { ...LEAVE_LAST_OUT, share: 0.2 } }), [
    ...invalid,
    'holdout.share',
  ]);
  assert.deepEqual(await refusal({ protocol: HOLDOUT, holdout: { split: 9 as never, share: undefined } }), [
    ...invalid,
    'holdout.split',
  ]);
  assert.deepEqual(await refusal({ protocol: HOLDOUT, negatives: 5 }), [...invalid, 'negatives']);
  assert.deepEqual(await refusal({ protocol: SAMPLED, negatives: 1001 }), [...invalid, 'negatives']);
  assert.deepEqual(await refusal({ protocol: SAMPLED, holdout: LEAVE_LAST_OUT }), [...invalid, 'holdout']);
  assert.deepEqual(await refusal({ protocol: SAMPLED, metrics: ['mrr', 'rmse'] }), [...invalid, 'metrics[1]']);
  assert.deepEqual(await refusal({ protocol: HOLDOUT, metrics: ['hit_rate@101'] }), [...invalid, 'metrics[0]']);
  assert.deepEqual(await refusal({ protocol: HOLDOUT, metrics: ['mrr', 'auc@10'] }), [...invalid, 'metrics[1]']);
  assert.deepEqual(await refusal({ protocol: SAMPLED, metrics: ['coverage@10'] }), [...invalid, 'metrics[0]']);
  assert.deepEqual(await refusal({ metrics: ['auc'] }), [...invalid, 'metrics[0]']);
  assert.deepEqual(await refusal({ protocol: 99 as never }), [...invalid, 'protocol']);
  assert.deepEqual(await refusal({ protocol: HOLDOUT, models: ['nope'] }), ['NOT_FOUND', 'MODEL_NOT_FOUND']);
  const window = (firstRevision: string, lastRevision: string) => ({
    protocol: HOLDOUT,
    window: { firstRevision, lastRevision },
  });
  assert.deepEqual(await refusal(window(revision(2), revision(1))), [...invalid, 'window.first_revision']);
  assert.deepEqual(await refusal(window('', revision(77))), ['OUT_OF_RANGE', 'REVISION_BEYOND_LAST']);
});
