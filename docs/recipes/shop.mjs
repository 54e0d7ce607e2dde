import assert from 'node:assert/strict';
import { struct } from '../../clients/node/client.mjs';
import { open } from './open.mjs';

const client = await open(new URL('shop.yaml', import.meta.url));
const idsOf = ({ items }) => items.map(({ itemId }) => itemId);

// Three departments of eight products, and forty customers of each, who stay in theirs.
const DEPARTMENTS = ['tea', 'garden', 'paper'];
const products = DEPARTMENTS.flatMap((department) =>
  Array.from({ length: 8 }, (_, n) => ({
    itemId: `${department}-${n}`,
    title: `${department} no. ${n}`,
    categories: [department],
    attributes: struct({ price: 5 + 10 * n }),
  })),
);
await client.upsertItems({ items: products });

const click = (userId, itemId) => ({ userId, itemId, kind: 'click' });
const purchase = (userId, itemId) => ({ userId, itemId, kind: 'purchase', value: 5 });

for (const department of DEPARTMENTS) {
  const events = Array.from({ length: 40 }, (_, n) => {
    const userId = `${department}-customer-${n}`;
    const seen = [0, 1, 3, 4].map((step) => `${department}-${(n + step) % 8}`);
    return [
      ...seen.map((itemId) => click(userId, itemId)),
      ...seen.slice(0, 3).map((itemId) => purchase(userId, itemId)),
    ];
  });
  await client.rate({ requestId: `history-${department}`, ratings: events.flat() });
}

await client.putScenario({ scenario: { name: 'home', model: 'also-bought', diversity: 0.2, pageSize: 4 } });
await client.putScenario({ scenario: { name: 'trending', model: 'popularity', pageSize: 4 } });
await client.putScenario({
  scenario: { name: 'basket', model: 'also-bought', filter: 'attributes.price <= 50', pageSize: 3 },
});

// What she has bought is hidden; what she has only clicked is not.
const userId = 'tea-customer-0';
const home = await client.recommend({ userId, scenario: 'home' });
console.log('home, for a customer of tea:', idsOf(home));
assert.equal(idsOf(home).length, 4);
assert(idsOf(home).every((itemId) => !['tea-0', 'tea-1', 'tea-3'].includes(itemId)));
assert(
  idsOf(home)
    .slice(0, 2)
    .every((itemId) => itemId.startsWith('tea')),
);

const stranger = await client.recommend({ userId: 'nobody-yet', scenario: 'home' });
console.log('home, for someone unknown:', idsOf(stranger), stranger.fallbackReason);
assert.equal(stranger.fallbackReason, 'UNKNOWN_USER');

// Bought in a branch, and told without a value: no model of ratings learns it, and it is hidden all the same.
const elsewhere = idsOf(home).at(-1);
await client.rate({ requestId: 'branch-1', ratings: [{ userId, itemId: elsewhere, kind: 'purchase' }] });
assert(!idsOf(await client.recommend({ userId, scenario: 'home' })).includes(elsewhere));

// Out of stock, from the very next answer on.
const [wanted] = idsOf(home);
const setAvailable = (available) =>
  client.upsertItems({ items: [{ itemId: wanted, available }], updateMask: { paths: ['available'] } });
await setAvailable(false);
assert(!idsOf(await client.recommend({ userId, scenario: 'home' })).includes(wanted));
await setAvailable(true);
assert.equal(idsOf(await client.recommend({ userId, scenario: 'home' }))[0], wanted);
console.log(`${wanted} was out of stock, and is back`);

// A basket is a session: nobody has to be logged in.
const basket = await client.recommend({ session: { itemIds: ['garden-1', 'garden-2'] }, scenario: 'basket' });
console.log('with garden-1 and garden-2 in the basket:', idsOf(basket));
assert.equal(idsOf(basket).length, 3);
assert(idsOf(basket).every((itemId) => itemId.startsWith('garden') && !['garden-1', 'garden-2'].includes(itemId)));

// Attribution: what follows from a list carries the list's id.
const { recommendationId } = home;
await client.rate({
  requestId: 'order-1',
  ratings: [
    { ...click(userId, wanted), recommendationId },
    { ...purchase(userId, wanted), recommendationId },
  ],
});
assert(!idsOf(await client.recommend({ userId, scenario: 'home' })).includes(wanted));
console.log(`after ${wanted} was bought:`, await countAttributed());

// It comes back: the purchase is gone from every model, and the product may be recommended again.
await client.rate({ requestId: 'return-1', ratings: [{ userId, itemId: wanted, kind: 'purchase', retract: true }] });
assert(idsOf(await client.recommend({ userId, scenario: 'home' })).includes(wanted));
const { ratings } = await client.listRatings({ userId });
assert(ratings.some(({ itemId }) => itemId === wanted));
assert(ratings.every(({ itemId, kind }) => itemId !== wanted || kind === 'click'));
console.log(`${wanted} was returned:`, await countAttributed());

// What everybody buys at the moment, less what she has.
console.log('trending:', idsOf(await client.recommend({ userId, scenario: 'trending' })));

await client.close();

/** Events by kind, and how many of them a recommendation led to; a retraction counts as -1. */
async function countAttributed() {
  const counts = {};
  for await (const { batch } of client.exportRatings({})) {
    for (const { kind, recommendationId, retract } of batch?.ratings ?? []) {
      counts[kind] ??= { all: 0, recommended: 0 };
      counts[kind].all += retract ? -1 : 1;
      if (recommendationId) counts[kind].recommended++;
    }
  }
  return counts;
}
