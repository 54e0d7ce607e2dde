import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import { ListModelsRequest, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { RecommenderServiceService, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { Client } from '../support/client.ts';
import { rating } from '../support/ratings.ts';
import { pluginPath, TEST_CONFIG, TestServer } from '../support/server.ts';
import { type Failure, failureOf } from '../support/status.ts';

/** What is wrong with requests other than their ratings: each mistake has its status, its reason and its details. */

const CANDIDATES_MAX = 10;
const server = await TestServer.start(
  { after },
  {
    limits: { candidates: CANDIDATES_MAX },
    models: [...TEST_CONFIG.models, { name: 'failing', plugin: pluginPath('failing') }],
  },
);
const { client } = server;
await client.rate([rating('ann', 'matrix', 4), rating('ann', 'alien', 2), rating('bob', 'matrix', 3)], {
  requestId: 'used',
});
const tokenOfAnn = (await client.listRatings('ann', { pageSize: 1 })).nextPageToken;
// The third model diverges, and is left behind.
await client.rate([rating('ann', 'brazil', 3, { weight: 10 })]);
await client.rate([rating('ann', 'casino', 3)]);

interface Case {
  readonly name: string;
  readonly call: (client: Client) => Promise<unknown>;
  readonly expected: Partial<Failure>;
  /** Paths of the bad fields. */
  readonly fields?: readonly string[];
}

const good = rating('ann', 'casino', 4);
const invalid = { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' } as const;
const unknownModel = { code: 'NOT_FOUND', reason: 'MODEL_NOT_FOUND', metadata: { model: 'nope' } } as const;
const recommend = (name: string, more: Partial<RecommendRequest>, ...fields: string[]): Case => ({
  name: `Recommend with ${name}`,
  call: () => client.recommend('ann', more),
  expected: invalid,
  fields,
});
const list = (name: string, user: string, more: object, ...fields: string[]): Case => ({
  name: `ListRatings with ${name}`,
  call: () => client.listRatings(user, more),
  expected: invalid,
  fields,
});

const CASES: readonly Case[] = [
  {
    name: 'Rate with a request_id that had other ratings',
    call: () => client.rate([good], { requestId: 'used' }),
    expected: {
      code: 'INVALID_ARGUMENT',
      reason: 'REQUEST_ID_REUSED',
      metadata: { request_id: 'used', revision: '2'.padStart(20, '0') },
    },
  },
  {
    name: 'Rate that only validates, with a request_id that had other ratings',
    call: () => client.rate([good], { requestId: 'used', validateOnly: true }),
    expected: { code: 'INVALID_ARGUMENT', reason: 'REQUEST_ID_REUSED' },
  },
  {
    name: 'Rate with predictions of an unknown model',
    call: () => client.rate([good], { returnPredictions: ['mean', 'nope'] }),
    expected: unknownModel,
  },
  {
    name: 'Rate that only validates, with predictions of an unknown model',
    call: () => client.rate([good], { returnPredictions: ['nope'], validateOnly: true }),
    expected: unknownModel,
  },
  {
    name: 'Rate with predictions of a model that only ranks',
    call: () => client.rate([good], { returnPredictions: ['popularity'] }),
    expected: {
      code: 'UNIMPLEMENTED',
      reason: 'CAPABILITY_MISSING',
      metadata: { model: 'popularity', capability: 'predict' },
    },
  },
  {
    name: 'Rate with predictions of a model that diverged',
    call: () => client.rate([good], { returnPredictions: ['failing'] }),
    expected: { code: 'FAILED_PRECONDITION', reason: 'MODEL_FAILED', metadata: { model: 'failing' } },
  },
  {
    name: 'Recommend by an unknown model',
    call: () => client.recommend('ann', { model: 'nope' }),
    expected: unknownModel,
  },
  { name: 'GetModel of an unknown model', call: () => client.getModel('nope'), expected: unknownModel },
  {
    name: 'Evaluate of an unknown model',
    call: () => client.evaluate({ models: ['mean', 'nope'] }),
    expected: unknownModel,
  },
  { name: 'GetModel without a name', call: () => client.getModel(''), expected: invalid, fields: ['name'] },
  { name: 'Recommend without a user', call: () => client.recommend(''), expected: invalid, fields: ['user_id'] },
  {
    name: 'Recommend without a subject',
    call: () => client.call(RecommenderServiceService.recommend, RecommendRequest.fromPartial({})),
    expected: invalid,
    fields: ['user_id'],
  },
  {
    name: 'Recommend for a user of 257 bytes',
    call: () => client.recommend('u'.repeat(257)),
    expected: invalid,
    fields: ['user_id'],
  },
  {
    name: 'Recommend for a user with a line feed',
    call: () => client.recommend('a\nb'),
    expected: invalid,
    fields: ['user_id'],
  },
  recommend('a negative page_size', { pageSize: -1 }, 'page_size'),
  recommend(
    'too many candidates',
    { candidateItemIds: Array(CANDIDATES_MAX + 1).fill('matrix') },
    'candidate_item_ids',
  ),
  recommend('too many exclusions', { excludeItemIds: Array(CANDIDATES_MAX + 1).fill('matrix') }, 'exclude_item_ids'),
  recommend(
    'several mistakes',
    { candidateItemIds: ['matrix', ''], excludeItemIds: ['x'.repeat(257)], pageSize: -5 },
    'candidate_item_ids[1]',
    'exclude_item_ids[0]',
    'page_size',
  ),
  recommend('a min_revision that is none', { minRevision: 'yesterday' }, 'min_revision'),
  recommend('a negative min_revision', { minRevision: '-1' }, 'min_revision'),
  recommend('a min_revision of too many digits', { minRevision: '0'.repeat(21) }, 'min_revision'),
  {
    name: 'Recommend with a min_revision beyond the last',
    call: () => client.recommend('ann', { minRevision: '5'.padStart(20, '0') }),
    expected: {
      code: 'OUT_OF_RANGE',
      reason: 'REVISION_BEYOND_LAST',
      metadata: { last_revision: '4'.padStart(20, '0') },
    },
  },
  {
    name: 'Recommend with a min_revision that no number holds',
    call: () => client.recommend('ann', { minRevision: '9'.repeat(20) }),
    expected: { code: 'OUT_OF_RANGE', reason: 'REVISION_BEYOND_LAST' },
  },
  {
    name: 'Recommend like an item of a model that does not rank so',
    call: () => likeItem('matrix', 'mean'),
    expected: {
      code: 'UNIMPLEMENTED',
      reason: 'CAPABILITY_MISSING',
      metadata: { model: 'mean', capability: 'similar' },
    },
  },
  {
    name: 'Recommend like an unknown item',
    call: () => likeItem('nowhere', ''),
    expected: { code: 'NOT_FOUND', reason: 'ITEM_NOT_FOUND', metadata: { item_id: 'nowhere' } },
  },
  {
    name: 'Recommend for a session of unknown items',
    call: () => forSession(['nowhere', 'nothing']),
    expected: { code: 'NOT_FOUND', reason: 'ITEM_NOT_FOUND' },
  },
  {
    name: 'Recommend for an empty session',
    call: () => forSession([]),
    expected: invalid,
    fields: ['session.item_ids'],
  },
  recommend('a page_token that is none', { pageToken: 'next' }, 'page_token'),
  recommend('a filter that does not parse', { filter: 'categories:' }, 'filter'),
  recommend('too much diversity', { diversity: 1.5 }, 'diversity'),
  {
    name: 'Recommend with diversity where no model has vectors',
    call: () => client.recommend('ann', { diversity: 0.5 }),
    expected: { code: 'UNIMPLEMENTED', reason: 'CAPABILITY_MISSING', metadata: { capability: 'vectors' } },
  },
  {
    name: 'Recommend by an unknown scenario',
    call: () => client.recommend('ann', { scenario: 'home' }),
    expected: { code: 'NOT_FOUND', reason: 'SCENARIO_NOT_FOUND', metadata: { scenario: 'home' } },
  },
  list('no user', '', {}, 'user_id'),
  list('a negative page_size', 'ann', { pageSize: -1 }, 'page_size'),
  list('a page_token that is none', 'ann', { pageToken: 'next' }, 'page_token'),
  list("another user's page_token", 'bob', { pageToken: tokenOfAnn }, 'page_token'),
  list('two mistakes', 'a\0', { pageSize: -1 }, 'user_id', 'page_size'),
  {
    name: 'ListModels with a negative page_size and a page_token that is none',
    call: () =>
      client.call(ModelServiceService.listModels, ListModelsRequest.fromPartial({ pageSize: -1, pageToken: 'nope' })),
    expected: invalid,
    fields: ['page_size', 'page_token'],
  },
  {
    name: 'Evaluate by a protocol that does not exist',
    call: () => client.evaluate({ protocol: 99 as EvaluationProtocol }),
    expected: invalid,
    fields: ['protocol'],
  },
  {
    name: 'Evaluate live figures with what is for other protocols',
    call: () =>
      client.evaluate({ window: { firstRevision: '', lastRevision: '' }, holdout: {}, negatives: 5 } as never),
    expected: invalid,
    fields: ['window', 'holdout', 'negatives'],
  },
  {
    name: 'Evaluate with unknown metrics',
    call: () => client.evaluate({ metrics: ['rmse', 'auc', ''] }),
    expected: invalid,
    fields: ['metrics[1]', 'metrics[2]'],
  },
  {
    name: 'Evaluate of too many models',
    call: () => client.evaluate({ models: Array(17).fill('mean') }),
    expected: invalid,
    fields: ['models'],
  },
  {
    name: 'Evaluate with too many metrics',
    call: () => client.evaluate({ metrics: Array(33).fill('rmse') }),
    expected: invalid,
    fields: ['metrics'],
  },
];

function likeItem(itemId: string, model: string) {
  const request = RecommendRequest.fromPartial({ subject: { $case: 'itemId', value: itemId }, model });
  return client.call(RecommenderServiceService.recommend, request);
}

function forSession(itemIds: string[]) {
  const request = RecommendRequest.fromPartial({ subject: { $case: 'session', value: { itemIds } } });
  return client.call(RecommenderServiceService.recommend, request);
}

for (const { name, call, expected, fields = [] } of CASES) {
  test(`${name}: ${expected.reason}`, async () => {
    const before = await stateOf();
    const failure = await failureOf(call(client));
    assert.deepEqual({ ...failure, ...expected }, failure);
    assert.deepEqual(Object.keys(failure.fields), fields);
    assert.equal(failure.retryMs, undefined);
    assert(failure.message.length > 20, failure.message);
    assert.deepEqual(await stateOf(), before);
  });
}

/** Hashes over all that could have been learned. */
async function stateOf(): Promise<string[]> {
  const models = await Promise.all(['mean', 'popularity', 'failing'].map((name) => client.getModel(name)));
  return models.flatMap(({ hash, model }) => [hash, model?.revision ?? '', model?.state.toString() ?? '']);
}
