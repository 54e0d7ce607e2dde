import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { RateRequest, RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { Gate, heldRating } from '../support/gate.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { errorOf } from '../support/status.ts';

/** Whoever stops waiting is not waited for; what they sent may have been taken, and can be sent again. */

const gate = new Gate({ after });
const server = await TestServer.start({ after }, { models: [...TEST_CONFIG.models, gate.model] });
const { client } = server;
gate.open();
beforeEach(() => gate.shut());

test('a Rate that is not answered in time: DEADLINE_EXCEEDED; sent again it is a duplicate', async () => {
  const held = [heldRating('ann', 'matrix')];
  const late = await errorOf(client.rate(held, { requestId: 'late' }, { deadline: Date.now() + 150 }));
  assert.equal(late.code, status.DEADLINE_EXCEEDED);
  const again = client.rate(held, { requestId: 'late' });
  gate.open();
  assert.equal((await again).duplicate, true);
  assert.equal((await client.allRatings('ann')).length, 1);
});

test('a Rate that its client gives up: CANCELLED; sent again it is a duplicate', async () => {
  const request = RateRequest.fromPartial({ requestId: 'given-up', ratings: [heldRating('bob', 'matrix')] });
  const given = client.open(RecommenderServiceService.rate);
  given.send(request);
  given.call.end();
  await gate.held();
  given.call.cancel();
  assert.equal((await errorOf(given.next())).code, status.CANCELLED);
  const again = client.rate(request.ratings, request);
  gate.open();
  assert.equal((await again).duplicate, true);
});

test('hashes are waited for within the deadline', async () => {
  const held = client.rate([heldRating('cid', 'matrix')]);
  await gate.held();
  const late = await errorOf(client.getModel('mean', { deadline: Date.now() + 150 }));
  assert.equal(late.code, status.DEADLINE_EXCEEDED);
  gate.open();
  await held;
  assert.equal((await client.getModel('mean')).model?.name, 'mean');
});
