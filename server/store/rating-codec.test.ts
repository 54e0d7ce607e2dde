import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccreteError } from '../errors.ts';
import { HAS_TIME, HAS_VALUE, HAS_WEIGHT, RatingBatch, RETRACT } from './rating-batch.ts';
import { decodeRateRequest } from './rating-codec.ts';

const batch = new RatingBatch(3);

/** `05`, `"text"` or `[…]` (a length and what follows), joined into bytes. */
type Part = string | Buffer;

function bytesOf(...parts: Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part.replaceAll(' ', ''), 'hex') : part)),
  );
}

function sized(...parts: Part[]): Buffer {
  const bytes = bytesOf(...parts);
  assert(bytes.length < 128);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function text(value: string): Buffer {
  return sized(Buffer.from(value));
}

function rating(...parts: Part[]): Buffer {
  return bytesOf('12', sized(...parts));
}

function decode(...parts: Part[]): RatingBatch {
  decodeRateRequest(bytesOf(...parts), batch);
  return batch;
}

function userOf(row: number): string {
  return batch.text(batch.userStart[row], batch.userLength[row]);
}

test('every field is decoded', () => {
  const fields = [
    '0a',
    text('ann'),
    '12',
    text('bambi'),
    '19 0000000000000c40',
    '22',
    sized('08 01 10 02'),
    '2a',
    text('click'),
  ];
  decode(
    '0a',
    text('r-1'),
    rating(...fields, '31 000000000000e03f', '3a', text('rec'), '40 01'),
    '18 01',
    '22',
    text('mf'),
  );
  assert.equal(batch.count, 1);
  assert.equal(batch.requestId, 'r-1');
  assert.equal(batch.validateOnly, true);
  assert.deepEqual(batch.returnPredictions, ['mf']);
  assert.equal(userOf(0), 'ann');
  assert.equal(batch.text(batch.itemStart[0], batch.itemLength[0]), 'bambi');
  assert.equal(batch.text(batch.kindStart[0], batch.kindLength[0]), 'click');
  assert.equal(batch.text(batch.recommendationStart[0], batch.recommendationLength[0]), 'rec');
  assert.equal(batch.flags[0], HAS_VALUE | HAS_TIME | HAS_WEIGHT | RETRACT);
  assert.deepEqual([batch.value[0], batch.weight[0], batch.timeSeconds[0], batch.timeNanos[0]], [3.5, 0.5, 1, 2]);
});

test('what is absent is as documented, also after a fuller message', () => {
  decode(
    '0a',
    text('r-1'),
    rating('0a', text('ann'), '31 000000000000e03f', '22', sized('08 01')),
    '18 01',
    '22',
    text('mf'),
  );
  decode(rating());
  assert.deepEqual([batch.count, batch.requestId, batch.validateOnly, batch.returnPredictionsCount], [1, '', false, 0]);
  assert.deepEqual([userOf(0), batch.flags[0], batch.value[0], batch.weight[0]], ['', 0, Number.NaN, 1]);
  assert.deepEqual([batch.timeSeconds[0], batch.timeNanos[0], batch.ranges], [0, 0, [0, 2]]);
  decode();
  assert.deepEqual([batch.count, batch.ranges], [0, []]);
});

test('of a field that comes twice the last counts, and the parts of event_time are merged', () => {
  decode(rating('0a', text('ann'), '0a', text('bob'), '40 01', '40 00', '22', sized('10 07'), '22', sized('08 05')));
  assert.equal(userOf(0), 'bob');
  assert.equal(batch.flags[0], HAS_TIME);
  assert.deepEqual([batch.timeSeconds[0], batch.timeNanos[0]], [5, 7]);
});

test('a bool is true for any number but 0', () => {
  for (const number of ['01', '02', '8001', '8080808010', '80808080808080808001']) {
    assert.equal(decode('18', number).validateOnly, true, number);
  }
  assert.equal(decode('18 01 18 8000').validateOnly, false);
});

test('negative and large times are exact', () => {
  decode(rating('22', sized('08 ffffffffffffffffff01', '10 ffffffffffffffffff01')));
  assert.deepEqual([batch.timeSeconds[0], batch.timeNanos[0]], [-1, -1]);
  decode(rating('22', sized('08 808080808020')));
  assert.equal(batch.timeSeconds[0], 2 ** 40);
});

test('unknown fields of every wire type are passed over, and known ones of another type', () => {
  const unknown = [
    '48 01',
    '49 0102030405060708',
    '4a',
    text('x'),
    '4d 01020304',
    '4b 08 01 4b 4c 4c',
    'fa ff ff ff 0f 01 00',
  ];
  decode(...unknown, rating(...unknown, '0a', text('ann'), '0d 01020304', '18 05'), '12', sized(...unknown), '10 01');
  assert.deepEqual([batch.count, userOf(0), batch.flags[0]], [2, 'ann', 0]);
});

test('the ranges of the ratings leave out what stands between', () => {
  decode(rating('0a', text('a')), rating('0a', text('b')), '0a', text('r'), rating('0a', text('c')));
  assert.deepEqual(batch.ranges, [0, 10, 13, 18]);
});

test('ratings beyond the maximum are counted, checked and not kept', () => {
  decode(...['a', 'b', 'c', 'd', 'e', 'f'].map((user) => rating('0a', text(user))));
  assert.equal(batch.count, 6);
  assert.deepEqual([userOf(0), userOf(2)], ['a', 'c']);
  assert.throws(() => decode(rating(), rating(), rating(), rating(), rating('0a 05')), AccreteError);
});

test('names beyond the maximum are counted and not kept', () => {
  decode(...Array.from({ length: 20 }, () => bytesOf('22', text('m'))));
  assert.deepEqual([batch.returnPredictions.length, batch.returnPredictionsCount], [16, 20]);
});

const MALFORMED: readonly [name: string, parts: Part[], offset: number, what: RegExp][] = [
  ['a varint without end', ['18 80'], 1, /cut off/],
  ['a varint of 11 bytes', ['18 8080808080808080808001'], 1, /longer than 10 bytes/],
  ['field number 0', ['18 01 00 01'], 2, /0 is no tag/],
  ['wire type 6', ['0e'], 0, /14 is no tag/],
  ['wire type 7', [rating('0f 01')], 2, /15 is no tag/],
  ['a tag of six bytes', ['8a8080808000 00'], 0, /tag is too long/],
  ['a tag beyond 32 bits', ['8a80808010 00'], 0, /tag is too long/],
  ['a length past the end', ['0a 05 61'], 1, /length of 5/],
  ['a length past the rating', [rating('0a 05 61'), '0a 03 616263'], 3, /length of 5/],
  ['a length of 2^32 and more', ['0a 8080808010 61'], 1, /length of/],
  ['a double past the rating', [rating('19 0102'), '0a 0a 61616161616161616161'], 3, /double is cut off/],
  ['a double one byte past the rating', [rating('19 01020304050607'), '18 01'], 3, /double is cut off/],
  ['an unknown fixed64 past the end', ['49 01'], 1, /8 bytes runs past/],
  ['an unknown fixed32 past the rating', [rating('4d 010203'), '18 01'], 3, /4 bytes runs past/],
  ['an unknown fixed32 past the end', ['4d 01'], 1, /4 bytes runs past/],
  ['a group that does not end', ['4b 08 01'], 1, /group 9 does not end/],
  ['a group that ends as another', ['4b 54'], 2, /group 10 ends/],
  ['the end of no group', ['4c'], 1, /group 9 ends/],
  ['groups too deep', [Buffer.alloc(101, 0x4b), Buffer.alloc(101, 0x4c)], 101, /deeper than 100/],
  ['Latin-1 in a string', ['0a 01 e9'], 2, /not UTF-8/],
  ['a surrogate in a string', [rating('0a 03 eda080')], 4, /not UTF-8/],
  ['an overlong character', [rating('2a 02 c080')], 4, /not UTF-8/],
];

for (const [name, parts, offset, what] of MALFORMED) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => decode(...parts),
      (error) => {
        assert(error instanceof AccreteError);
        assert.equal(error.reason, 'MALFORMED_MESSAGE');
        assert.match(error.message, what);
        assert.equal(error.metadata.offset, String(offset));
        return true;
      },
    );
  });
}

test('100 groups within each other are passed over', () => {
  decode(Buffer.alloc(100, 0x4b), Buffer.alloc(100, 0x4c), rating('0a', text('ann')));
  assert.equal(userOf(0), 'ann');
});
