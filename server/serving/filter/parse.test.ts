import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AccreteError } from '../../errors.ts';
import { type Expression, matchesNothingKnown, printFilter } from './expression.ts';
import {
  FILTER_BYTES_MAX,
  FILTER_CONDITIONS_MAX,
  FILTER_DEPTH_MAX,
  FILTER_TEXT_ORDERS_MAX,
  parseFilter,
} from './parse.ts';
import { anyExpression } from './testing/arbitraries.ts';

const drama: Expression = { type: 'compare', field: 'categories', comparator: '=', literal: { text: 'drama' } };
const sale: Expression = { type: 'compare', field: 'labels', comparator: '=', literal: { text: 'sale' } };
const since: Expression = {
  type: 'compare',
  field: 'attributes.year',
  comparator: '>=',
  literal: { text: '1990', number: 1990 },
};

const equal = (field: string, text: string, number?: number): Expression => ({
  type: 'compare',
  field,
  comparator: '=',
  literal: number === undefined ? { text } : { text, number },
});

test('filters are read as AIP-160 says', () => {
  const cases: [text: string, expected: Expression | undefined][] = [
    ['', undefined],
    [' \n\t ', undefined],
    ['categories:"drama" AND attributes.year >= 1990', { type: 'and', parts: [drama, since] }],
    ['categories:drama', drama],
    ['categories = drama', drama],
    ["  categories\n:\t'drama'  ", drama],
    ['categories:drama OR labels:sale', { type: 'or', parts: [drama, sale] }],
    // OR binds tighter than AND.
    [
      'labels:sale AND categories:drama OR attributes.year>=1990',
      { type: 'and', parts: [sale, { type: 'or', parts: [drama, since] }] },
    ],
    [
      'categories:drama OR labels:sale AND attributes.year>=1990',
      { type: 'and', parts: [{ type: 'or', parts: [drama, sale] }, since] },
    ],
    [
      '(labels:sale AND categories:drama) OR attributes.year>=1990',
      { type: 'or', parts: [{ type: 'and', parts: [sale, drama] }, since] },
    ],
    // NOT binds tighter than OR.
    ['NOT labels:sale OR categories:drama', { type: 'or', parts: [{ type: 'not', part: sale }, drama] }],
    ['-labels:sale', { type: 'not', part: sale }],
    ['NOT (labels:sale OR categories:drama)', { type: 'not', part: { type: 'or', parts: [sale, drama] } }],
    ['((labels:sale))', sale],
    ['labels != sale', { type: 'not', part: sale }],
    ['NOT labels != sale', { type: 'not', part: { type: 'not', part: sale } }],
    ['labels:*', { type: 'has', field: 'labels' }],
    ['attributes.year:*', { type: 'has', field: 'attributes.year' }],
    ['attributes:year', { type: 'has', field: 'attributes.year' }],
    ['attributes:"release year"', { type: 'has', field: 'attributes.release year' }],
    ['attributes."release year":*', { type: 'has', field: 'attributes.release year' }],
    ['attributes.a.b:*', { type: 'has', field: 'attributes.a.b' }],
    ['attributes.AND:*', { type: 'has', field: 'attributes.AND' }],
    ['attributes.in-stock:true', equal('attributes.in-stock', 'true')],
    ['attributes.t = 12:30:00', equal('attributes.t', '12:30:00')],
    ['attributes.t = 2012-04-21T11:30:00-04:00', equal('attributes.t', '2012-04-21T11:30:00-04:00')],
    ['attributes.n = -30', equal('attributes.n', '-30', -30)],
    ['attributes.n = 2.997e9', equal('attributes.n', '2.997e9', 2.997e9)],
    ['attributes.n = .5', equal('attributes.n', '.5', 0.5)],
    ['attributes.n = 007', equal('attributes.n', '007', 7)],
    ['attributes.n = "7"', equal('attributes.n', '7')],
    ['attributes.n = 1e999', equal('attributes.n', '1e999')],
    ['attributes.n = 0x10', equal('attributes.n', '0x10')],
    ['labels:"*"', equal('labels', '*')],
    ['labels:""', equal('labels', '')],
    [`labels:"a\\"b\\\\c\\'d'e"`, equal('labels', `a"b\\c'd'e`)],
    [`labels:'a"b'`, equal('labels', 'a"b')],
    ['labels:日本', equal('labels', '日本')],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseFilter(text), expected, text);
});

