import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ExperimentReport, ExperimentState } from '../../proto/gen/accrete/v1/experiment.ts';
import type { Client } from '../support/client.ts';
import { askAll, createExperiment, getExperiment, reportOnce, reportWith, twoArms } from '../support/experiments.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

/** A restart goes on in the middle of an experiment: the same arms, the same ledger, byte for byte. */

const users = Array.from({ length: 40 }, (_, n) => `user-${n}`);
const items = Array.from({ length: 12 }, (_, n) => `item-${n}`);
const CONFIG = { ...TEST_CONFIG, kinds: { click: {}, view: { exposure: true } }, evaluation: { rankEvery: 1 } };

async function fill(client: Client): Promise<void> {
  await client.rate(items.flatMap((item, n) => users.slice(0, 5 + n).map((user) => rating(user, item, 1 + (n % 5)))));
  await createExperiment(client, { name: 'first', arms: twoArms('popularity', 'mean'), primaryMetric: 'conversion' });
  await createExperiment(client, {
    name: 'shadow',
    layer: 'other',
    arms: twoArms('popularity', 'mean'),
    learningScope: 3,
  });
}

/** Named outcomes and others; some twice, some of nobody. */
async function answerAndRate(client: Client, from: number): Promise<number> {
  const answers = await askAll(client, users);
  const names = [...answers].slice(from, from + 8).map(([user, answer]) => ({ user, ...answer }));
  const ratings = names.flatMap(({ user, recommendationId, items: [first] }) =>
    first ? [rating(user, first.itemId, 4, { recommendationId })] : [],
  );
  await client.rate([...ratings, ...ratings.slice(0, 2)]);
  await client.rate([rating('user-39', 'item-0', 2, { recommendationId: 'of nobody' })]);
  await client.rate([
    rating(users[from], 'item-11', undefined, { kind: 'click' }),
    rating(users[from], 'item-10', undefined, { kind: 'view' }),
  ]);
  return users.length;
}

const armsOf = async (client: Client) =>
  new Map([...(await askAll(client, users))].map(([user, { arm }]) => [user, arm]));
const hashOf = async (client: Client) => (await client.getModel('popularity')).hashes?.experiments;
/** Exposures that are logged, or counted as lost. */
const countOf = ({ arms, lostExposures }: ExperimentReport) =>
  arms.reduce((sum, { exposures }) => sum + Number(exposures), Number(lostExposures));

/** How figures moved is what was seen of them, and no state. */
const withoutRevision = ({ revision: _, points: __, ...report }: ExperimentReport) => report;

for (const how of ['with its checkpoint', 'from the journal alone'] as const) {
  test(`a start ${how} comes to the same ledger, and goes on`, { skip: leftOut }, async (t) => {
    const server = await TestServer.start(t, CONFIG);
    await fill(server.client);
    const exposures = (await answerAndRate(server.client, 7)) + (await answerAndRate(server.client, 9));
    if (how === 'with its checkpoint') await server.client.createCheckpoint();
    await answerAndRate(server.client, 11);
    const before = await reportWith(server.client, 'first', 3 * users.length);
    assert.ok(exposures > 0 && before.duplicateOutcomes === 6n && before.foreignOutcomes === 3n);
    const shadow = (await getExperiment(server.client, 'shadow')).report as ExperimentReport;
    assert.ok(shadow.arms.every(({ metrics }) => metrics.some(({ metric }) => metric === 'ndcg@10')));
    const hash = await hashOf(server.client);
    const arms = await armsOf(server.client);
    await server.stop();
    if (how === 'from the journal alone') rmSync(join(server.data, 'state'), { recursive: true });
    await server.restart();
    await reportWith(server.client, 'first', 4 * users.length);
    const after = (await getExperiment(server.client, 'first')).report as ExperimentReport;
    assert.equal(Number(after.arms[0].exposures + after.arms[1].exposures), 4 * users.length);
    assert.deepEqual(withoutExposures(after), withoutExposures(before));
    assert.notEqual(await hashOf(server.client), hash, 'the exposures of `armsOf` are in it');
    assert.deepEqual(await armsOf(server.client), arms);
    assert.deepEqual((await getExperiment(server.client, 'shadow')).report?.arms[1].metrics, shadow.arms[1].metrics);
    const again = await hashAfterRest(server);
    await server.restart();
    assert.equal(await hashOf(server.client), again);
    await answerAndRate(server.client, 20);
  });
}

async function hashAfterRest(server: TestServer): Promise<string | undefined> {
  await reportWith(server.client, 'first', 5 * users.length);
  return hashOf(server.client);
}

const withoutExposures = (report: ExperimentReport) => ({
  ...withoutRevision(report),
  arms: report.arms.map(({ exposures: _, metrics: __, differences: ___, ...arm }) => arm),
});

test('after a kill everybody has their arm, what was acknowledged counts, and what may be lost is counted', {
  skip: leftOut,
}, async (t) => {
  const server = await ServerProcess.start(t, CONFIG);
  await fill(server.client);
  await answerAndRate(server.client, 7);
  const before = await reportWith(server.client, 'first', users.length);
  const arms = await armsOf(server.client);
  await server.kill();
  server.spawn();
  await server.ready();
  assert.deepEqual(await armsOf(server.client), arms);
  const after = await reportOnce(server.client, (report) => countOf(report) >= 3 * users.length);
  const { experiment } = await getExperiment(server.client, 'first');
  assert.equal(experiment?.state, ExperimentState.EXPERIMENT_STATE_RUNNING);
  assert.deepEqual(
    after.arms.map(({ outcomes }) => outcomes),
    before.arms.map(({ outcomes }) => outcomes),
  );
  // Those of `armsOf` before the kill: logged, or counted as lost.
  assert.ok(countOf(after) < 3 * users.length + 16, `${countOf(after)} are counted`);
});
