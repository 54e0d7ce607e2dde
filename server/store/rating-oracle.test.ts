import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { AccreteError } from '../errors.ts';
import { HAS_TIME, HAS_VALUE, HAS_WEIGHT, RatingBatch, RETRACT } from './rating-batch.ts';
import { decodeRateRequest } from './rating-codec.ts';

/** A request as plain values: what the columns say, read back. */
interface Request {
  readonly requestId: string;
  readonly validateOnly: boolean;
  readonly returnPredictions: readonly string[];
  readonly ratings: readonly Rating[];
}

interface Rating {
  readonly userId: string;
  readonly itemId: string;
  readonly value?: number | undefined;
  readonly time: readonly [seconds: number, nanos: number] | undefined;
  readonly kind: string;
  readonly weight?: number | undefined;
  readonly recommendationId: string;
  readonly retract: boolean;
}

const batch = new RatingBatch(50);

function decode(bytes: Uint8Array): Request {
  decodeRateRequest(bytes, batch);
  assert.equal(batch.ranges.length % 2, 0);
  return {
    requestId: batch.requestId,
    validateOnly: batch.validateOnly,
    returnPredictions: [...batch.returnPredictions],
    ratings: Array.from({ length: batch.count }, (_, row) => ratingOf(row)),
  };
}

function ratingOf(row: number): Rating {
  const { flags } = batch;
  return {
    userId: batch.text(batch.userStart[row], batch.userLength[row]),
    itemId: batch.text(batch.itemStart[row], batch.itemLength[row]),
    value: flags[row] & HAS_VALUE ? batch.value[row] : undefined,
    time: flags[row] & HAS_TIME ? [batch.timeSeconds[row], batch.timeNanos[row]] : undefined,
    kind: batch.text(batch.kindStart[row], batch.kindLength[row]),
    weight: flags[row] & HAS_WEIGHT ? batch.weight[row] : undefined,
    recommendationId: batch.text(batch.recommendationStart[row], batch.recommendationLength[row]),
    retract: (flags[row] & RETRACT) !== 0,
  };
}

/** The message, or why it was refused, which must be for one reason only. */
function attempt(bytes: Uint8Array): Request | string {
  try {
    return decode(bytes);
  } catch (error) {
    assert(error instanceof AccreteError, `it threw ${error}`);
    assert.equal(error.reason, 'MALFORMED_MESSAGE');
    const offset = Number(error.metadata.offset);
    assert(offset >= 0 && offset <= bytes.length, `offset ${offset}`);
    return error.message;
  }
}

// --- The same message by generated code, and by a decoder as plain as the specification. ---

/**
 * What ts-proto makes of it, less the times: of two it takes the last where the official parsers merge them. It takes
 * much that those refuse: an end of no group, a field past the end of its message, strings that are not UTF-8.
 */
function byGeneratedCode(bytes: Uint8Array): Request | undefined {
  try {
    const { requestId, validateOnly, returnPredictions, ratings } = RateRequest.decode(bytes);
    const plain = ratings.map(({ eventTime: _, ...rating }) => ({ ...rating, time: undefined }));
    return { requestId, validateOnly, returnPredictions, ratings: plain };
  } catch {
    return undefined;
  }
}

function withoutTimes(request: Request): Request {
  return { ...request, ratings: request.ratings.map((rating) => ({ ...rating, time: undefined })) };
}

interface Field {
  readonly number: number;
  readonly type: number;
  readonly bytes: Buffer;
  readonly integer: bigint;
}

