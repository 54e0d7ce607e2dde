import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadModelRequest, ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import { randomNumbers, rating } from '../../support/ratings.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { readFailure } from '../../support/status.ts';
import { KINDS } from '../traffic/reference.ts';

/** The smallest budget with several models, events, features and models that come: refusals, and never a death. */

const config = {
  models: [
    { name: 'mf', plugin: 'mf' },
    { name: 'small', plugin: 'mf', config: { k: 8 } },
    { name: 'popularity', plugin: 'popularity' },
  ],
  kinds: KINDS,
  memory: { budgetMiB: 64 },
};
/** What is to be refused, each at least once, before it is enough. */
const FULL = ['rate', 'items', 'load'];
const CALLS_MAX = 4000;

test('64 MiB are used up by everything at once', { timeout: 180_000 }, async (t) => {
  const server = await ServerProcess.start(t, config);
  const { client } = server;
  const random = randomNumbers(1);
  const draw = (count: number) => Math.floor(random() * count);
  const id = (name: string) => `${name}-${draw(1e6)}`;
  const ACTS: Readonly<Record<string, () => Promise<unknown>>> = {
    rate: () => client.rate(Array.from({ length: 1500 }, () => rating(id('user'), id('item'), 1 + draw(5)))),
    'rate the known': () =>
      client.rate(Array.from({ length: 200 }, (_, n) => rating(`user-${n}`, `item-${draw(200)}`, 1 + draw(5)))),
    click: () =>
      client.rate(
        Array.from({ length: 500 }, (_, n) => rating(`user-${n}`, `item-${draw(50)}`, undefined, { kind: 'click' })),
      ),
    items: () =>
      client.upsertItems(
        [...new Set(Array.from({ length: 200 }, () => id('item')))].map((itemId) => ({
          itemId,
          title: 'x'.repeat(500),
        })),
      ),
    users: () => client.upsertUsers([{ userId: id('user'), labels: [id('label')] }]),
    load: () => {
      const request = LoadModelRequest.fromPartial({ name: 'comer', plugin: 'mf', config: { k: 4 } });
      return client.call(ModelServiceService.loadModel, request);
    },
    unload: () => client.unloadModel('comer'),
    recommend: () => client.recommend(`user-${draw(300)}`, { filter: 'NOT labels:none', explain: true }),
  };
  const names = Object.keys(ACTS);
  const done: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const full = new Set<string>();
  for (let n = 0; !FULL.every((name) => full.has(name)); n++) {
    assert(n < CALLS_MAX, `the budget has no end: ${JSON.stringify(done)}`);
    const name = names[draw(names.length)];
    await ACTS[name]().then(
      () => (done[name] = (done[name] ?? 0) + 1),
      (error) => {
        const { reason } = readFailure(error);
        if (reason === 'MEMORY_FULL') full.add(name);
        else assert.match(reason, /^(MODEL_NOT_FOUND|MODEL_EXISTS|MODEL_FAILED)$/, `${name}: ${error}`);
        refused[`${name} ${reason}`] = (refused[`${name} ${reason}`] ?? 0) + 1;
      },
    );
  }
  t.diagnostic(`done: ${JSON.stringify(done)}; refused: ${JSON.stringify(refused)}`);

  // What needs no more room goes on, and a restart has room for all that was accepted.
  assert.equal((await client.recommend('user-1')).items.length, 10);
  const before = await Promise.all(['mf', 'small', 'popularity'].map((name) => client.getModel(name)));
  assert(
    before.every(({ model }) => model?.stateReason === ''),
    'a model failed',
  );
  await server.kill();
  await server.start();
  const after = await Promise.all(['mf', 'small', 'popularity'].map((name) => server.client.getModel(name)));
  assert.deepEqual(after, before);
});
