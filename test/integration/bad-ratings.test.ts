import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { rating, retraction } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { type Failure, failureOf, readStatus } from '../support/status.ts';

/** What is wrong with ratings: each mistake is refused with its field, by Rate and in a RateStream, and changes nothing. */

const DAY_SECONDS = 24 * 3600;
const RATINGS_MAX = 2000;
const server = await TestServer.start({ after }, { limits: { ratingsPerBatch: RATINGS_MAX, messageBytes: 2 ** 21 } });
const { client } = server;
await client.rate([rating('ann', 'matrix', 4)], { requestId: 'first' });

interface Case {
  readonly name: string;
  readonly request: Partial<RateRequest>;
  readonly fields: readonly string[];
  /** What the description of the first field says. */
  readonly says?: RegExp;
}

const at = (seconds: number, nanos = 0) =>
  rating('ann', 'matrix', 4, { eventTime: { seconds: BigInt(seconds), nanos } });
const now = () => Math.floor(Date.now() / 1000);
const weighted = (weight: number) => rating('ann', 'matrix', 4, { weight });
const one = (name: string, bad: ReturnType<typeof rating>, field: string, says?: RegExp): Case => ({
  name,
  request: { ratings: [bad] },
  fields: [`ratings[0].${field}`],
  says,
});

const CASES: readonly Case[] = [
  one('an empty user', rating('', 'matrix', 4), 'user_id', /is empty/),
  one('an empty item', rating('ann', '', 4), 'item_id', /is empty/),
  one('a user of 257 bytes', rating('u'.repeat(257), 'matrix', 4), 'user_id', /257 bytes, and 256/),
  one('an item of 257 bytes, not characters', rating('ann', 'ü'.repeat(129), 4), 'item_id', /258 bytes, and 256/),
  one('a line feed in a user', rating('ann\n', 'matrix', 4), 'user_id', /control/),
  one('a NUL in an item', rating('ann', 'ma\0trix', 4), 'item_id', /control/),
  one('a DEL in an item', rating('ann', 'matrix\x7f', 4), 'item_id', /control/),
  one('a control character of two bytes', rating('ann', 'matrix\x85', 4), 'item_id', /control/),
  one('no value', rating('ann', 'matrix', undefined), 'value', /missing/),
  one('a value that is no number', rating('ann', 'matrix', Number.NaN), 'value', /NaN/),
  one('an endless value', rating('ann', 'matrix', Number.POSITIVE_INFINITY), 'value', /Infinity/),
  one('an endless negative value', rating('ann', 'matrix', Number.NEGATIVE_INFINITY), 'value', /-Infinity/),
  one('a value above the scale', rating('ann', 'matrix', 5.000001), 'value', /1 to 5/),
  one('a value below the scale', rating('ann', 'matrix', 0.999999), 'value', /1 to 5/),
  one('a weight that is no number', weighted(Number.NaN), 'weight', /NaN/),
  one('a negative weight', weighted(-0.1), 'weight', /0 to 10/),
  one('a weight above 10', weighted(10.01), 'weight', /0 to 10/),
  one('an endless weight', weighted(Number.POSITIVE_INFINITY), 'weight', /Infinity/),
  one('a time before 1970', at(-1), 'event_time', /before 1970/),
  one('a time more than a day ahead', at(now() + DAY_SECONDS + 60), 'event_time', /ahead/),
  one('a time with negative nanoseconds', at(1, -1), 'event_time', /nanoseconds/),
  one('a time with too many nanoseconds', at(1, 1_000_000_000), 'event_time', /nanoseconds/),
  one('a kind that is not configured', rating('ann', 'matrix', 4, { kind: 'click' }), 'kind', /click.*not configured/),
  one(
    'a recommendation id of 65 bytes',
    rating('ann', 'matrix', 4, { recommendationId: 'r'.repeat(65) }),
    'recommendation_id',
  ),
  one('a retraction without a user', retraction('', 'matrix'), 'user_id'),
  { name: 'no ratings', request: { ratings: [] }, fields: ['ratings'], says: /is empty/ },
  {
    name: 'too many ratings',
    request: { ratings: Array.from({ length: RATINGS_MAX + 1 }, () => rating('ann', 'matrix', 4)) },
    fields: ['ratings'],
    says: /2001 ratings, and 2000/,
  },
  {
    name: 'a request_id of 37 characters',
    request: { requestId: 'r'.repeat(37), ratings: [rating('ann', 'matrix', 4)] },
    fields: ['request_id'],
  },
  {
    name: 'a request_id that is not ASCII',
    request: { requestId: 'zürich', ratings: [rating('ann', 'matrix', 4)] },
    fields: ['request_id'],
  },
  {
    name: 'predictions of 17 models',
    request: { returnPredictions: Array(17).fill('mean'), ratings: [rating('ann', 'matrix', 4)] },
    fields: ['return_predictions'],
  },
  {
    name: 'one bad rating among good ones',
    request: { ratings: [rating('ann', 'alien', 4), rating('ann', 'brazil', 6), rating('ann', 'casino', 4)] },
    fields: ['ratings[1].value'],
  },
  {
    name: 'every bad field of every rating',
    request: {
      requestId: '\t',
      ratings: [
        rating('', '', 9, { weight: 11 }),
        rating('ann', 'alien', 4),
        rating('ann', 'x\n', undefined, { kind: 'view' }),
      ],
    },
    fields: [
      'request_id',
      'ratings[0].user_id',
      'ratings[0].item_id',
      'ratings[0].value',
      'ratings[0].weight',
      'ratings[2].item_id',
      'ratings[2].kind',
    ],
  },
];