/** Splits a message into its fields, by the letter. Throws on anything malformed. */
function split(bytes: Buffer, group?: number): { fields: Field[]; rest: Buffer } {
  const fields: Field[] = [];
  let rest = bytes;
  const take = (count: number): Buffer => {
    if (count > rest.length) throw new RangeError('cut off');
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  };
  const varint = (max: number): bigint => {
    let value = 0n;
    for (let i = 0; i < max; i++) {
      const byte = take(1)[0];
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('too long');
  };
  while (rest.length > 0) {
    const tag = varint(5);
    const [number, type] = [Number(tag >> 3n), Number(tag & 7n)];
    if (number === 0 || tag >= 1n << 32n || type > 5) throw new RangeError('no tag');
    if (type === 4) {
      if (number !== group) throw new RangeError('another group');
      return { fields, rest };
    }
    let content = Buffer.alloc(0) as Buffer;
    let integer = 0n;
    if (type === 0) integer = varint(10);
    else if (type === 1) content = take(8);
    else if (type === 5) content = take(4);
    else if (type === 2) content = take(Number(varint(10)));
    else rest = split(rest, number).rest;
    fields.push({ number, type, bytes: content, integer });
  }
  if (group !== undefined) throw new RangeError('no end');
  return { fields, rest };
}

function bySpecification(bytes: Uint8Array): Request | undefined {
  try {
    const { fields } = split(Buffer.from(bytes));
    const of = (number: number, type: number) =>
      fields.filter((field) => field.number === number && field.type === type);
    return {
      requestId: of(1, 2).map(text).at(-1) ?? '',
      ratings: of(2, 2).map((field) => ratingBySpecification(field.bytes)),
      validateOnly: (of(3, 0).at(-1)?.integer ?? 0n) !== 0n,
      returnPredictions: of(4, 2).map(text).slice(0, 16),
    };
  } catch {
    return undefined;
  }
}

function ratingBySpecification(bytes: Buffer): Rating {
  const { fields } = split(bytes);
  const of = (number: number, type: number) => fields.filter((field) => field.number === number && field.type === type);
  const times = of(4, 2).map((field) => split(field.bytes).fields);
  const last = (number: number) => times.flat().findLast((field) => field.number === number && field.type === 0);
  return {
    userId: of(1, 2).map(text).at(-1) ?? '',
    itemId: of(2, 2).map(text).at(-1) ?? '',
    value: of(3, 1).at(-1)?.bytes.readDoubleLE(),
    time:
      times.length === 0
        ? undefined
        : [Number(BigInt.asIntN(64, last(1)?.integer ?? 0n)), Number(BigInt.asIntN(32, last(2)?.integer ?? 0n))],
    kind: of(5, 2).map(text).at(-1) ?? '',
    weight: of(6, 1).at(-1)?.bytes.readDoubleLE(),
    recommendationId: of(7, 2).map(text).at(-1) ?? '',
    retract: (of(8, 0).at(-1)?.integer ?? 0n) !== 0n,
  };
}

function text(field: Field): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(field.bytes);
}

// --- Messages to try. ---

const texts = fc.string({ unit: 'grapheme', maxLength: 12 });
const doubles = fc.option(fc.double(), { nil: undefined });
const requests: fc.Arbitrary<RateRequest> = fc.record({
  requestId: texts,
  validateOnly: fc.boolean(),
  returnPredictions: fc.array(texts, { maxLength: 3 }),
  ratings: fc.array(
    fc.record({
      userId: texts,
      itemId: texts,
      value: doubles,
      weight: doubles,
      kind: texts,
      recommendationId: texts,
      retract: fc.boolean(),
      eventTime: fc.option(
        fc.record({ seconds: fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }), nanos: fc.integer() }),
        {
          nil: undefined,
        },
      ),
    }),
    { maxLength: 6 },
  ),
});

/** Changes that keep much of a message: bytes changed, taken out, put in, or repeated. */
const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('change', 'remove', 'insert', 'repeat'),
    at: fc.nat(),
    count: fc.integer({ min: 1, max: 12 }),
    byte: fc.oneof(fc.constantFrom(0, 1, 3, 4, 0x0a, 0x12, 0x13, 0x14, 0x19, 0x22, 0x7f, 0x80, 0xff), fc.nat(255)),
  }),
  { maxLength: 2 },
);

function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Buffer {
  let mutated = Buffer.from(bytes);
  for (const { kind, at, count, byte } of changes) {
    const start = mutated.length === 0 ? 0 : at % mutated.length;
    const head = mutated.subarray(0, start);
    const part = mutated.subarray(start, start + count);
    const tail = mutated.subarray(start + count);
    if (kind === 'change') mutated = Buffer.concat([head, Buffer.from([byte]), mutated.subarray(start + 1)]);
    else if (kind === 'remove') mutated = Buffer.concat([head, tail]);
    else if (kind === 'insert') mutated = Buffer.concat([head, Buffer.from([byte]), part, tail]);
    else mutated = Buffer.concat([head, part, part, tail]);
  }
  return mutated;
}

