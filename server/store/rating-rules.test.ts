import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import type { IdKey } from '../memory/ids.ts';
import { RatingBatch } from './rating-batch.ts';
import { decodeRateRequest } from './rating-codec.ts';
import { RatingRules, VIOLATIONS_MAX } from './rating-rules.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3600 * 1000;
/** Of this kind there were events, before it was configured no more. */
const hadEvents = ({ bytes, start, length }: IdKey) =>
  Buffer.from(bytes).toString('utf8', start, start + length) === 'like';
const rules = new RatingRules({ min: 1, max: 5, ratingsMax: 200, kinds: ['click', 'view'], hadEvents });
const batch = new RatingBatch(1000);

type Rating = RateRequest['ratings'][number];
function timeOf(ms: number): Rating['eventTime'] {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1e6 };
}

const FINE: Rating = {
  userId: 'ann',
  itemId: 'bambi',
  value: 3.5,
  eventTime: undefined,
  kind: '',
  weight: undefined,
  recommendationId: '',
  retract: false,
};

function violations(ratings: readonly Partial<Rating>[], request: Partial<RateRequest> = {}): string[] {
  const full = ratings.map((rating) => ({ ...FINE, ...rating }));
  const message = { requestId: '', validateOnly: false, returnPredictions: [], ...request, ratings: full };
  decodeRateRequest(RateRequest.encode(message).finish(), batch);
  return rules.findViolations(batch, NOW_MS).list.map(({ field, description }) => `${field} ${description}`);
}

const ALLOWED: readonly [name: string, rating: Partial<Rating>][] = [
  ['the ends of the scale', { value: 1 }],
  ['the other end', { value: 5 }],
  ['ids of 256 bytes', { userId: 'ü'.repeat(128), itemId: 'x'.repeat(256) }],
  ['ids with spaces, emoji and non-breaking space', { userId: 'ann b', itemId: '🍿\u00a0x' }],
  ['weight 0', { weight: 0 }],
  ['weight 10', { weight: 10 }],
  ['1970', { eventTime: timeOf(0) }],
  ['24 h ahead', { eventTime: timeOf(NOW_MS + DAY_MS) }],
  ['a retraction without value', { retract: true, value: undefined }],
  ['a retraction with any value', { retract: true, value: Number.NaN }],
  ['a configured kind without value', { kind: 'view', value: undefined }],
  ['a configured kind with a value', { kind: 'click', value: 2 }],
  ['taking back events of a kind that is configured no more', { kind: 'like', retract: true }],
  ['a recommendation_id of 64 bytes', { recommendationId: 'r'.repeat(64) }],
];

for (const [name, rating] of ALLOWED) test(`allowed: ${name}`, () => assert.deepEqual(violations([rating]), []));

const REFUSED: readonly [rating: Partial<Rating>, field: string, description: RegExp][] = [
  [{ userId: '' }, 'user_id', /^is empty: send 1 to 256 bytes$/],
  [{ itemId: '' }, 'item_id', /^is empty/],
  [{ userId: 'ü'.repeat(129) }, 'user_id', /^has 258 bytes, and 256 are allowed$/],
  [{ itemId: 'a\nb' }, 'item_id', /^is "a\\nb": control characters are not allowed$/],
  [{ itemId: 'a\u007f' }, 'item_id', /control/],
  [{ itemId: 'a\u0085' }, 'item_id', /control/],
  [{ itemId: `\u0000${'x'.repeat(100)}` }, 'item_id', /^is "\\u0000x{39}…": control/],
  [{ value: undefined }, 'value', /^is missing: send 1 to 5, or retract$/],
  [{ value: 5.000001 }, 'value', /^is 5.000001: it must be on the scale, 1 to 5$/],
  [{ value: Number.NaN }, 'value', /^is NaN/],
  [{ value: Number.POSITIVE_INFINITY }, 'value', /^is Infinity/],
  [{ kind: 'click', value: 9 }, 'value', /^is 9/],
  [{ weight: -0.1 }, 'weight', /^is -0.1: it must be 0 to 10$/],
  [{ weight: 10.1 }, 'weight', /^is 10.1/],
  [{ weight: Number.NaN }, 'weight', /^is NaN/],
  [{ eventTime: timeOf(-1000) }, 'event_time', /^is 1 seconds before 1970/],
  [{ eventTime: timeOf(NOW_MS + DAY_MS + 1) }, 'event_time', /^is 86400 seconds ahead of this server: 86400/],
  [{ eventTime: { seconds: 5n, nanos: -1 } }, 'event_time', /^has -1 nanoseconds: they must be 0 to 999999999$/],
  [{ eventTime: { seconds: 5n, nanos: 1e9 } }, 'event_time', /^has 1000000000 nanoseconds/],
  [{ kind: 'klick' }, 'kind', /^is "klick", which is not configured \(kinds\): use "click", "view" or ""$/],
  [{ kind: 'click ', retract: true }, 'kind', /not configured/],
  [{ kind: 'like' }, 'kind', /^is "like", which is not configured/],
  [{ recommendationId: 'r'.repeat(65) }, 'recommendation_id', /^has 65 bytes, and 64 are allowed$/],
];