for (const { name, request, fields, says = /./ } of CASES) {
  test(`${name}: INVALID_FIELD`, async () => {
    const before = await stateOf();
    for (const failure of [
      await rateRefused(request),
      await rateRefused({ ...request, validateOnly: true }),
      await streamRefused(request),
    ]) {
      assert.deepEqual([failure.code, failure.reason], ['INVALID_ARGUMENT', 'INVALID_FIELD']);
      assert.deepEqual(Object.keys(failure.fields), fields);
      assert.match(failure.fields[fields[0]], says);
      assert.equal(failure.retryMs, undefined);
    }
    assert.deepEqual(await stateOf(), before);
  });
}

test('of many mistakes as many are named as fit, and the rest is counted', async () => {
  const ratings = Array.from({ length: RATINGS_MAX }, (_, n) => rating(`user-${n}`, 'matrix', 7));
  const { fields, message } = await rateRefused({ ratings });
  assert.equal(fields['ratings[0].value'], 'is 7: it must be on the scale, 1 to 5');
  const named = Object.keys(fields).filter((field) => /^ratings\[\d+\]\.value$/.test(field)).length;
  assert(named >= 40 && named <= 100, `${named} fields are named`);
  assert.match(message, /and 1999 more/);
  const more = Object.values(fields).find((description) => /more violations/.test(description));
  assert.equal(more, `and ${RATINGS_MAX - named} more violations`);
});

for (const [min, max] of [
  [0, 1],
  [-10, 10],
  [0, 10],
]) {
  test(`on the scale ${min}..${max} its ends are ratings, and what lies beyond is not`, async (t) => {
    const { client: scaled } = await TestServer.start(t, { rating: { min, max } });
    const { acceptedCount } = await scaled.rate([rating('ann', 'low', min), rating('ann', 'high', max)]);
    assert.equal(acceptedCount, 2);
    for (const value of [min - 1e-9, max + 1e-9]) {
      const { reason, fields } = await failureOf(scaled.rate([rating('ann', 'matrix', value)]));
      assert.deepEqual([reason, ...Object.keys(fields)], ['INVALID_FIELD', 'ratings[0].value']);
      assert.match(fields['ratings[0].value'], new RegExp(`${min} to ${max}`));
    }
    const [high, low] = await scaled.allRatings('ann');
    assert.deepEqual([low.value, high.value], [min, max]);
  });
}

test('what is just allowed is accepted', async () => {
  const longest = { userId: 'u'.repeat(256), itemId: 'ü'.repeat(128), recommendationId: 'r'.repeat(64) };
  const good = [
    rating('ann', 'alien', 1, longest),
    rating('ann', 'brazil', 5, { weight: 0 }),
    rating('ann', 'casino', 3, { weight: 10 }),
    at(0),
    at(now() + DAY_SECONDS - 60, 999_999_999),
    retraction('nobody', 'nothing'),
    rating('ann', 'matrix', Number.NaN, { retract: true }),
  ];
  const { acceptedCount } = await client.rate(good, { requestId: 'r'.repeat(36) });
  assert.equal(acceptedCount, good.length);
});

test('as many ratings as allowed are accepted', async () => {
  const ratings = Array.from({ length: RATINGS_MAX }, (_, n) => rating(`user-${n}`, 'matrix', 3));
  assert.equal((await client.rate(ratings)).acceptedCount, RATINGS_MAX);
});

async function rateRefused(request: Partial<RateRequest>): Promise<Failure> {
  return failureOf(client.rate(request.ratings ?? [], request));
}

/** The refusal comes in its place, and the stream goes on. */
async function streamRefused(request: Partial<RateRequest>): Promise<Failure> {
  const stream = client.rateStream();
  stream.send(RateRequest.fromPartial(request));
  stream.send(RateRequest.fromPartial({ ratings: [rating('ann', 'alien', 4)], validateOnly: true }));
  const [refused, accepted, ...more] = await stream.finish();
  assert.equal(more.length, 0);
  assert.equal(accepted.error, undefined);
  assert.equal(accepted.acceptedCount, 1);
  const { error, ...rest } = refused;
  assert(error);
  assert.deepEqual(rest, { revision: '', acceptedCount: 0, duplicate: false, predictions: [] });
  return readStatus(error);
}

/** Hashes over all that could have been learned. */
async function stateOf(): Promise<string[]> {
  const models = await Promise.all(['mean', 'popularity'].map((name) => client.getModel(name)));
  return models.flatMap(({ hash, model }) => [hash, model?.revision ?? '']);
}