interface Mutation {
  readonly kind: string;
  readonly at: number;
  readonly count: number;
  readonly byte: number;
}

/** Fields of any number and type, in any order, nested: mostly well-formed, and nothing that an encoder would make. */
function fieldsOf(depth: number): fc.Arbitrary<Buffer> {
  const leaf = texts.map((value) => Buffer.from(value));
  const field = fc
    .record({
      number: fc.oneof(
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 2, 4),
        fc.constantFrom(0, 15, 16, 2 ** 29 - 1),
      ),
      type: fc.oneof(fc.constant(2), fc.nat(5)),
      integer: fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      fixed: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      content: depth === 0 ? leaf : fc.oneof(leaf, fieldsOf(depth - 1)),
    })
    .map(({ number, type, integer, fixed, content }) => {
      const head = varint(BigInt(number) * 8n + BigInt(type));
      if (type === 0) return Buffer.concat([head, varint(integer)]);
      if (type === 1) return Buffer.concat([head, fixed]);
      if (type === 2) return Buffer.concat([head, varint(BigInt(content.length)), content]);
      if (type === 3) return Buffer.concat([head, content, varint(BigInt(number) * 8n + 4n)]);
      return type === 5 ? Buffer.concat([head, fixed.subarray(4)]) : head;
    });
  return fc.array(field, { maxLength: 5 }).map((parts) => Buffer.concat(parts));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A request, or fields at random; then damaged, or not. */
const messages = fc
  .tuple(
    fc.oneof(
      requests.map((request) => Buffer.from(RateRequest.encode(request).finish())),
      fieldsOf(3),
    ),
    mutations,
  )
  .map(([bytes, changes]) => mutate(bytes, changes));

// --- The properties. ---

const RUNS = { numRuns: 3000 };

test('what the generated code encodes is decoded to the same values', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const bytes = RateRequest.encode(request).finish();
      const decoded = attempt(bytes);
      assert.deepEqual(decoded, bySpecification(bytes));
      assert.deepEqual(withoutTimes(decoded as Request), byGeneratedCode(bytes));
      for (const [row, { eventTime }] of request.ratings.entries()) {
        const expected = eventTime && [Number(eventTime.seconds), eventTime.nanos];
        assert.deepEqual((decoded as Request).ratings[row].time, expected);
      }
    }),
    RUNS,
  );
});

test('any message is taken and refused exactly as the specification says', () => {
  let taken = 0;
  fc.assert(
    fc.property(messages, (bytes) => {
      const decoded = attempt(bytes);
      if (typeof decoded !== 'string') taken++;
      assert.deepEqual(typeof decoded === 'string' ? undefined : decoded, bySpecification(bytes));
    }),
    RUNS,
  );
  assert(taken > RUNS.numRuns / 5 && taken < (RUNS.numRuns * 4) / 5, `${taken} were taken: the test shows little`);
});

test('whatever is taken, the generated code takes too, with the same values', () => {
  fc.assert(
    fc.property(messages, (bytes) => {
      const decoded = attempt(bytes);
      if (typeof decoded !== 'string') assert.deepEqual(withoutTimes(decoded), byGeneratedCode(bytes));
    }),
    RUNS,
  );
});

test('random bytes are refused for no other reason, and nothing around them is read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes, around) => {
      const framed = Buffer.concat([around, bytes, around]);
      const part = framed.subarray(around.length, around.length + bytes.length);
      assert.deepEqual(attempt(part), attempt(bytes));
    }),
    RUNS,
  );
});

test('every beginning of a message is refused or taken as the specification says, also in shared memory', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const bytes = RateRequest.encode(request).finish();
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      for (let end = 0; end <= bytes.length; end++) {
        const decoded = attempt(shared.subarray(0, end));
        assert.deepEqual(typeof decoded === 'string' ? undefined : decoded, bySpecification(bytes.subarray(0, end)));
      }
    }),
    { numRuns: 60 },
  );
});
