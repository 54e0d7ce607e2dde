import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ListModelsRequest, ModelServiceService, ModelState } from '../../proto/gen/accrete/v1/model.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';

/** What the server says of its models: ListModels, GetModel, and Evaluate by its live counters. */

const models = [
  ...TEST_CONFIG.models,
  { name: 'faded', plugin: 'popularity', config: { halfLifeDays: 7 } },
  { name: 'also-faded', plugin: 'popularity', config: { halfLifeDays: 7, seed: 1 } },
];
const { client } = await TestServer.start(
  { after },
  { models, defaultModel: 'popularity', evaluation: { rankEvery: 1 } },
);
const reference = await rateAtRandom();
const list = (more: Partial<ListModelsRequest>) =>
  client.call(ModelServiceService.listModels, ListModelsRequest.fromPartial(more));

test('models are listed by name, page by page', async () => {
  const all = await list({});
  assert.deepEqual(
    all.models.map(({ name }) => name),
    ['also-faded', 'faded', 'mean', 'popularity'],
  );
  assert.equal(all.nextPageToken, '');
  const first = await list({ pageSize: 3 });
  const second = await list({ pageSize: 3, pageToken: first.nextPageToken });
  assert.deepEqual([...first.models, ...second.models], all.models);
  assert.equal(second.nextPageToken, '');
});

test('a model says what it is, what it can do and what it holds', async () => {
  const { model } = await client.getModel('mean');
  assert.equal(model?.plugin, pluginPath('mean'));
  assert.deepEqual([model?.state, model?.stateReason, model?.version], [ModelState.MODEL_STATE_AVAILABLE, '', '1']);
  assert.deepEqual(model?.capabilities, ['score', 'predict', 'retract', 'blend']);
  const tables = Object.fromEntries(model?.tables.map(({ name, rows }) => [name, Number(rows)]) ?? []);
  assert.deepEqual([tables.users, tables.items], [reference.users, reference.items]);
  assert(model?.tables.every(({ bytes, hash }) => bytes > 0n && /^[0-9a-f]{16}$/.test(hash)));
  assert.deepEqual((await client.getModel('popularity')).model?.capabilities, [
    'score',
    'retract',
    'events',
    'explain',
    'counts',
  ]);
});

test('the default model is the configured one, and the only one', async () => {
  const defaults = (await list({})).models.filter(({ isDefault }) => isDefault).map(({ name }) => name);
  assert.deepEqual(defaults, ['popularity']);
  assert.equal((await client.recommend('user-1')).model, 'popularity');
});

test('equal configurations have equal hashes, whatever was left to the defaults', async () => {
  const [plain, faded, alsoFaded] = await Promise.all(
    ['popularity', 'faded', 'also-faded'].map(async (name) => (await client.getModel(name)).model),
  );
  assert.deepEqual(faded?.config, { seed: 1, halfLifeDays: 7 });
  assert.equal(faded?.configHash, alsoFaded?.configHash);
  assert.notEqual(faded?.configHash, plain?.configHash);
});

test('every hash of GetModel is part of the one over all', async () => {
  const [mean, popularity] = await Promise.all([client.getModel('mean'), client.getModel('popularity')]);
  assert.notEqual(mean.hash, popularity.hash);
  assert.notEqual(mean.hashes?.tables, popularity.hashes?.tables);
  const { tables: _own, ...shared } = mean.hashes ?? { tables: '' };
  assert.deepEqual({ ...popularity.hashes, tables: '' }, { ...shared, tables: '' });
});

test('Evaluate reports all models and metrics unless told which', async () => {
  const all = await client.evaluate();
  assert.deepEqual(
    [...new Set(all.rows.map(({ model }) => model))],
    models.map(({ name }) => name),
  );
  const metrics = new Set(all.rows.filter(({ model }) => model === 'mean').map(({ metric }) => metric));
  assert.deepEqual([...metrics].sort(), ['hit_rate@10', 'mae', 'ndcg@10', 'rmse']);
  const some = await client.evaluate({ models: ['mean'], metrics: ['hit_rate@10'] });
  assert.deepEqual(
    some.rows,
    all.rows.filter(({ model, metric }) => model === 'mean' && metric === 'hit_rate@10'),
  );
  assert.equal(all.revision, (await client.getModel('mean')).model?.revision);
});

test('a model that does not predict has no error, only a ranking', async () => {
  const { rows } = await client.evaluate({ models: ['popularity'] });
  assert.deepEqual([...new Set(rows.map(({ metric }) => metric))].sort(), ['hit_rate@10', 'ndcg@10']);
});

test('hit rate and NDCG are what a client counts from its own ranking', async () => {
  const { rows } = await client.evaluate({ models: ['mean'], metrics: ['hit_rate@10', 'ndcg@10'] });
  for (const { metric, window, value, count } of rows) {
    const { least, most } = reference.figures[metric];
    assert.equal(Number(count), reference.ranked, `${metric} ${window}`);
    assert(value >= least - 1e-9 && value <= most + 1e-9, `${metric} ${window}: ${value} is not ${least}..${most}`);
  }
});

/** Where an item stands among those that a user has not rated; of equals any order will do, hence two ranks. */
interface Rank {
  readonly best: number;
  readonly worst: number;
}

/** Rates, and before each rating ranks as `mean` does: by the sums of the ratings. */
async function rateAtRandom() {
  const random = randomNumbers(5);
  const draw = (count: number) => Math.floor(random() * count);
  const ratings = Array.from({ length: 600 }, () =>
    rating(`user-${draw(30)}`, `item-${draw(9) * draw(9)}`, 1 + draw(5)),
  );
  const live = new Map<string, Map<string, number>>();
  const sums = new Map<string, number>();
  const ranks: Rank[] = [];
  for (const { userId, itemId, value = 0 } of ratings) {
    const own = live.get(userId) ?? new Map<string, number>();
    if (own.size > 0 && !own.has(itemId)) ranks.push(rankOf(itemId, sums, own));
    sums.set(itemId, (sums.get(itemId) ?? 0) + value - (own.get(itemId) ?? 0));
    live.set(userId, own.set(itemId, value));
  }
  await client.rate(ratings);
  const hit = (rank: number) => Number(rank <= 10);
  const gain = (rank: number) => hit(rank) / Math.log2(1 + rank);
  const mean = (score: (rank: Rank) => number) => ranks.reduce((sum, rank) => sum + score(rank), 0) / ranks.length;
  const figures: Record<string, { least: number; most: number }> = {
    'hit_rate@10': { least: mean(({ worst }) => hit(worst)), most: mean(({ best }) => hit(best)) },
    'ndcg@10': { least: mean(({ worst }) => gain(worst)), most: mean(({ best }) => gain(best)) },
  };
  return { users: live.size, items: sums.size, ranked: ranks.length, figures };
}

function rankOf(itemId: string, sums: ReadonlyMap<string, number>, own: ReadonlyMap<string, number>): Rank {
  const score = sums.get(itemId);
  if (score === undefined) return { best: Number.POSITIVE_INFINITY, worst: Number.POSITIVE_INFINITY };
  const others = [...sums].filter(([name]) => name !== itemId && !own.has(name)).map(([, sum]) => sum);
  const better = others.filter((sum) => sum > score).length;
  const equal = others.filter((sum) => sum === score).length;
  return { best: 1 + better, worst: 1 + better + equal };
}
