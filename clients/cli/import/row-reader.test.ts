import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_BYTES_MAX, LineSplitter } from './lines.ts';
import { ratingForm } from './rating-form.ts';
import type { FileRating } from './rating-row.ts';
import { type BadRow, LayoutError, RowReader } from './row-reader.ts';
import { formatIso, toTimestamp } from './time.ts';

type Row = FileRating | BadRow;

const PLAIN = { kind: '', retract: false, recommendationId: '' };

function read(text: string): Row[] {
  const splitter = new LineSplitter();
  const reader = new RowReader(ratingForm());
  return [...reader.read([...splitter.push(Buffer.from(text)), ...splitter.end()]), ...reader.end()];
}

const HEADER = 'user,item,rating,time,weight,review\n';

test('ratings are read with their times and weights, where they have them', () => {
  assert.deepEqual(read(`${HEADER}ada,tea,4.5,978300760,2,good\n\nbob,"te,a",1,,,\n`), [
    { line: 2, user: 'ada', item: 'tea', value: 4.5, time: { seconds: 978_300_760, nanos: 0 }, weight: 2, ...PLAIN },
    { line: 4, user: 'bob', item: 'te,a', value: 1, time: undefined, weight: undefined, ...PLAIN },
  ]);
});

const bad: { row: string; problem: RegExp }[] = [
  { row: ',tea,5,,,', problem: /^is no rating: the user is empty$/ },
  { row: 'ada,,5,,,', problem: /^is no rating: the item is empty$/ },
  { row: 'ada,tea,,,,', problem: /^is no rating: the value "" is no number$/ },
  { row: 'ada,tea,five,,,', problem: /^is no rating: the value "five" is no number$/ },
  { row: 'ada,tea,5,noon,,', problem: /^is no rating: the time "noon" is neither seconds, milliseconds nor ISO 8601$/ },
  { row: 'ada,tea,5,,heavy,', problem: /^is no rating: the weight "heavy" is no number$/ },
  { row: `ada,tea,${'5x'.repeat(99)},,,`, problem: /^is no rating: the value "(5x){20}…" is no number$/ },
  { row: 'ada,tea,5', problem: /^has 3 instead of 6 fields$/ },
  { row: 'ada,tea,5,,,good, but cold', problem: /^has 7 instead of 6 fields$/ },
  { row: '"ada"x,tea,5,,,', problem: /^has text between a closing quote and the next comma$/ },
  { row: 'x'.repeat(LINE_BYTES_MAX + 1), problem: /^is longer than 65536 bytes$/ },
];

for (const { row, problem } of bad) {
  test(`a row is bad and told with its line: ${row.slice(0, 40)}`, () => {
    const [before, found, after] = read(`${HEADER}ada,tea,5,,,\n${row}\nbob,tea,3,,,\n`);
    assert.ok('problem' in found);
    assert.equal(found.line, 3);
    assert.match(found.problem, problem);
    assert.equal('user' in before && before.user, 'ada');
    assert.equal('user' in after && after.user, 'bob');
  });
}

test('a quoted field may go on over several lines', () => {
  const rows = read(`${HEADER}ada,tea,5,,,"good,\nbut\n\ncold"\nbob,tea,3,,,\n`);
  assert.deepEqual(
    rows.map(({ line }) => line),
    [2, 6],
  );
});

test('a quoted field that is never closed is told with the line where it begins', () => {
  const end = [{ line: 3, problem: 'begins a quoted field that is never closed' }];
  assert.deepEqual(read(`${HEADER}ada,tea,5,,,\nada,milk,5,,,"good\nbob,tea,3,,,\n`).slice(1), end);
  const long = `${'bob,tea,3,,,\n'.repeat(10_000)}`;
  const [first, ...rest] = read(`${HEADER}ada,milk,5,,,"good\n${long}`);
  assert.deepEqual(first, { line: 2, problem: 'begins a quoted field that is not closed within 65536 bytes' });
  assert.ok(rest.length > 1000, 'the rows after it are read again');
});

