import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_BYTES_MAX, LineSplitter } from './lines.ts';
import { LayoutError, RatingReader, type Row } from './rating-reader.ts';

function read(text: string): Row[] {
  const splitter = new LineSplitter();
  const reader = new RatingReader();
  return [...reader.read([...splitter.push(Buffer.from(text)), ...splitter.end()]), ...reader.end()];
}

const HEADER = 'user,item,rating,time,weight,review\n';

test('ratings are read with their times and weights, where they have them', () => {
  assert.deepEqual(read(`${HEADER}ada,tea,4.5,978300760,2,good\n\nbob,"te,a",1,,,\n`), [
    { line: 2, user: 'ada', item: 'tea', value: 4.5, timeMs: 978_300_760_000, weight: 2 },
    { line: 4, user: 'bob', item: 'te,a', value: 1, timeMs: undefined, weight: undefined },
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

test('ratings that are written are the ratings that are read', () => {
  const id = fc.string({ minLength: 1, unit: fc.constantFrom('a', 'Z', '0', '"', ',', ' ', ':', 'é', '\n') });
  const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0); // -0 is written as 0
  const time = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined });
  const rating = fc.record({ user: id, item: id, value: double, timeMs: time }, { noNullPrototype: true });
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(fc.array(rating), (ratings) => {
      const rows = ratings.map(({ user, item, value, timeMs }) => {
        const time = timeMs === undefined ? '' : new Date(timeMs).toISOString();
        return `${[quote(user), value, time, quote(item)].join(',')}\n`;
      });
      const found = read(`user,rating,time,item\n${rows.join('')}`);
      assert.deepEqual(
        found.map((row) =>
          'problem' in row ? row : { user: row.user, item: row.item, value: row.value, timeMs: row.timeMs },
        ),
        ratings,
      );
    }),
  );
});
