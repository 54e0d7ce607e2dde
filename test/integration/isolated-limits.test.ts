import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AllocationMethod,
  ExperimentServiceService,
  ExperimentState,
  ListExperimentsRequest,
} from '../../proto/gen/accrete/v1/experiment.ts';
import { LearningScope } from '../../proto/gen/accrete/v1/model.ts';
import { stopExperiment, updateExperiment } from '../support/experiments.ts';
import { createIsolated, getOfArm } from '../support/isolated.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { manyRatings, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** What isolated arms take, what they refuse, and what is left of them. */

const server = await TestServer.start({ after }, { metrics: { listen: '127.0.0.1:0' }, memory: { budgetMiB: 128 } });
const { client } = server;
await client.rate(manyRatings(500));
const ARMS = [
  ['now', 'mean'],
  ['new', 'popularity'],
] as const;

async function usedMiB(): Promise<number> {
  const response = await fetch(server.url('/metrics'));
  const used = parseMetrics(await response.text()).find(
    ({ name, labels }) => name === 'accrete_memory_bytes' && labels.state === 'used',
  );
  return (used?.value ?? Number.NaN) / 2 ** 20;
}

const listed = async () => {
  const { experiments } = await client.call(
    ExperimentServiceService.listExperiments,
    ListExperimentsRequest.fromPartial({}),
  );
  return experiments.map(({ name }) => name);
};

test('what it takes is told before, and a plan takes nothing', async () => {
  const before = await usedMiB();
  const { plan } = await createIsolated(client, ARMS, { validateOnly: true });
  const planned = Number(plan?.bytes) / 2 ** 20;
  assert.ok(planned > 2);
  assert.deepEqual([await usedMiB(), await listed()], [before, []]);
  const made = await createIsolated(client, ARMS);
  const taken = (await usedMiB()) - before;
  const told = Number(made.plan?.bytes) / 2 ** 20;
  assert.ok(Math.abs(told / planned - 1) < 0.2, `${planned} MiB were planned, ${told} are held`);
  // Experiments themselves keep their latest answers.
  assert.ok(taken >= told && taken < told + 30, `${taken} MiB are taken, ${told} are told`);
  await stopExperiment(client, 'trial');
});

test('the end gives all of it back, time and again', async () => {
  const before = await usedMiB();
  for (let n = 0; n < 3; n++) {
    await createIsolated(client, ARMS, { experiment: { name: `again-${n}` } });
    await client.rate([rating('user-1', `item-${n}`, 3)]);
    assert.ok((await usedMiB()) > before + 4);
    await client.recommend('user-1');
    await stopExperiment(client, `again-${n}`);
  }
  await client.rate([rating('user-1', 'item-1', 3)]);
  assert.ok((await usedMiB()) < before + 1, `${await usedMiB()} MiB, and before ${before}`);
});

test('arms that do not fit are refused, and nothing has changed', async () => {
  const before = [await usedMiB(), await listed()];
  const many = Array.from({ length: 16 }, (_, n) => [`arm-${n}`, 'mean'] as const);
  for (const validateOnly of [true, false]) {
    const refused = await failureOf(createIsolated(client, many, { experiment: { name: 'many' }, validateOnly }));
    assert.deepEqual([refused.code, refused.reason], ['RESOURCE_EXHAUSTED', 'MEMORY_FULL']);
    assert.match(refused.message, /isolated arms of experiment many hold \d+ MiB.*raise memory\.budgetMiB/);
  }
  assert.deepEqual([await usedMiB(), await listed()], before);
  await client.rate([rating('user-2', 'item-1', 3)]);
});

