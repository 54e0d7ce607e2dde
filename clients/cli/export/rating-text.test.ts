import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rating } from '../../../proto/gen/accrete/v1/rating.ts';
import { RateStreamRequest } from '../../../proto/gen/accrete/v1/recommender.ts';
import { makeBatch } from '../import/batches.ts';
import { LineSplitter } from '../import/lines.ts';
import { ratingForm } from '../import/rating-form.ts';
import { RowReader } from '../import/row-reader.ts';
import { FORMATS, type Format } from '../output-file.ts';
import { ratingText } from './rating-text.ts';

/** What an import makes of the lines that an export writes. */
function importOf(ratings: readonly Rating[], format: Format): Rating[] {
  const { header, lineOf } = ratingText(format);
  const splitter = new LineSplitter();
  const reader = new RowReader(ratingForm());
  const lines = splitter.push(Buffer.from(header + ratings.map(lineOf).join('')));
  const rows = [...reader.read([...lines, ...splitter.end()]), ...reader.end()];
  const read = rows.map((row) => ('problem' in row ? assert.fail(`line ${row.line} ${row.problem}`) : row));
  return RateStreamRequest.decode(makeBatch(0, read, 0, { size: 1, run: '', returnPredictions: [] }).message).ratings;
}

const id = fc.string({
  minLength: 1,
  unit: fc.constantFrom('a', '0', '"', ',', ' ', ':', '{', 'é', '\u{1f375}', '\ufeff'),
});
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const rating = fc
  .record({
    userId: id,
    itemId: id,
    value: number,
    eventTime: fc.record({
      seconds: fc.bigInt({ min: 0n, max: 4_000_000_000n }),
      nanos: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    }),
    kind: fc.constantFrom('', 'click'),
    weight: maybe(number),
    recommendationId: fc.constantFrom('', 'r,"1'),
    retract: fc.boolean(),
  })
  .chain((whole) => {
    const needsValue = whole.kind === '' && !whole.retract;
    return fc.boolean().map((has) => Rating.create({ ...whole, value: has || needsValue ? whole.value : undefined }));
  });

for (const format of FORMATS) {
  test(`what is written as ${format} is read as the same, with all digits`, () => {
    fc.assert(
      fc.property(fc.array(rating, { minLength: 1 }), (ratings) => {
        assert.deepEqual(importOf(ratings, format), ratings);
      }),
    );
  });
}

test('lines are as people expect them', () => {
  const plain = Rating.fromPartial({ userId: 'ada', itemId: 'tea', value: 4.5, eventTime: { seconds: 978_300_760n } });
  const click = Rating.fromPartial({
    ...plain,
    value: undefined,
    kind: 'click',
    eventTime: { seconds: 1n, nanos: 5e8 },
  });
  const csv = ratingText('csv');
  assert.equal(csv.header, 'user,item,value,time,weight,kind,retract,recommendation_id\n');
  assert.equal(csv.lineOf(plain) + csv.lineOf(click), 'ada,tea,4.5,978300760,,,,\nada,tea,,1.5,,click,,\n');
  const json = ratingText('jsonl');
  assert.equal(json.header, '');
  assert.equal(
    json.lineOf(plain),
    '{"user_id":"ada","item_id":"tea","value":4.5,"event_time":"2000-12-31T22:12:40Z"}\n',
  );
  assert.equal(ratingText('tsv', ['item', 'user']).lineOf(plain), 'tea\tada\n');
});

test('columns that cannot tell an event or a retraction are refused', () => {
  const { lineOf } = ratingText('csv', ['user', 'item', 'value', 'time']);
  const pair = { userId: 'ada', itemId: 'tea' };
  assert.throws(() => lineOf(Rating.fromPartial({ ...pair, kind: 'click' })), {
    reason: 'COLUMN_MISSING',
    message: /an event of the kind click of user "ada" and item "tea", .*: add kind to --columns/,
  });
  assert.throws(() => lineOf(Rating.fromPartial({ ...pair, retract: true })), { message: /add retract to --columns/ });
});
