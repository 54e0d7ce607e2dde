import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DeepPartial, Experiment } from '../../proto/gen/accrete/v1/experiment.ts';
import { ExperimentServiceService } from '../../proto/gen/accrete/v1/experiment.ts';
import { createExperiment, getExperiment, stopExperiment, twoArms, updateExperiment } from '../support/experiments.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Whatever is wrong with an experiment is refused with what to do, and nothing changes. */

const server = await TestServer.start({ after }, { models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf' }] });
const { client } = server;
await client.rate([rating('ann', 'tea', 4), rating('bob', 'tea', 3)]);
const good = { name: 'good', arms: twoArms('popularity', 'mean') };
const at = (ms: number) => ({ seconds: BigInt(Math.floor((Date.now() + ms) / 1000)), nanos: 0 });
const [control, treatment] = good.arms;

const BAD: readonly [what: string, change: DeepPartial<Experiment>, field: string][] = [
  ['no name', { name: '' }, 'experiment.name'],
  ['one arm', { arms: [control] }, 'experiment.arms'],
  [
    'seventeen arms',
    { arms: Array.from({ length: 17 }, (_, n) => ({ ...control, name: `a${n}` })) },
    'experiment.arms',
  ],
  ['weights all zero', { arms: good.arms.map((arm) => ({ ...arm, weight: 0 })) }, 'experiment.arms'],
  ['a negative weight', { arms: [control, { ...treatment, weight: -1 }] }, 'experiment.arms[1].weight'],
  [
    'a weight that is no number',
    { arms: [control, { ...treatment, weight: Number.NaN }] },
    'experiment.arms[1].weight',
  ],
  ['arms of one name', { arms: [control, control] }, 'experiment.arms[1].name'],
  ['an end before its start', { startTime: at(7_200_000), endTime: at(3_600_000) }, 'experiment.end_time'],
  ['an end that has passed', { endTime: at(-1000) }, 'experiment.end_time'],
  ['a start that has passed', { startTime: at(-3_600_000) }, 'experiment.start_time'],
  ['a share of none', { eligibleShare: 0 }, 'experiment.eligible_share'],
  ['a share of more than all', { eligibleShare: 1.5 }, 'experiment.eligible_share'],
  ['a filter that is none', { eligibleFilter: 'labels:' }, 'experiment.eligible_filter'],
  ['a unit that is none', { unit: 'device' }, 'experiment.unit'],
  ['a metric that is none', { primaryMetric: 'joy' }, 'experiment.primary_metric'],
  ['a rail that is none', { guardRails: [{ metric: 'joy', harmMax: 1 }] }, 'experiment.guard_rails[0].metric'],
  ['a rail without a bound', { guardRails: [{ metric: 'rmse', harmMax: 0 }] }, 'experiment.guard_rails[0].harm_max'],
  ['a salt of a layer', { salt: 'layer:x' }, 'experiment.salt'],
  ['a salt that is too long', { salt: 's'.repeat(65) }, 'experiment.salt'],
  ['a floor that does not fit', { allocationFloor: 0.6 }, 'experiment.allocation_floor'],
  ['a negative window', { attributionWindow: { seconds: -1n, nanos: 0 } }, 'experiment.attribution_window'],
  ['an allocation that is none', { allocation: 9 as never }, 'experiment.allocation'],
  ['a scope that is none', { learningScope: 9 as never }, 'experiment.learning_scope'],
];

for (const [what, change, field] of BAD) {
  test(`${what} is refused`, async () => {
    const failure = await failureOf(createExperiment(client, { ...good, ...change }));
    assert.deepEqual([failure.code, failure.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
    assert.ok(Object.keys(failure.fields).includes(field), JSON.stringify(failure.fields));
    const { experiments } = await client.call(ExperimentServiceService.listExperiments, { pageSize: 0, pageToken: '' });
    assert.deepEqual(experiments, []);
  });
}

test('a model that is not there, or fails, is refused', async (t) => {
  const unknown = await failureOf(createExperiment(client, { ...good, arms: twoArms('mean', 'nothing') }));
  assert.deepEqual([unknown.code, unknown.reason], ['NOT_FOUND', 'MODEL_NOT_FOUND']);
  const models = [...TEST_CONFIG.models, { name: 'bad', plugin: pluginPath('throwing') }];
  const other = await TestServer.start(t, { models });
  await other.client.rate([rating('ann', 'tea', 4, { weight: 10 })]);
  const failed = await failureOf(createExperiment(other.client, { ...good, arms: twoArms('mean', 'bad') }));
  assert.deepEqual([failed.code, failed.reason], ['FAILED_PRECONDITION', 'MODEL_FAILED']);
});

test('layers that overlap, names that are taken, and what is not there or has ended', async () => {
  await createExperiment(client, good);
  const { experiment } = await createExperiment(client, good);
  assert.deepEqual((await getExperiment(client, 'good')).experiment, experiment, 'the same again is no error');
  const reasonOf = async (call: Promise<unknown>) => (await failureOf(call)).reason;
  assert.equal(await reasonOf(createExperiment(client, { ...good, name: 'second' })), 'LAYER_FULL');
  assert.equal(await reasonOf(createExperiment(client, { ...good, salt: 'x' })), 'EXPERIMENT_EXISTS');
  assert.equal(await reasonOf(getExperiment(client, 'nobody')), 'EXPERIMENT_NOT_FOUND');
  assert.equal(await reasonOf(stopExperiment(client, 'nobody')), 'EXPERIMENT_NOT_FOUND');
  assert.equal(await reasonOf(updateExperiment(client, { name: 'nobody' }, ['arms'])), 'EXPERIMENT_NOT_FOUND');
  assert.equal(await reasonOf(updateExperiment(client, { name: 'good' }, ['colour'])), 'INVALID_FIELD');
  assert.equal(await reasonOf(updateExperiment(client, { name: 'good', salt: 'x' }, ['salt'])), 'EXPERIMENT_FIXED');
  assert.equal(await reasonOf(client.unloadModel('popularity')), 'MODEL_IN_USE');
  const { experiment: same } = await updateExperiment(client, { name: 'good', description: 'why' }, ['description']);
  assert.deepEqual(same, { ...experiment, description: 'why' });
  await stopExperiment(client, 'good');
  assert.equal(await reasonOf(updateExperiment(client, { name: 'good' }, ['description'])), 'EXPERIMENT_ENDED');
});

test('outcomes for ids that nobody gave are taken, and counted as foreign', async () => {
  await createExperiment(client, { ...good, name: 'third' });
  await client.rate([rating('ann', 'milk', 2, { recommendationId: 'never given' })]);
  assert.equal((await getExperiment(client, 'third')).report?.foreignOutcomes, 1n);
  await stopExperiment(client, 'third');
});

test('lists come page by page, the latest first', async () => {
  for (let n = 0; n < 5; n++) await createExperiment(client, { ...good, name: `page-${n}`, layer: `layer-${n}` });
  const names: string[] = [];
  let pageToken = '';
  do {
    const page = await client.call(ExperimentServiceService.listExperiments, { pageSize: 3, pageToken });
    names.push(...page.experiments.map(({ name }) => name));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(names, ['page-4', 'page-3', 'page-2', 'page-1', 'page-0', 'third', 'good']);
  const bad = client.call(ExperimentServiceService.listExperiments, { pageSize: 3, pageToken: 'x' });
  assert.equal((await failureOf(bad)).reason, 'INVALID_FIELD');
});
