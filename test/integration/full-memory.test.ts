import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leftOut } from '../support/long.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** The memory budget is a hard bound: what does not fit is refused as a whole, and all that was learned stays. */

const BATCH = 5000;

test('what does not fit is refused and changes nothing; a restart has room for all that was accepted', {
  skip: leftOut,
}, async (t) => {
  const server = await TestServer.start(t, { models: undefined, memory: { budgetMiB: 192 } });
  const { client } = server;
  const stateOf = async () => [await server.client.getModel('mf'), await server.client.getModel('popularity')];
  const strangers = (batch: number) =>
    Array.from({ length: BATCH }, (_, n) =>
      rating(`user-${batch}-${n}`.padEnd(250, '.'), `item-${batch}-${n}`.padEnd(250, '.'), 4),
    );

  let accepted = 0;
  let before = await stateOf();
  let refused: Awaited<ReturnType<typeof failureOf>> | undefined;
  while (!refused) {
    assert(accepted < 50, 'the budget has no end');
    const call = client.rate(strangers(accepted));
    refused = await call.then(
      () => undefined,
      () => failureOf(call),
    );
    if (refused) break;
    accepted++;
    before = await stateOf();
  }
  assert.deepEqual([refused.code, refused.reason], ['RESOURCE_EXHAUSTED', 'MEMORY_FULL']);
  assert(refused.retryMs !== undefined && refused.retryMs > 0);
  assert.match(refused.message, /memory\.budgetMiB/);
  assert(accepted > 0, 'not one batch fitted');
  assert.deepEqual(await stateOf(), before);

  const [{ userId }] = strangers(0);
  assert.equal((await client.recommend(userId, { pageSize: 5 })).items.length, 5);
  // What needs no more memory than there is goes on: to the last rating that fits, and edits after it.
  for (let [count, batch] = [BATCH / 2, accepted]; count >= 1; batch++) {
    const call = client.rate(strangers(batch).slice(0, count));
    if (
      await call.then(
        () => false,
        () => true,
      )
    )
      count = Math.floor(count / 2);
    accepted++;
    assert(accepted < 200, 'the budget has no end');
  }
  // Models may need rows for an edit, too: not so many of them at once.
  const edits = strangers(0)
    .slice(0, 100)
    .map((each) => ({ ...each, value: 1 }));
  assert.equal((await failureOf(client.rate([...edits, rating('one', 'more', 3)]))).reason, 'MEMORY_FULL');
  const [edited] = await Promise.all([client.rate(edits), client.rate(edits.slice(0, 9)), client.rate(edits)]);
  assert.equal(edited.acceptedCount, edits.length);
  assert.equal((await client.listRatings(userId)).ratings[0].value, 1);
  const last = await stateOf();
  await server.restart();
  assert.deepEqual(await stateOf(), last);
});

test('what is told of items and users fills it as well, also by replacing what was told', async (t) => {
  const server = await TestServer.start(t, { memory: { budgetMiB: 64 } });
  const stateOf = () => server.client.getModel('mean');
  const told = (call: number) =>
    Array.from({ length: 60 }, (_, n) => ({
      itemId: `item-${call % 3 === 2 ? n : `${call}-${n}`}`,
      attributes: { text: `${call} `.repeat(15_000), [`field-${call}-${n}`]: n },
      embeddings: { [`vector-${call}`]: { values: [n] } },
    }));
  let before = await stateOf();
  let refused: Awaited<ReturnType<typeof failureOf>> | undefined;
  let accepted = 0;
  for (; !refused; accepted++) {
    assert(accepted < 100, 'the budget has no end');
    const call = server.client.upsertItems(told(accepted));
    refused = await call.then(
      () => undefined,
      () => failureOf(call),
    );
    if (!refused) before = await stateOf();
  }
  assert.deepEqual([refused.code, refused.reason], ['RESOURCE_EXHAUSTED', 'MEMORY_FULL']);
  assert(accepted > 5, `${accepted} calls`);
  assert.deepEqual(await stateOf(), before);
  assert.equal((await server.client.recommend('ann', { filter: 'attributes.text:*', pageSize: 7 })).items.length, 7);
  await server.client.deleteItems(['item-0-1']);
  await server.client.rate([rating('ann', 'item-0-2', 4)]);
  const last = await stateOf();
  await server.restart();
  assert.deepEqual(await stateOf(), last);
});