test('what does not parse is told with its place, what was found and what was expected', () => {
  const cases: [text: string, problem: string][] = [
    ['categories', 'character 11: found the end, expected one of = != < <= > >= :'],
    ['categories:', 'character 12: found the end, expected a number, a word or a text in quotes'],
    [
      'categories:drama labels:sale',
      'character 18: found `labels:sale`, expected AND, OR or the end (nothing means AND',
    ],
    [
      'categories:drama and labels:sale',
      'character 18: found `and`, expected AND, OR or the end (write AND in capitals)',
    ],
    ['(categories:drama', 'character 18: found the end, expected AND, OR or `)`'],
    ['categories:drama)', 'character 17: found `)`, expected AND, OR or the end'],
    [
      'category:drama',
      'character 1: there is no field `category`, expected categories, labels or attributes.<name>; the nearest is `categories`',
    ],
    ['lables:new', 'the nearest is `labels`'],
    ['price < 3', 'an attribute of that name is `attributes.price`'],
    ['not labels:new', 'if you mean NOT, write capitals'],
    [
      'labels:new AND',
      'character 15: found the end, expected a field (categories, labels or attributes.<name>), NOT or `(`',
    ],
    ['labels:new AND AND labels:old', 'character 16: found `AND`, expected a field'],
    ['AND labels:new', 'character 1: found `AND`, expected a field'],
    ['NOT NOT labels:new', 'character 5: found `NOT`, expected a field'],
    ['()', 'character 2: found `)`, expected a field'],
    ['labels:AND', 'character 8: found `AND`, expected a number, a word or a text in quotes'],
    ['labels:new*', 'character 8: `*` cannot stand for a part of a word'],
    ['labels = *', 'character 10: `*` cannot stand for a part of a word'],
    ['labels.x:new', 'character 1: `labels` has no parts'],
    ['attributes = 3', 'character 1: found `attributes`, expected the name of an attribute with it: attributes.<name>'],
    ['attributes:*', 'character 12: found `*`, expected the name of an attribute'],
    ['attributes.:3', 'character 12: found `:3`, expected the name of an attribute'],
    ['labels:(a OR b)', 'character 8: found `(`, expected a number, a word or a text in quotes'],
    ['labels(3)', 'character 7: found `(`, expected one of = != < <= > >= :'],
    ['labels == new', 'character 9: found `=`, expected a number'],
    [`${'y'.repeat(50)}:3`, `there is no field \`${'y'.repeat(40)}…\``],
    ['日本:"𝒳', 'character 1: there is no field `日本`'],
    ['labels:"𝒳𝒳', 'character 11: found the end, expected the " that ends the text which begins at character 8'],
    ['labels:"𝒳\\n"', 'character 11: found `n`, expected after a backslash, a quote or a backslash'],
    ['labels:"a\\', 'character 11: found the end, expected after a backslash'],
    [`labels:a ${'x'.repeat(60)}`, `character 10: found \`${'x'.repeat(40)}…\`, expected AND`],
  ];
  for (const [text, problem] of cases) {
    const error = refusalOf(text);
    assert.ok(error.message.startsWith('filter goes wrong at character '), error.message);
    assert.ok(error.message.includes(problem), `${text}: ${error.message}`);
    assert.deepEqual(
      error.violations.map(({ field }) => field),
      ['filter'],
    );
  }
  assert.equal(refusalOf('x', 'scenario.filter').violations[0].field, 'scenario.filter');
});