test('arms take users by their ids alone', async () => {
  const cases = [
    [{ unit: 'context.session' }, /unit is not "user"/],
    [{ eligibleFilter: 'labels:vip' }, /eligible_filter is set/],
    [{ allocation: AllocationMethod.ALLOCATION_METHOD_INTERLEAVE }, /allocation is INTERLEAVE/],
  ] as const;
  for (const [experiment, message] of cases) {
    const refused = await failureOf(createIsolated(client, ARMS, { experiment: { name: 'odd', ...experiment } }));
    assert.deepEqual([refused.code, refused.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
    assert.match(refused.message, message);
  }
  assert.ok(!(await listed()).includes('odd'));
});

test('an arm that comes later begins with what everybody taught until then', async () => {
  const { experiment } = await createIsolated(client, ARMS, { experiment: { name: 'grows' } });
  await client.rate(manyRatings(50, { from: 500 }));
  const arms = [...(experiment?.arms ?? []), { name: 'late', model: 'mean', weight: 1, slices: [], stopReason: '' }];
  await updateExperiment(client, { name: 'grows', arms }, ['arms']);
  const [late, main] = [await getOfArm(client, 'late', '', 'grows'), await client.getModel('mean')];
  assert.deepEqual(late.hashes?.tables, main.hashes?.tables);
  assert.deepEqual(late.hashes?.interactions, main.hashes?.interactions);
  const first = await getOfArm(client, 'now', '', 'grows');
  assert.notDeepEqual(first.hashes?.interactions, main.hashes?.interactions);
  await stopExperiment(client, 'grows');
});

test('arms of other experiments have no world to ask about; a page of an arm is none of another world', async () => {
  await createIsolated(client, ARMS, {
    experiment: { name: 'shared', learningScope: LearningScope.LEARNING_SCOPE_SHARED, layer: 'other' },
  });
  for (const [arm, name, reason] of [
    ['now', 'shared', 'INVALID_FIELD'],
    ['none', 'shared', 'INVALID_FIELD'],
    ['now', 'nothing', 'EXPERIMENT_NOT_FOUND'],
  ] as const)
    assert.equal((await failureOf(getOfArm(client, arm, '', name))).reason, reason);
  await stopExperiment(client, 'shared');
  await createIsolated(client, ARMS, { experiment: { name: 'pages' } });
  const { nextPageToken } = await client.recommend('user-3', { pageSize: 3 });
  const next = await client.recommend('user-3', { pageSize: 3, pageToken: nextPageToken });
  assert.equal(next.items.length, 3);
  await stopExperiment(client, 'pages');
  const refused = await failureOf(client.recommend('user-3', { pageSize: 3, pageToken: nextPageToken }));
  assert.equal(refused.reason, 'INVALID_FIELD');
});

test('arms of an experiment that is to come begin with what everybody taught until its start', async () => {
  const timeAfter = (ms: number) => {
    const at = Date.now() + ms;
    return { seconds: BigInt(Math.floor(at / 1000)), nanos: (at % 1000) * 1e6 };
  };
  const { experiment, plan } = await createIsolated(client, ARMS, {
    experiment: { name: 'later', startTime: timeAfter(3_600_000) },
  });
  assert.equal(experiment?.state, ExperimentState.EXPERIMENT_STATE_SCHEDULED);
  assert.ok(Number(plan?.bytes) > 2 ** 20);
  await client.rate([rating('user-5', 'item-77', 3)]);
  assert.equal((await failureOf(getOfArm(client, 'now', '', 'later'))).reason, 'INVALID_FIELD');
  assert.equal((await client.recommend('user-5')).arm, '');
  await updateExperiment(client, { name: 'later', startTime: timeAfter(200) }, ['start_time']);
  while ((await client.recommend('user-5')).arm === '') await sleep(50);
  const [arm, main] = [await getOfArm(client, 'now', '', 'later'), await client.getModel('mean')];
  assert.deepEqual(arm.hashes?.tables, main.hashes?.tables);
  await server.restart();
  const again = await getOfArm(server.client, 'now', '', 'later');
  assert.deepEqual(again.hashes, arm.hashes);
  await stopExperiment(server.client, 'later');
});