for (const [rating, field, description] of REFUSED) {
  test(`refused: ${field} ${description.source}`, () => {
    const [found, ...more] = violations([FINE, rating]);
    assert.deepEqual(more, []);
    assert(found.startsWith(`ratings[1].${field} `), found);
    assert.match(found.slice(`ratings[1].${field} `.length), description);
  });
}

test('nanoseconds outside a second are refused', () => {
  for (const nanos of [-1, 1_000_000_000]) {
    violations([{ eventTime: timeOf(NOW_MS) }]);
    batch.timeNanos[0] = nanos;
    const [found] = rules.findViolations(batch, NOW_MS).list;
    assert.equal(found.field, 'ratings[0].event_time');
    assert.match(found.description, new RegExp(`^has ${nanos} nanoseconds`));
  }
});

test('the request itself is checked', () => {
  assert.deepEqual(violations([]), ['ratings is empty: send one rating at least']);
  assert.deepEqual(violations(new Array(201).fill({})), ['ratings has 201 ratings, and 200 are allowed']);
  assert.deepEqual(violations([{}], { requestId: '~'.repeat(36), returnPredictions: new Array(16).fill('m') }), []);
  assert.match(violations([{}], { requestId: 'x'.repeat(37) })[0], /^request_id has 37 bytes, and 36 are allowed/);
  for (const requestId of ['ü', '\t', 'a\u007f']) {
    assert.match(violations([{}], { requestId })[0], /^request_id has characters that are not printable ASCII/);
  }
  const [names] = violations([{}], { returnPredictions: new Array(18).fill('m') });
  assert.equal(names, 'return_predictions has 18 names, and 16 are allowed');
});

test('a batch beyond what is kept is refused and its kept part checked', () => {
  const small = new RatingBatch(2);
  const message = {
    requestId: '',
    validateOnly: false,
    returnPredictions: [],
    ratings: new Array(5).fill({ ...FINE, value: 9 }),
  };
  decodeRateRequest(RateRequest.encode(message).finish(), small);
  const rulesOfTwo = new RatingRules({ min: 1, max: 5, ratingsMax: 2, kinds: [], hadEvents });
  const found = rulesOfTwo.findViolations(small, NOW_MS).list;
  assert.deepEqual(
    found.map(({ field }) => field),
    ['ratings', 'ratings[0].value', 'ratings[1].value'],
  );
});

test('every bad field is named', () => {
  const bad = fc.constantFrom<[string, Partial<Rating>]>(
    ['user_id', { userId: '' }],
    ['item_id', { itemId: '\u0001' }],
    ['value', { value: 6 }],
    ['weight', { weight: 11 }],
    ['event_time', { eventTime: timeOf(-1) }],
    ['kind', { kind: 'x' }],
    ['recommendation_id', { recommendationId: 'r'.repeat(65) }],
  );
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(bad, { selector: ([field]) => field, maxLength: 7 }), { minLength: 1, maxLength: 9 }),
      (rows) => {
        const expected = rows.flatMap((fields, row) => fields.map(([field]) => `ratings[${row}].${field}`));
        const ratings = rows.map((fields) => Object.assign({}, ...fields.map(([, part]) => part)) as Partial<Rating>);
        const found = violations(ratings).map((line) => line.slice(0, line.indexOf(' ')));
        assert.deepEqual(found.sort(), expected.sort());
      },
    ),
  );
});

test('the first violations are listed, and all are counted', () => {
  const found = violations(new Array(150).fill({ value: 0 }));
  assert.equal(found.length, VIOLATIONS_MAX);
  assert.match(found[VIOLATIONS_MAX - 1], /^ratings\[99\].value/);
  assert.equal(rules.findViolations(batch, NOW_MS).count, 150);
});
