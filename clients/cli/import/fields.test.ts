import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Separator, splitFields } from './fields.ts';

const rows: { row: string; separator?: Separator; fields: readonly string[] | 'open' | 'broken' }[] = [
  { row: '1,2,3', fields: ['1', '2', '3'] },
  { row: '', fields: [''] },
  { row: ',', fields: ['', ''] },
  { row: '"a,b",c', fields: ['a,b', 'c'] },
  { row: 'c,"a ""b"""', fields: ['c', 'a "b"'] },
  { row: '"",""', fields: ['', ''] },
  { row: '"a",', fields: ['a', ''] },
  { row: '5" disk,b', fields: ['5" disk', 'b'] },
  { row: '"a\nb",c', fields: ['a\nb', 'c'] },
  { row: '"a,b', fields: 'open' },
  { row: 'a,"', fields: 'open' },
  { row: 'a,"b""', fields: 'open' },
  { row: '"a"b,c', fields: 'broken' },
  { row: '"a" ,c', fields: 'broken' },
  { row: '"a"\t"b', separator: '\t', fields: ['"a"', '"b'] },
  { row: '1::1193::5::978300760', separator: '::', fields: ['1', '1193', '5', '978300760'] },
];

for (const { row, separator = ',', fields } of rows) {
  test(`fields of ${JSON.stringify(row)}`, () => assert.deepEqual(splitFields(row, separator), fields));
}

test('whatever is quoted comes back', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'é') });
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), (fields) => {
      const row = fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
      assert.deepEqual(splitFields(row, ','), fields);
    }),
  );
});
