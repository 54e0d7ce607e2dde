import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import type { Client } from '../support/client.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';

/** ForgetUser: nothing of someone is left in any file of the store, and all others have what they had. */

const config = {
  models: [...TEST_CONFIG.models, { name: 'mf', plugin: 'mf', config: { k: 8 } }],
  kinds: { click: {}, buy: { weight: 2, hides: true } },
  journal: { linkMiB: 1 },
};
const GONE = 'ann-who-shall-be-forgotten';
/** Nobody else rates so. */
const PROBE = 1.234567890123;

test('no file of the store has the id or a value that was theirs alone; others keep theirs', async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  await learn(client, 1);
  await client.createCheckpoint();
  await client.rate([rating(GONE, 'item-3', PROBE), rating(GONE, 'only-ann', PROBE, { weight: 0.7 })], {
    requestId: 'request-of-ann',
  });
  await client.rate([
    rating('user-1', 'item-1', 2),
    rating(GONE, 'item-1', 4),
    rating(GONE, 'item-9', undefined, { kind: 'click' }),
  ]);
  await client.upsertUsers([
    { userId: GONE, labels: ['label-of-ann-alone', 'shared'], attributes: { mail: 'ann@example.org' } },
    { userId: 'user-2', labels: ['shared'] },
  ]);
  await learn(client, 2);
  await client.createCheckpoint();
  await learn(client, 3);
  const found = () =>
    search(server.data, [GONE, 'label-of-ann-alone', 'ann@example.org', 'request-of-ann', ...probes()]);
  assert.notDeepEqual(found(), []);
  const before = await othersOf(client);

  const { removals, revision } = await client.forgetUser(GONE);
  assert.deepEqual(found(), []);
  const places = Object.fromEntries(removals.map(({ place, count }) => [place, Number(count)]));
  assert.ok(
    places.journal >= 5 &&
      places.interactions === 4 &&
      places.ids === 1 &&
      places.features === 1 &&
      places.request_ids === 1,
    JSON.stringify(places),
  );
  assert.match(revision, /^\d{20}$/);
  assert.deepEqual(await othersOf(client), before);
  assert.deepEqual((await client.listRatings(GONE)).ratings, []);

  await learn(client, 4);
  const after = await stateOf(client);
  await server.kill();
  await server.start();
  assert.deepEqual(await stateOf(server.client), after, 'after a kill');
  // A model that learns the journal from the first record gets the rows that the others have.
  await server.client.call(
    ModelServiceService.loadModel,
    LoadModelRequest.fromPartial({ name: 'late', plugin: 'popularity' }),
  );
  const scoresOf = async (model: string) => {
    const { items } = await server.client.recommend('user-3', { model, pageSize: 500, includeSeen: true });
    return new Map(items.map(({ itemId, score }) => [itemId, score]));
  };
  const [late, live] = [await scoresOf('late'), await scoresOf('popularity')];
  assert.deepEqual([...late.keys()].sort(), [...live.keys()].sort());
  for (const [item, score] of live) assert.ok(Math.abs((late.get(item) ?? 0) - score) < 1e-3, item);
  assert.deepEqual(found(), []);
  assert.deepEqual((await server.client.forgetUser(GONE)).removals, []);
});

function probes(): Buffer[] {
  const [f32, f64] = [Buffer.alloc(4), Buffer.alloc(8)];
  f32.writeFloatLE(PROBE);
  f64.writeDoubleLE(PROBE);
  return [f32, f64];
}

/** Which of these stand in which files. */
function search(folder: string, wanted: readonly (string | Buffer)[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const path = join(folder, name);
    if (!statSync(path).isFile()) return [];
    const bytes = readFileSync(path);
    return wanted.filter((each) => bytes.includes(each)).map((each) => `${each.toString('hex')} in ${name}`);
  });
}

async function learn(client: Client, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  const draw = (count: number) => Math.floor(random() * count);
  for (let n = 0; n < 30; n++) {
    const ratings = Array.from({ length: 300 }, () => rating(`user-${draw(200)}`, `item-${draw(400)}`, 1 + draw(5)));
    await client.rate(ratings, { requestId: `r-${seed}-${n}` });
  }
}

async function othersOf(client: Client) {
  const lists = Array.from({ length: 20 }, (_, n) => client.listRatings(`user-${n}`, { pageSize: 1000 }));
  return (await Promise.all(lists)).map(({ ratings }) => ratings);
}

async function stateOf(client: Client) {
  const states = await Promise.all(['mf', 'popularity', 'mean'].map((name) => client.getModel(name)));
  return states.map(({ hash, hashes, model }) => ({ hash, hashes, revision: model?.revision }));
}
