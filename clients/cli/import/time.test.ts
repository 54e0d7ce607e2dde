import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareTimes, formatIso, formatSeconds, parseNumber, parseTime, type Time, toTimestamp } from './time.ts';

const times: [text: string, time: [seconds: number, nanos: number] | undefined][] = [
  ['0', [0, 0]],
  ['978300760', [978_300_760, 0]],
  ['978300760.25', [978_300_760, 250_000_000]],
  ['978300760000', [978_300_760, 0]],
  ['9.783e8', [978_300_000, 0]],
  ['-1', [-1, 0]],
  ['2000-12-31T22:12:40Z', [978_300_760, 0]],
  ['2000-12-31 22:12:40', [978_300_760, 0]],
  ['2000-12-31t22:12:40.5z', [978_300_760, 500_000_000]],
  ['2000-12-31 22:12:40,25 UTC', [978_300_760, 250_000_000]],
  ['2001-01-01T00:12:40+02:00', [978_300_760, 0]],
  ['2000-12-31T17:12:40-0500', [978_300_760, 0]],
  ['2000-12-31T22:12Z', [978_300_720, 0]],
  ['2000-12-31', [978_220_800, 0]],
  [' 2000-12-31 ', [978_220_800, 0]],
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
  ['978300760.123456789', [978_300_760, 123_456_789]],
  ['978300760.1234567899', [978_300_760, 123_456_789]],
  ['978300760123.456789', [978_300_760, 123_456_789]],
  ['978300760123.4567890', [978_300_760, 123_456_789]],
  ['+1.5', [1, 500_000_000]],
  ['-1.25', [-2, 750_000_000]],
  ['.5', [0, 500_000_000]],
  ['2000-12-31T22:12:40.123456789Z', [978_300_760, 123_456_789]],
];

for (const [text, time] of times) {
  test(`the time ${JSON.stringify(text)}`, () =>
    assert.deepEqual(parseTime(text), time && { seconds: time[0], nanos: time[1] }));
}

test('a time is the same as ISO 8601 and as milliseconds', () => {
  const date = fc.date({ min: new Date('1974-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(date, (date) => {
      const ms = date.getTime();
      const seconds = Math.floor(ms / 1000);
      const time = { seconds, nanos: (ms - seconds * 1000) * 1e6 };
      assert.deepEqual(parseTime(date.toISOString()), time);
      assert.deepEqual(parseTime(String(ms)), time);
    }),
  );
});

test('a time that is written is the time that is read, to the nanosecond', () => {
  const seconds = fc.integer({ min: Date.UTC(1, 0) / 1000, max: Date.UTC(5000, 0) / 1000 });
  const times = fc.record(
    { seconds, nanos: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(times, times, (time, other) => {
      assert.deepEqual(parseTime(formatIso(toTimestamp(time))), time);
      assert.deepEqual(parseTime(formatSeconds(toTimestamp(time))), time);
      const nanosOf = ({ seconds, nanos }: Time) => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
      assert.equal(
        Math.sign(compareTimes(time, other)),
        Number(nanosOf(time) > nanosOf(other)) - Number(nanosOf(time) < nanosOf(other)),
      );
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
