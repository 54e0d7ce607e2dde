import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { misfits } from '../../server/serving/exploration/testing/frequencies.ts';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';

/** Bandits learn what exposures earn, by a server's events; `view` is a kind that is an exposure. */

const ITEMS = 20;
const USERS = 15;
const bandit = (policy: string) => ({ name: policy, plugin: 'bandit', config: { policy, prior: 5 } });
const server = await TestServer.start(
  { after },
  {
    kinds: { view: { exposure: true }, click: { weight: 1 } },
    models: [
      bandit('thompson'),
      bandit('linear-thompson'),
      bandit('linucb'),
      { name: 'mf', plugin: 'mf', config: { k: 20 } },
      ...TEST_CONFIG.models,
    ],
  },
);
const POLICIES = ['thompson', 'linear-thompson', 'linucb'];

const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
const items = Array.from({ length: ITEMS }, (_, n) => `item-${n}`);
const { client } = server;
await client.rate(
  users.flatMap((user, u) => [0, 1, 2].map((n) => rating(user, items[(u + 7 * n) % ITEMS], 1 + ((u + n) % 5)))),
);

/** Everybody is shown a list of `model`, and clicks on the items with a number below ten. Returns the share of those. */
async function show(model: string): Promise<number> {
  let clicks = 0;
  await Promise.all(
    users.map(async (user) => {
      const { items: shown, recommendationId } = await client.recommend(user, { model, pageSize: 5 });
      const clicked = shown.filter(({ itemId }) => itemId.length === 'item-0'.length);
      const event = (itemId: string, kind: string) => rating(user, itemId, undefined, { kind, recommendationId });
      await client.rate(
        [shown, clicked].flatMap((list, n) => list.map(({ itemId }) => event(itemId, n === 0 ? 'view' : 'click'))),
      );
      clicks += clicked.length;
    }),
  );
  return clicks / (5 * USERS);
}

for (const model of POLICIES)
  test(`${model} learns what its lists earn`, { skip: model === 'linear-thompson' && leftOut }, async () => {
    for (let round = 0; round < 4; round++) await show(model);
    const share = await show(model);
    assert.ok(share > 0.7, `${share} of what it shows is clicked on, and half of all items would be`);
  });

test('the chances that go out are those of lists as they are drawn', async () => {
  for (const model of leftOut ? ['thompson'] : POLICIES) {
    const asked = Array.from({ length: leftOut ? 100 : 1000 }, () =>
      client.recommend('user-3', { model, pageSize: 3 }),
    );
    const answers = (await Promise.all(asked)).map((answer) => answer.items);
    const drawn = answers.map((list) =>
      list.map(({ itemId, score, propensity }) => ({
        position: Number(itemId.replace('item-', '')),
        score,
        propensity: propensity ?? Number.NaN,
      })),
    );
    assert.deepEqual(
      misfits((n) => drawn[n], drawn.length),
      [],
    );
    assert.equal(
      drawn.flat().every(({ propensity }) => propensity === 1),
      model === 'linucb',
    );
  }
});

test('who is unknown is answered by a bandit itself', async () => {
  const { model, fallbackReason, items: list } = await client.recommend('nobody', { pageSize: 3 });
  assert.deepEqual([model, fallbackReason, list.length], ['thompson', '', 3]);
});

test('the journal comes to the same bytes again', async () => {
  const hashes = () => Promise.all(POLICIES.map(async (model) => (await server.client.getModel(model)).hash));
  const before = await hashes();
  await server.stop();
  removeCheckpoints(server.data);
  await server.restart();
  assert.deepEqual(await hashes(), before);
});

test('a model without vectors is refused as an input', async (t) => {
  const bad = { name: 'bad', plugin: 'bandit', config: { policy: 'linucb', model: 'mean' } };
  await assert.rejects(
    TestServer.start(t, { models: [...TEST_CONFIG.models, bad] }),
    /asks mean for vectors of items, and mean has none as it is set/,
  );
});