test('a file whose first line says nothing is refused as a whole', () => {
  assert.throws(
    () => read('\nhello\nworld\n'),
    (error) => error instanceof LayoutError && /^line 2 has no user/.test(error.message),
  );
  assert.deepEqual(read(''), []);
});

const JSON_LINES = [
  '{"user_id":"ada","item_id":"tea","value":4.5,"event_time":"2000-12-31T22:12:40.000000001Z","weight":2}',
  '',
  '{"rating":"3","item":10000000000000000001,"user":7,"timestamp":978300760.123456789,"other":{"timestamp":978300760.1}}',
  '{"userId":"ada","itemId":"tea","retract":true,"value":null}',
  '{"user":"ada","item":"tea","kind":"click","recommendation_id":"r1"}',
];

test('JSON Lines are recognised, in their own words, with all digits of their numbers', () => {
  const common = { weight: undefined, value: undefined, time: undefined, ...PLAIN };
  const seconds = 978_300_760;
  assert.deepEqual(read(JSON_LINES.join('\n')), [
    { ...common, line: 1, user: 'ada', item: 'tea', value: 4.5, time: { seconds, nanos: 1 }, weight: 2 },
    { ...common, line: 3, user: '7', item: '10000000000000000001', value: 3, time: { seconds, nanos: 123_456_789 } },
    { ...common, line: 4, user: 'ada', item: 'tea', retract: true },
    { ...common, line: 5, user: 'ada', item: 'tea', kind: 'click', recommendationId: 'r1' },
  ]);
});

const badLines: [line: string, problem: RegExp][] = [
  ['{"user":"ada","item":"tea"}', /^is no rating: the value "" is no number$/],
  ['{"user":"ada","item":["tea"],"value":5}', /^is no rating: item is neither a text nor a number$/],
  ['{"user":"ada","item":"tea","value":5,"retract":"maybe"}', /retract is "maybe", neither true nor false$/],
  ['{"user":"ada","value":5}', /the item is empty/],
  ['{"user":"ada"', /^is no JSON object$/],
  ['ada,tea,5', /^is no JSON object$/],
];

for (const [line, problem] of badLines) {
  test(`a line of JSON Lines is bad: ${line}`, () => {
    const [, found, after] = read(`${JSON_LINES[0]}\n${line}\n${JSON_LINES[0]}`);
    assert.ok('problem' in found);
    assert.match(found.problem, problem);
    assert.ok(!('problem' in after));
  });
}

test('a retraction and an event of a kind need no value', () => {
  const header = 'user,item,value,kind,retract\n';
  const rows = read(`${header}ada,tea,,click,\nada,tea,,,true\nada,tea,5,,FALSE\nada,tea,,,\n`);
  assert.deepEqual(
    rows.map((row) => ('problem' in row ? row.problem : [row.kind, row.retract, row.value])),
    [['click', false, undefined], ['', true, undefined], ['', false, 5], 'is no rating: the value "" is no number'],
  );
});

test('ratings that are written are the ratings that are read', () => {
  const id = fc.string({ minLength: 1, unit: fc.constantFrom('a', 'Z', '0', '"', ',', ' ', ':', 'é', '\n') });
  const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0); // -0 is written as 0
  const moment = { seconds: fc.integer({ min: 0, max: 4e9 }), nanos: fc.integer({ min: 0, max: 999_999_999 }) };
  const time = fc.option(fc.record(moment, { noNullPrototype: true }), { nil: undefined });
  const rating = fc.record({ user: id, item: id, value: double, time }, { noNullPrototype: true });
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.array(rating), (ratings) => {
      const rows = ratings.map(({ user, item, value, time }) => {
        const moment = time ? formatIso(toTimestamp(time)) : '';
        return `${[quote(user), value, moment, quote(item)].join(',')}\n`;
      });
      const found = read(`user,rating,time,item\n${rows.join('')}`);
      assert.deepEqual(
        found.map((row) =>
          'problem' in row ? row : { user: row.user, item: row.item, value: row.value, time: row.time },
        ),
        ratings,
      );
    }),
  );
});
