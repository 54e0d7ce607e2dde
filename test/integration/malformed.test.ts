import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CatalogServiceService } from '../../proto/gen/accrete/v1/catalog.ts';
import { ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { RateRequest, RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { UserServiceService } from '../../proto/gen/accrete/v1/user.ts';
import { type Method, withBytes } from '../support/client.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { errorOf, failureOf, readFailure } from '../support/status.ts';

/** Bytes that are no message, and messages that are too large. */

const MIB = 2 ** 20;
const { client } = await TestServer.start({ after }, { limits: { messageBytes: MIB } });
const good = rating('ann', 'casino', 4);

/** All methods that work, those of one request: bytes that are no message. */
const METHODS: Readonly<Record<string, Method<never, unknown>>> = {
  Rate: RecommenderServiceService.rate,
  Recommend: RecommenderServiceService.recommend,
  Evaluate: RecommenderServiceService.evaluate,
  ListModels: ModelServiceService.listModels,
  GetModel: ModelServiceService.getModel,
  ListRatings: UserServiceService.listRatings,
  UpsertUsers: UserServiceService.upsertUsers,
  UpsertItems: CatalogServiceService.upsertItems,
  DeleteItems: CatalogServiceService.deleteItems,
  PutScenario: ModelServiceService.putScenario,
};

const MALFORMED: Readonly<Record<string, readonly number[]>> = {
  'a text that ends too early': [0x0a, 0x05, 0x61],
  'a varint without end': [0x08, ...Array(10).fill(0xff), 0xff],
  'a wire type that does not exist': [0x0f],
  'a group that is not closed': [0x7b],
};

for (const [method, definition] of Object.entries(METHODS)) {
  for (const [what, bytes] of Object.entries(MALFORMED)) {
    test(`${method} with ${what}: MALFORMED_MESSAGE`, async () => {
      const { code, reason, fields } = await failureOf(send(definition, Buffer.from(bytes)));
      assert.deepEqual([code, reason, fields], ['INVALID_ARGUMENT', 'MALFORMED_MESSAGE', {}]);
    });
  }
}

test('texts that are not UTF-8: MALFORMED_MESSAGE, in every call and at any depth', async () => {
  const text = [0x0a, 0x02, 0xc3, 0x28];
  const { Rate, Recommend, GetModel, ListRatings, DeleteItems } = METHODS;
  for (const [definition, bytes] of [
    ...[Rate, Recommend, GetModel, ListRatings, DeleteItems].map((method) => [method, text] as const),
    ...[METHODS.UpsertItems, METHODS.PutScenario].map((method) => [method, [0x0a, text.length, ...text]] as const),
  ]) {
    const { code, reason } = await failureOf(send(definition, Buffer.from(bytes)));
    assert.deepEqual([code, reason], ['INVALID_ARGUMENT', 'MALFORMED_MESSAGE']);
  }
});

test('RateStream with malformed bytes: what was asked before is answered, then it ends with MALFORMED_MESSAGE', async () => {
  const before = await stateOf();
  for (const bytes of Object.values(MALFORMED)) {
    const stream = client.open(withBytes(RecommenderServiceService.rateStream));
    stream.send(
      Buffer.from(RateRequest.encode(RateRequest.fromPartial({ ratings: [good], validateOnly: true })).finish()),
    );
    stream.send(Buffer.from(bytes));
    stream.send(
      Buffer.from(RateRequest.encode(RateRequest.fromPartial({ ratings: [good], validateOnly: true })).finish()),
    );
    assert.equal((await stream.next())?.acceptedCount, 1);
    const failure = readFailure(await errorOf(stream.next()));
    assert.deepEqual([failure.code, failure.reason], ['INVALID_ARGUMENT', 'MALFORMED_MESSAGE']);
  }
  assert.equal(await stateOf(), before);
});

test('texts whose characters take two units, wherever a message cuts them off: refused, and the server stays up', async () => {
  for (const before of ['', 'x']) {
    const name = before + '\u{1f600}'.repeat(2000);
    const refused = [
      client.getModel(name),
      client.recommend('ann', { model: name }),
      client.upsertItems([{ itemId: 'casino' }], { updateMask: [name] }),
    ];
    for (const asked of refused) assert.match((await failureOf(asked)).code, /^(INVALID_ARGUMENT|NOT_FOUND)$/);
  }
});

test('any bytes are answered or refused with details', async () => {
  const random = randomNumbers(7);
  const request = Buffer.from(
    RateRequest.encode(
      RateRequest.fromPartial({ requestId: 'fuzz', ratings: [good, good], validateOnly: true }),
    ).finish(),
  );
  for (let n = 0; n < 300; n++) {
    const bytes = Buffer.from(request);
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    for (const definition of [RecommenderServiceService.rate, RecommenderServiceService.recommend]) {
      await send(definition, bytes).catch((error) =>
        assert.match(readFailure(error).code, /^(INVALID_ARGUMENT|UNIMPLEMENTED|NOT_FOUND)$/),
      );
    }
  }
});

test('fields of a later version are passed over', async () => {
  const bytes = RateRequest.encode(RateRequest.fromPartial({ ratings: [good], validateOnly: true })).finish();
  const later = Buffer.concat([bytes, Buffer.from([0xf2, 0x07, 0x02, 0x68, 0x69])]);
  const { acceptedCount } = await client.call(withBytes(RecommenderServiceService.rate), later);
  assert.equal(acceptedCount, 1);
});

test('a message over the limit is refused by the library, without details, and the server goes on', async () => {
  const before = await stateOf();
  const tooLarge = Buffer.alloc(MIB + 1);
  for (const definition of Object.values(METHODS)) {
    const error = await errorOf(send(definition, tooLarge));
    assert.equal(error.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(error.metadata.get('grpc-status-details-bin'), []);
  }
  const stream = client.open(withBytes(RecommenderServiceService.rateStream));
  stream.send(tooLarge);
  assert.equal((await errorOf(stream.next())).code, status.RESOURCE_EXHAUSTED);
  assert.equal(await stateOf(), before);
});

test('a message as large as the limit is taken', async () => {
  const { acceptedCount } = await client.call(withBytes(RecommenderServiceService.rate), padded(MIB));
  assert.equal(acceptedCount, 1);
});

/** One answer, or what the call failed with. */
async function send(definition: Method<never, unknown>, bytes: Buffer): Promise<unknown> {
  if (definition === METHODS.Evaluate) return client.collect(withBytes(definition), bytes);
  return client.call(withBytes(definition), bytes);
}

/** A good request of so many bytes: the rest is in a field that nobody knows. */
function padded(bytes: number): Buffer {
  const request = RateRequest.encode(RateRequest.fromPartial({ ratings: [good], validateOnly: true })).finish();
  const head = Buffer.from([0xf2, 0x07, 0x80, 0x80, 0x80, 0x00]);
  const rest = bytes - request.length - head.length;
  head[2] |= rest & 0x7f;
  head[3] |= (rest >> 7) & 0x7f;
  head[4] |= (rest >> 14) & 0x7f;
  return Buffer.concat([request, head, Buffer.alloc(rest)]);
}

/** A hash over all that could have been learned. */
async function stateOf(): Promise<string> {
  return (await client.getModel('mean')).hash;
}
