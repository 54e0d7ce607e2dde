import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { User } from '../../proto/gen/accrete/v1/user.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** What callers tell of users: kept whole and found again; it makes nobody less of a stranger to the models. */

const server = await TestServer.start({ after });
const { client } = server;
const hash = async () => (await client.getModel('mean')).hash;

const whole: Partial<User> = {
  userId: 'ann',
  labels: ['premium', '\u{1f600}'],
  attributes: { born: 1990, tester: false, likes: ['drama'], scores: [1, 2.5] },
  embeddings: { profile: { values: [0.25, -3] } },
};

test('a user comes back as they were told of', async () => {
  const { createdCount, updatedCount } = await client.upsertUsers([whole, { userId: 'ben' }]);
  assert.deepEqual([createdCount, updatedCount], [2, 0]);
  const { user, ratingCount } = await client.getUser('ann');
  assert.deepEqual([user, ratingCount], [User.fromPartial(whole), 0n]);
});

test('an upsert replaces all that was known, and the ratings stay', async () => {
  await client.rate([rating('cleo', 'matrix', 4), rating('cleo', 'alien', 2)]);
  assert.deepEqual((await client.getUser('cleo')).user, User.fromPartial({ userId: 'cleo' }));
  await client.upsertUsers([{ userId: 'cleo', labels: ['old'], attributes: { a: 1 } }]);
  const answer = await client.upsertUsers([{ userId: 'cleo', labels: ['new'] }, { userId: 'dora' }]);
  assert.deepEqual([answer.createdCount, answer.updatedCount], [1, 1]);
  const { user, ratingCount, revision } = await client.getUser('cleo');
  assert.deepEqual([user, ratingCount], [User.fromPartial({ userId: 'cleo', labels: ['new'] }), 2n]);
  assert.equal(revision, answer.revision);
});

test('a mask replaces what it names, and nothing else', async () => {
  await client.upsertUsers([{ ...whole, userId: 'masked' }]);
  await client.upsertUsers([{ userId: 'masked', labels: ['x'], attributes: { y: 2 } }], { updateMask: ['attributes'] });
  const expected = User.fromPartial({ ...whole, userId: 'masked', attributes: { y: 2 } });
  assert.deepEqual((await client.getUser('masked')).user, expected);
});

test('validate_only says what would be, and nothing changes', async () => {
  const before = await hash();
  const answer = await client.upsertUsers([{ userId: 'ann' }, { userId: 'emil' }], { validateOnly: true });
  assert.deepEqual(answer, { revision: '', createdCount: 1, updatedCount: 1 });
  assert.equal(await hash(), before);
});

test('nobody is made known by asking for them', async () => {
  const before = await hash();
  const { code, reason, metadata } = await failureOf(client.getUser('nobody'));
  assert.deepEqual([code, reason, metadata], ['NOT_FOUND', 'USER_NOT_FOUND', { user_id: 'nobody' }]);
  assert.equal(await hash(), before);
});

test('who was told of and has rated nothing is a stranger to the models', async () => {
  const { items, fallbackReason } = await client.recommend('ben');
  assert.deepEqual([items.length > 0, fallbackReason], [true, 'UNKNOWN_USER']);
  await client.rate([rating('ben', 'matrix', 3)]);
  assert.equal((await client.recommend('ben')).fallbackReason, '');
});

test('all of it is there after a restart, with the same hashes', async () => {
  const before = [await client.getModel('mean'), await client.getUser('ann')];
  await server.restart();
  assert.deepEqual([await server.client.getModel('mean'), await server.client.getUser('ann')], before);
});
