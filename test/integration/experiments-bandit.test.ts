import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AllocationMethod, type ExperimentReport } from '../../proto/gen/accrete/v1/experiment.ts';
import type { Client } from '../support/client.ts';
import { createExperiment, getExperiment, reportOnce, reportWith, twoArms } from '../support/experiments.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';

/** Shares of arms that move by what comes of them, through the server: allocation, outcomes, shares, restarts, the report. */

const POINTS = 2 ** 32;
const FLOOR = 0.1;
const NAME = 'earning';
const CONFIG = { ...TEST_CONFIG, kinds: { click: {} } };

/** Of ten answers of each arm, so many are clicked on. */
const CLICKED: Readonly<Record<string, number>> = { control: 1, treatment: 8 };

interface Seen {
  answers: number;
  clicked: number;
}

/** Users ask once each, and click as their arm has it. What each arm showed, and what came of it. */
async function visit(client: Client, from: number, to: number): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>();
  const clicks = [];
  for (let n = from; n < to; n++) {
    const user = `visitor-${n}`;
    const { arm, recommendationId, items } = await client.recommend(user, { pageSize: 3 });
    const name = arm.slice(NAME.length + 1);
    const of = seen.get(name) ?? { answers: 0, clicked: 0 };
    seen.set(name, of);
    if (of.answers++ % 10 >= CLICKED[name]) continue;
    of.clicked++;
    clicks.push(rating(user, items[0].itemId, undefined, { kind: 'click', recommendationId }));
  }
  await client.rate(clicks);
  return seen;
}

async function sharesOf(client: Client): Promise<number[]> {
  const { experiment } = await getExperiment(client, NAME);
  const sizes = (experiment?.arms ?? []).map(({ slices }) => slices.map(({ from, to }) => Number(to - from)));
  return sizes.map((each) => each.reduce((sum, size) => sum + size, 0) / POINTS);
}

const conversionOf = ({ arms }: ExperimentReport, arm: number) =>
  arms[arm].metrics.find(({ metric }) => metric === 'conversion')?.value ?? Number.NaN;

test('the better arm gets what the floor leaves, and restarts go on with it', { skip: leftOut }, async (t) => {
  const server = await TestServer.start(t, CONFIG);
  await server.client.rate(
    Array.from({ length: 40 }, (_, n) => rating(`user-${n % 8}`, `item-${n % 10}`, 1 + (n % 5))),
  );
  await createExperiment(server.client, {
    name: NAME,
    arms: twoArms('popularity', 'mean'),
    primaryMetric: 'conversion',
    allocation: AllocationMethod.ALLOCATION_METHOD_THOMPSON,
    allocationFloor: FLOOR,
  });
  const before = await visit(server.client, 0, 200);
  await reportWith(server.client, NAME, 200);
  assert.deepEqual(await sharesOf(server.client), [0.5, 0.5]);

  // They are weighed for the first time half a minute after the start.
  let shares = await sharesOf(server.client);
  for (; shares[0] === 0.5; shares = await sharesOf(server.client)) await sleep(100);
  for (const [n, share] of [FLOOR, 1 - FLOOR].entries()) assert.ok(Math.abs(shares[n] - share) < 1e-3, `${shares}`);

  // In the middle: from the checkpoint, and from the journal alone.
  await server.restart();
  assert.deepEqual(await sharesOf(server.client), shares);
  await server.stop();
  rmSync(join(server.data, 'state'), { recursive: true });
  await server.restart();
  assert.deepEqual(await sharesOf(server.client), shares);

  const after = await visit(server.client, 200, 500);
  const [few, many] = ['control', 'treatment'].map((arm) => after.get(arm)?.answers ?? 0);
  assert.ok(few > 0 && few < 0.2 * (few + many), `${few} of ${few + many} users had the arm with a share of ${FLOOR}`);
  const report = await reportWith(server.client, NAME, 500);
  await reportOnce(server.client, ({ arms }) => arms[0].outcomes > (before.get('control')?.clicked ?? 0), NAME);
  for (const [n, arm] of ['control', 'treatment'].entries()) {
    const [early, late] = [before.get(arm) as Seen, after.get(arm) as Seen];
    const weight = 0.5 / shares[n];
    const expected = (early.clicked + weight * late.clicked) / (early.answers + weight * late.answers);
    assert.ok(Math.abs(conversionOf(report, n) - expected) < 1e-9, `${conversionOf(report, n)} is not ${expected}`);
    const plain = (early.clicked + late.clicked) / (early.answers + late.answers);
    assert.ok(n === 1 || Math.abs(plain - expected) > 1e-4, 'weights make a difference');
  }
  assert.ok(report.sampleRatioP > 0.001, `${report.sampleRatioP}`);
  assert.match(report.caveats.join('\n'), /weighted by the inverse of the share/);
  assert.deepEqual(await sharesOf(server.client), shares);
});
