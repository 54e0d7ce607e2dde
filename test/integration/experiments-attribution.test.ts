import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { credentials, Client as GrpcClient, type Metadata } from '@grpc/grpc-js';
import { RecommenderServiceService, RecommendRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { layerSalt, pointOf } from '../../server/allocation/point.ts';
import {
  askAll,
  createExperiment,
  getExperiment,
  reportOnce,
  reportWith,
  stopExperiment,
  twoArms,
} from '../support/experiments.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';

/** Whom an experiment answers, and which events come of that. */

const server = await TestServer.start({ after }, { kinds: { click: {}, view: { exposure: true } } });
const { client } = server;
const users = Array.from({ length: 24 }, (_, n) => `user-${n}`);
await client.rate(users.slice(0, 12).map((user, n) => rating(user, `item-${n % 4}`, 3)));
await client.upsertUsers(users.map((userId, n) => ({ userId, labels: [n % 2 === 0 ? 'even' : 'odd'] })));
const arms = twoArms('popularity', 'mean');
const outcomes = async (name: string) => {
  const { report } = await getExperiment(client, name);
  const sum = report?.arms.reduce((all, arm) => all + Number(arm.outcomes), 0);
  return [sum, Number(report?.lateOutcomes), Number(report?.duplicateOutcomes), Number(report?.foreignOutcomes)];
};

test('events within the window count for the latest answer, unless they say no more than that something was shown', async () => {
  await createExperiment(client, { name: 'window', arms, attributionWindow: { seconds: 3600n, nanos: 0 } });
  const { items } = await client.recommend('user-1');
  await reportWith(client, 'window', 1);
  await client.rate([rating('user-1', items[0].itemId, undefined, { kind: 'click' })]);
  assert.deepEqual(await outcomes('window'), [1, 0, 0, 0]);
  await client.rate([rating('user-1', items[0].itemId, undefined, { kind: 'view' })]);
  await client.rate([rating('user-2', items[0].itemId, 4)]);
  assert.deepEqual(await outcomes('window'), [1, 0, 0, 0], 'a view is no outcome, and user-2 was answered nothing');
  await client.rate([rating('user-1', items[0].itemId, undefined, { kind: 'click' })]);
  assert.deepEqual(await outcomes('window'), [1, 0, 1, 0], 'the same again is a duplicate');
  const eventTime = { seconds: BigInt(Math.floor(Date.now() / 1000) + 7200), nanos: 0 };
  await client.rate([rating('user-1', 'item-9', 2, { eventTime })]);
  assert.deepEqual(await outcomes('window'), [1, 0, 1, 0], 'after the window it is nothing');
  await stopExperiment(client, 'window');
});

test('named outcomes count at once; late ones, and those of others, are told apart', async () => {
  await createExperiment(client, { name: 'named', arms, attributionWindow: { seconds: 0n, nanos: 0 } });
  const { recommendationId } = await client.recommend('user-3');
  await client.rate([rating('user-3', 'item-1', 5, { recommendationId })]);
  assert.deepEqual(await outcomes('named'), [1, 0, 0, 0], 'the exposure went before the rating');
  await client.rate([rating('user-4', 'item-1', 5, { recommendationId })]);
  assert.deepEqual(await outcomes('named'), [1, 0, 0, 1], 'it was not for user-4');
  await client.rate([rating('user-3', 'item-2', 5)]);
  assert.deepEqual(await outcomes('named'), [1, 0, 0, 1], 'without a window only names count');
  const soon = Math.floor(Date.now() / 1000);
  const eventTime = { seconds: BigInt(soon + 23 * 3600), nanos: 0 };
  await client.rate([rating('user-3', 'item-0', 5, { recommendationId, eventTime })]);
  assert.deepEqual(await outcomes('named'), [2, 0, 0, 1]);
  const outside = await client.recommend('user-3', { model: 'popularity' });
  await client.rate([rating('user-3', 'item-3', 5, { recommendationId: outside.recommendationId })]);
  assert.deepEqual(await outcomes('named'), [2, 0, 0, 1], 'an answer outside of it is nothing to it');
  await stopExperiment(client, 'named');
});

test('a late outcome is counted as late', async () => {
  await createExperiment(client, { name: 'late', arms, attributionWindow: { seconds: 60n, nanos: 0 } });
  const { recommendationId } = await client.recommend('user-5');
  const eventTime = { seconds: BigInt(Math.floor(Date.now() / 1000) + 120), nanos: 0 };
  await client.rate([rating('user-5', 'item-1', 5, { recommendationId, eventTime })]);
  assert.deepEqual(await outcomes('late'), [0, 1, 0, 0]);
  await stopExperiment(client, 'late');
});

test('only users whom the filter lets through, and the share of a layer, take part', async () => {
  await createExperiment(client, {
    name: 'even',
    arms,
    eligibleFilter: 'labels:"even"',
    layer: 'even',
    eligibleShare: 0.5,
  });
  await createExperiment(client, { name: 'rest', arms, layer: 'even', eligibleShare: 0.5 });
  for (const [user, { arm }] of await askAll(client, users)) {
    const isFirst = pointOf(layerSalt('even'), user) < 2 ** 31;
    const isEven = Number(user.slice(5)) % 2 === 0;
    assert.equal(arm.split('/')[0], isFirst ? (isEven ? 'even' : '') : 'rest', user);
  }
  await Promise.all(['even', 'rest'].map((name) => stopExperiment(client, name)));
});

test('what is assigned may be an entry of the context, also for sessions', async () => {
  await createExperiment(client, { name: 'page', arms, unit: 'context.page' });
  assert.equal((await client.recommend('user-1')).arm, '');
  const arm = (await client.recommend('user-1', { context: { page: 'p1' } })).arm;
  for (const user of users) assert.equal((await client.recommend(user, { context: { page: 'p1' } })).arm, arm);
  const ofSession = await client.recommendAfter(['item-1'], { context: { page: 'p1' } });
  assert.equal(ofSession.arm, arm);
  const report = await reportOnce(client, ({ arms: [a, b] }) => Number(a.exposures + b.exposures) === 26, 'page');
  assert.equal(Number(report.arms[0].units + report.arms[1].units), 1);
  await stopExperiment(client, 'page');
});

test('the arm is in the metadata that precedes the answer', async () => {
  await createExperiment(client, { name: 'told', arms });
  const raw = new GrpcClient(server.address, credentials.createInsecure());
  const metadata = await new Promise<Metadata>((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = RecommenderServiceService.recommend;
    const request = RecommendRequest.fromPartial({ subject: { $case: 'userId', value: 'user-1' } });
    const call = raw.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error) => {
      if (error) reject(error);
    });
    call.on('metadata', resolve);
  });
  raw.close();
  assert.deepEqual(metadata.get('accrete-arm'), [(await client.recommend('user-1')).arm]);
  await stopExperiment(client, 'told');
});
