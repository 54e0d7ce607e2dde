import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AllocationMethod } from '../../proto/gen/accrete/v1/experiment.ts';
import { askAll, createExperiment, reportWith, twoArms } from '../support/experiments.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';

/** Lists that two arms draft, and what is said of whose items are chosen. */

const { client } = await TestServer.start({ after }, { kinds: { click: {} } });
const users = Array.from({ length: 80 }, (_, n) => `user-${n}`);
/** Few rate item-0 and do so best; many rate item-19, and worst: `mean` ranks by sums, `popularity` by counts. */
const items = Array.from({ length: 20 }, (_, n) => `item-${n}`);
await client.rate(items.flatMap((item, n) => users.slice(0, 4 + n).map((user) => rating(user, item, n < 10 ? 5 : 1))));
/** They have seen one item, which is none of these. */
const readers = users.slice(30);
await client.rate(readers.map((user) => rating(user, 'seen', 3)));

test('clicks on what an arm brought are for it, and the report says whose items are preferred', async () => {
  await createExperiment(client, {
    name: 'drafts',
    arms: twoArms('popularity', 'mean'),
    allocation: AllocationMethod.ALLOCATION_METHOD_INTERLEAVE,
  });
  const names = { popularity: new Set<string>(), mean: new Set<string>() };
  for (const model of ['popularity', 'mean'] as const)
    for (const { itemId } of (await client.recommend(readers[0], { model, pageSize: 6 })).items)
      names[model].add(itemId);
  const answers = await askAll(client, readers);
  for (const { arm, items: list } of answers.values()) {
    assert.equal(arm, 'drafts/control+treatment');
    assert.equal(new Set(list.map(({ itemId }) => itemId)).size, 10);
    // Both arms brought as many, and each its best.
    for (const own of Object.values(names)) assert.ok(list.filter(({ itemId }) => own.has(itemId)).length >= 5);
  }
  assert.equal(new Set([...names.mean, ...names.popularity]).size, 12);
  // Of every ten, one has another taste.
  await client.rate(
    [...answers].flatMap(([user, { recommendationId, items: list }], n) =>
      list
        .filter(({ itemId }) => names[n % 10 === 0 ? 'popularity' : 'mean'].has(itemId))
        .map(({ itemId }) => rating(user, itemId, undefined, { kind: 'click', recommendationId })),
    ),
  );
  const report = await reportWith(client, 'drafts', readers.length);
  const [control, treatment] = report.arms;
  assert.deepEqual([Number(control.exposures), Number(treatment.exposures)], [readers.length, readers.length]);
  assert.ok(Number(treatment.outcomes) > Number(control.outcomes));
  const preference = treatment.differences.find(({ metric }) => metric === 'preference');
  assert.ok(preference && (preference.lower ?? 0) > 0, `${preference?.lower} to ${preference?.upper}`);
  assert.equal(report.winner, 'treatment');
  assert.match(report.verdict, /by preference/);
  // What both bring is told as the control tells it, whose score it has.
  const { items: both } = await client.recommend(readers[0], { candidateItemIds: ['item-3'], explain: true });
  const [{ score, predictedValue, explanation }] = both;
  assert.equal(predictedValue, undefined);
  const sum = explanation?.contributions.reduce((all, { value }) => all + value, 0);
  assert.ok(sum !== undefined && Math.abs(sum - score) < 1e-4, `${sum} of ${score}`);
});
