import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import { RateStreamResponse } from '../../../proto/gen/accrete/v1/recommender.ts';
import { LmdbJournal } from '../../../server/store/lmdb-journal.ts';
import { decodeRecord } from '../../../server/store/record.ts';
import { type Budget, Draws } from '../budget.ts';
import { ATTACKS } from './attacks.ts';
import { FRAME_KINDS, type OddCall, oddBody, oddFrame } from './calls.ts';
import { type RawAnswer, RawClient } from './raw-call.ts';
import { HONEST, Target } from './target.ts';

/** Three ways of fuzzing the live port; each has a server of its own. */

/** Between two looks at how the server is. */
const BATCH = 100;

/** Messages that are wrong, in calls that are right. The journal has what was accepted, as it came, and nothing else. */
export async function fuzzBodies(t: TestContext, { seed, rounds }: Budget): Promise<void> {
  const target = await Target.start(t);
  const { attacked } = target;
  const draws = new Draws(seed);
  const client = new RawClient(attacked.address);
  t.after(() => client.close());
  const accepted: string[] = [];
  for (let n = 1; n <= rounds; n++) {
    const call = oddBody(draws);
    const what = `call ${n} of seed ${seed}, ${call.what}`;
    const answer = await client.call(call);
    requireStatus(answer, what);
    if (call.body && wasLearned(call.path, answer)) accepted.push(describe(call));
    if (n % BATCH === 0) await target.serves(what);
  }
  target.loggedNothing('all calls');
  const before = await statesOf(target);
  await attacked.stop();
  assert.deepEqual(await learnedBodies(attacked.data), accepted);
  await attacked.start();
  assert.deepEqual(await statesOf(target), before, 'a restart comes to the same bytes');
}

/** Calls that are wrong themselves: none of them is learned. */
export async function fuzzFrames(t: TestContext, { seed, rounds }: Budget): Promise<void> {
  const target = await Target.start(t);
  const draws = new Draws(seed);
  const client = new RawClient(target.attacked.address);
  t.after(() => client.close());
  for (let n = 1; n <= rounds; n++) {
    const call = oddFrame(draws, FRAME_KINDS[n % FRAME_KINDS.length]);
    const what = `call ${n} of seed ${seed}, ${call.what}`;
    const answer = await client.call(call);
    if (answer.http !== 415 && (call.end ?? 'end') === 'end') requireStatus(answer, what);
    if (n % BATCH === 0 || n === rounds) await target.serves(what);
  }
  await target.learnedNothingElse('all calls');
  target.loggedNothing('all calls');
}

/** Connections that are wrong. */
export async function fuzzConnections(t: TestContext, { seed, rounds }: Budget, scale = 1): Promise<void> {
  const target = await Target.start(t);
  const draws = new Draws(seed);
  for (let n = 0; n < rounds; n++) {
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const what = `${name}, round ${n} of seed ${seed}`;
      await attack(target.attacked.address, draws, scale);
      await target.serves(what);
    }
    await target.learnedNothingElse(`round ${n} of seed ${seed}`);
    target.loggedNothing(`round ${n} of seed ${seed}`);
  }
}

/** What gRPC demands of its library, which also ends a call whose time was over when it came; such a status has no details. */
const OF_THE_LIBRARY =
  /^(Deadline exceeded$|Failed to decompress message|Invalid grpc-timeout value|Received |The server does not implement|Health status unknown)/;

/** A well-formed status, and none that says that the server has a fault. */
function requireStatus({ http, status: code, message, details, broken }: RawAnswer, what: string): void {
  assert.equal(broken, undefined, `${what}: ${broken}`);
  assert.equal(http, 200, what);
  assert(code !== undefined && status[code] !== undefined, `${what}: status ${code}`);
  if (code === status.OK || OF_THE_LIBRARY.test(message)) return;
  assert(code !== status.INTERNAL && code !== status.UNKNOWN, `${what}: ${status[code]} ${message}`);
  assert.deepEqual([details?.code, details?.message], [code, message], `${what}: details`);
}

/** Whether an answer says that a record was made of the request. */
function wasLearned(path: string, { status: code, body }: RawAnswer): boolean {
  if (code !== status.OK || !/\/(Rate|RateStream|UpsertItems|UpsertUsers)$/.test(path) || body.length < 5) return false;
  // All of them begin with the revision; the rest is of ratings.
  const { revision, duplicate, error } = RateStreamResponse.decode(body.subarray(5, 5 + body.readUInt32BE(1)));
  return revision !== '' && (path.includes('Upsert') || (!duplicate && !error));
}

/** What others than honest clients told of ratings, items and users. */
async function learnedBodies(data: string): Promise<string[]> {
  const journal = await LmdbJournal.open({ directory: join(data, 'journal'), linkBytes: 2 ** 28 });
  try {
    const learned: string[] = [];
    for (const { record, revision } of journal.read(1)) {
      const { type, payload } = decodeRecord(record, revision);
      const isHonest = Buffer.from(payload).includes(HONEST);
      if (type !== 'control' && !isHonest) learned.push(type === 'ratings' ? digest(payload) : type);
    }
    return learned;
  } finally {
    await journal.close();
  }
}

/** Ratings are kept as they came; what is told of items and users is written anew. */
function describe({ path, body }: OddCall): string {
  if (path.endsWith('UpsertItems')) return 'items';
  return path.endsWith('UpsertUsers') ? 'users' : digest(body ?? Buffer.alloc(0));
}

/** Enough to tell bodies apart, and to see what they were. */
function digest(body: Uint8Array): string {
  return `${body.length} ${crc32(body)} ${Buffer.from(body.subarray(0, 100)).toString('latin1')}`;
}

async function statesOf({ attacked: { client } }: Target) {
  const request = { pageSize: 100, pageToken: '' };
  const { models } = await client.call(ModelServiceService.listModels, request);
  return Promise.all(models.map(({ name }) => client.getModel(name)));
}