test('a filter is bounded in bytes, depth and comparisons', () => {
  const longest = `labels: "${'é'.repeat((FILTER_BYTES_MAX - 10) / 2)}"`;
  assert.doesNotThrow(() => parseFilter(longest));
  assert.match(refusalOf(`${longest} `).message, /4097 bytes, and 4096 are allowed/);
  const nested = (depth: number) => `${'('.repeat(depth)}labels:a${')'.repeat(depth)}`;
  assert.deepEqual(parseFilter(nested(FILTER_DEPTH_MAX)), equal('labels', 'a'));
  assert.match(refusalOf(nested(FILTER_DEPTH_MAX + 1)).message, /character 33: more than 32 parentheses/);
  const many = (count: number) => Array.from({ length: count }, () => 'labels:a').join(' OR ');
  assert.doesNotThrow(() => parseFilter(many(FILTER_CONDITIONS_MAX)));
  assert.match(
    refusalOf(many(FILTER_CONDITIONS_MAX + 1)).message,
    /character 3073: there are more than 256 comparisons/,
  );
  const ordered = (count: number, value: string) =>
    Array.from({ length: count }, () => `attributes.day > ${value}`).join(' AND ');
  assert.doesNotThrow(() => parseFilter(ordered(100, '5')));
  assert.doesNotThrow(() => parseFilter(ordered(FILTER_TEXT_ORDERS_MAX, '"2024"')));
  assert.match(refusalOf(ordered(FILTER_TEXT_ORDERS_MAX + 1, '"2024"')).message, /more than 16 .* order of texts/);
  // Depth is what is open, not what was.
  assert.doesNotThrow(() => parseFilter(Array.from({ length: 50 }, () => '(labels:a)').join(' AND ')));
});

test('a tree that is printed and read is the same tree', () => {
  fc.assert(
    fc.property(anyExpression, (expression) => {
      const text = printFilter(expression);
      fc.pre(Buffer.byteLength(text) <= FILTER_BYTES_MAX);
      assert.deepEqual(parseFilter(text), expression, text);
    }),
    { numRuns: 500 },
  );
});

test('garbage is refused with INVALID_FIELD, or is a filter', () => {
  const pieces = ['labels', 'categories', 'attributes.x', 'attributes', ':', '=', '!=', '<', '>=', '(', ')', ' ', '"'];
  const more = ["'", '\\', '*', '-', 'AND', 'OR', 'NOT', '.', ',', '1.5', 'é', '𝒳', '\ud800', '\n'];
  const anyPiece = fc.oneof(fc.constantFrom(...pieces, ...more), fc.string({ unit: 'binary', maxLength: 3 }));
  let read = 0;
  fc.assert(
    fc.property(fc.array(anyPiece, { maxLength: 20 }), (garbage) => {
      try {
        const expression = parseFilter(garbage.join(''));
        if (expression) assert.deepEqual(parseFilter(printFilter(expression)), expression);
        read++;
      } catch (error) {
        assert.ok(error instanceof AccreteError && error.reason === 'INVALID_FIELD', String(error));
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(read > 0);
});

test('of an item of which nothing is known, no comparison holds', () => {
  const cases: [text: string, expected: boolean][] = [
    ['labels:a', false],
    ['labels:*', false],
    ['NOT labels:a', true],
    ['labels != a', true],
    ['labels:a OR NOT labels:b', true],
    ['labels:a AND NOT labels:b', false],
    ['NOT (labels:a AND NOT labels:b)', true],
  ];
  for (const [text, expected] of cases) {
    const expression = parseFilter(text);
    assert.ok(expression);
    assert.equal(matchesNothingKnown(expression), expected, text);
  }
});

function refusalOf(text: string, path?: string): AccreteError {
  try {
    parseFilter(text, path);
  } catch (error) {
    assert.ok(error instanceof AccreteError, String(error));
    assert.equal(error.reason, 'INVALID_FIELD');
    return error;
  }
  throw new assert.AssertionError({ message: `it was read: ${text}` });
}
