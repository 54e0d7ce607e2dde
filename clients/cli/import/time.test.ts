import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseNumber, parseTime } from './time.ts';

const times: [text: string, timeMs: number | undefined][] = [
  ['0', 0],
  ['978300760', 978_300_760_000],
  ['978300760.25', 978_300_760_250],
  ['978300760000', 978_300_760_000],
  ['9.783e8', 978_300_000_000],
  ['-1', -1000],
  ['2000-12-31T22:12:40Z', 978_300_760_000],
  ['2000-12-31 22:12:40', 978_300_760_000],
  ['2000-12-31t22:12:40.5z', 978_300_760_500],
  ['2000-12-31 22:12:40,25 UTC', 978_300_760_250],
  ['2001-01-01T00:12:40+02:00', 978_300_760_000],
  ['2000-12-31T17:12:40-0500', 978_300_760_000],
  ['2000-12-31T22:12Z', 978_300_720_000],
  ['2000-12-31', 978_220_800_000],
  [' 2000-12-31 ', 978_220_800_000],
  ['', undefined],
  ['yesterday', undefined],
  ['2000-12', undefined],
  ['2000-02-30', undefined],
  ['2000-13-01', undefined],
  ['2000-12-31T24:00:00Z', undefined],
  ['2000-12-31T22:60:00Z', undefined],
  ['2000-12-31T22:12:40Z tomorrow', undefined],
  ['31/12/2000', undefined],
  ['1e300', undefined],
];

for (const [text, timeMs] of times) {
  test(`the time ${JSON.stringify(text)}`, () => assert.equal(parseTime(text), timeMs));
}

test('a time is the same as ISO 8601 and as milliseconds', () => {
  const date = fc.date({ min: new Date('1974-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(date, (time) => {
      assert.equal(parseTime(time.toISOString()), time.getTime());
      assert.equal(parseTime(String(time.getTime())), time.getTime());
    }),
  );
});

test('numbers are those that are written in decimals', () => {
  const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0); // -0 is written as 0
  fc.assert(fc.property(double, (number) => assert.equal(parseNumber(String(number)), number)));
  for (const text of ['', ' ', 'x', '0x10', '1,5', '1 2', 'NaN', 'Infinity', '1e999', '.', 'e5', '--1']) {
    assert.equal(parseNumber(text), undefined, text);
  }
  for (const [text, number] of [
    [' 4.5 ', 4.5],
    ['+3', 3],
    ['.5', 0.5],
    ['5.', 5],
  ] as const) {
    assert.equal(parseNumber(text), number);
  }
});
