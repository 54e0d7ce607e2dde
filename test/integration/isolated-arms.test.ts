import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GetModelResponse } from '../../proto/gen/accrete/v1/model.ts';
import type { Rating } from '../../proto/gen/accrete/v1/rating.ts';
import type { Client } from '../support/client.ts';
import { getExperiment, reportWith, stopExperiment } from '../support/experiments.ts';
import { startImported } from '../support/imported.ts';
import { createIsolated, getOfArm } from '../support/isolated.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/**
 * Isolated arms: each is what a server is that begins at the checkpoint of the experiment's start, and is told of its users
 * alone.
 */

const config = {
  kinds: { click: { weight: 0.5 }, buy: { weight: 2, hides: true } },
  models: [
    { name: 'mf', plugin: 'mf', config: { k: 4, sequence: { k: 4 }, replay: { count: 1 } } },
    { name: 'popularity', plugin: 'popularity' },
  ],
};
const ARMS = [
  ['now', 'popularity'],
  ['new', 'mf'],
] as const;
const MODEL_OF: Readonly<Record<string, string>> = Object.fromEntries(ARMS);
const BATCH = 25;

/** What so many users do with so many items, at times that are told. */
function deeds(seed: number, count: number, users: number, from = 0): Rating[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, (_, n) => {
    const user = `user-${from + Math.floor(random() * users)}`;
    const item = `item-${Math.floor(random() * 40)}`;
    const chance = random();
    const eventTime = { seconds: BigInt(1_000_000_000 + 1000 * seed + n), nanos: 0 };
    if (chance < 0.1) return rating(user, item, undefined, { retract: true, eventTime });
    if (chance < 0.3) return rating(user, item, undefined, { kind: chance < 0.2 ? 'click' : 'buy', eventTime });
    return rating(user, item, 1 + Math.floor(random() * 5), { eventTime });
  });
}

async function tell(client: Client, ratings: readonly Rating[]): Promise<void> {
  for (let n = 0; n < ratings.length; n += BATCH) await client.rate(ratings.slice(n, n + BATCH));
}

async function tellOfCatalogue(client: Client, year: number): Promise<void> {
  await client.upsertItems([
    { itemId: 'item-3', labels: ['told'], attributes: { year } },
    { itemId: `new-${year}`, categories: ['fresh'] },
  ]);
  await client.upsertUsers([{ userId: 'user-4', labels: ['told'] }, { userId: `late-${year}` }]);
  await client.deleteItems([`item-${year % 40}`]);
}

/** Of the state, all but requests: every table of the model, live figures, ids, ratings and events, features. */
function comparable({ hashes, model }: GetModelResponse) {
  const { tables, ids, interactions, features } = hashes ?? {};
  return { tables, ids, interactions, features, learned: model?.learnedCount, metrics: model?.metrics };
}

test('an arm is what a server is that begins with it and is told of its users alone', async (t) => {
  const server = await TestServer.start(t, config);
  await tellOfCatalogue(server.client, 1990);
  await tell(server.client, deeds(1, 200, 20));
  await server.client.createCheckpoint();
  const { bytes } = await server.client.exportCheckpoint({ withoutJournal: true });
  const { plan } = await createIsolated(server.client, ARMS);
  assert.ok(Number(plan?.bytes) > 2 ** 20, 'what it takes is told');

  // Users that were there, and new ones; edits and retractions of what was before.
  const after = [deeds(2, 150, 25), deeds(3, 150, 30, 5)];
  await tell(server.client, after[0]);
  await tellOfCatalogue(server.client, 2000);
  await tell(server.client, after[1]);
  const armOf = new Map<string, string>();
  for (const { userId } of after.flat())
    if (!armOf.has(userId)) armOf.set(userId, (await server.client.recommend(userId)).arm.slice('trial/'.length));
  const alone = new Map<string, TestServer>();
  for (const [arm, model] of ARMS) {
    const other = await startImported(t, bytes, config);
    alone.set(arm, other);
    const own = after.map((part) => part.filter(({ userId }) => armOf.get(userId) === arm));
    assert.ok(own.every(({ length }) => length > 40));
    await tell(other.client, own[0]);
    await tellOfCatalogue(other.client, 2000);
    await tell(other.client, own[1]);
    const here = comparable(await getOfArm(server.client, arm));
    assert.deepEqual(here, comparable(await other.client.getModel(model)), arm);
    assert.notDeepEqual(here, comparable(await server.client.getModel(model)));
  }

  // Its live figures are of its own world: what a server alone expects is what counts.
  await reportWith(server.client, 'trial', armOf.size);
  const expected = new Map<string, number[]>();
  for (const [n, [userId, arm]] of [...armOf].entries()) {
    const { client } = alone.get(arm) as TestServer;
    const first = rating(userId, `fresh-${n}`, 1 + (n % 5), { eventTime: { seconds: 1_600_000_000n, nanos: 0 } });
    await server.client.rate([first]);
    const { predictions } = await client.rate([first], { returnPredictions: arm === 'new' ? ['mf'] : [] });
    const errors = predictions.map(({ values }) => (1 + (n % 5) - values[0]) ** 2);
    expected.set(arm, [...(expected.get(arm) ?? []), ...errors]);
  }
  const { report } = await getExperiment(server.client, 'trial');
  const rmse = report?.arms.find(({ arm }) => arm === 'new')?.metrics.find(({ metric }) => metric === 'rmse');
  const squares = expected.get('new') ?? [];
  assert.ok(squares.length > 5);
  const mean = squares.reduce((sum, square) => sum + square, 0) / squares.length;
  assert.ok(Math.abs((rmse?.value ?? 0) - Math.sqrt(mean)) < 1e-6, `${rmse?.value} is not ${Math.sqrt(mean)}`);

  // Whoever is told something sees it at once, in the world of their arm.
  for (const [arm, other] of alone) {
    const [user] = [...armOf].find(([, of]) => of === arm) as [string, string];
    const asked = async ({ client }: TestServer, model = '') => {
      const { items, model: by } = await client.recommend(user, { model, pageSize: 10 });
      return { by, items: items.map(({ itemId, score }) => [itemId, score]) };
    };
    const before = await asked(server);
    assert.deepEqual(before, await asked(other, MODEL_OF[arm]));
    const [best] = before.items[0];
    const seen = rating(user, String(best), 5, { eventTime: { seconds: 1_500_000_000n, nanos: 0 } });
    for (const each of [server, other]) await each.client.rate([seen]);
    const now = await asked(server);
    assert.ok(!now.items.some(([item]) => item === best));
    assert.deepEqual(now, await asked(other, MODEL_OF[arm]));
  }

  const arms = async () => Promise.all(ARMS.map(async ([arm]) => comparable(await getOfArm(server.client, arm))));
  const before = await arms();
  // From the first record on: with checkpoints, see isolated-limits.test.ts.
  await server.stop();
  rmSync(join(server.data, 'state'), { recursive: true });
  await server.restart();
  assert.deepEqual(await arms(), before);

  const control = MODEL_OF[ARMS[0][0]];
  await stopExperiment(server.client, 'trial');
  for (const userId of armOf.keys()) {
    const { arm, model } = await server.client.recommend(userId, { model: control });
    assert.deepEqual([arm, model], ['', control]);
  }
  const gone = await failureOf(getOfArm(server.client, 'new'));
  assert.equal(gone.code, 'INVALID_ARGUMENT');
});
