import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTable, renderTabs } from './table.ts';

const COLUMNS = [{ name: 'title' }, { name: 'score', align: 'right' }, { name: 'note' }] as const;

test('a table is aligned for people', () => {
  const rows = [
    ['Amélie (2001)', '9.5', ''],
    ['Ame\u0301lx\u0301e', '10.25', 'accents that combine'],
  ];
  assert.equal(
    renderTable(COLUMNS, rows),
    [
      'TITLE          SCORE  NOTE',
      'Amélie (2001)    9.5',
      'Ame\u0301lx\u0301e         10.25  accents that combine',
      '',
    ].join('\n'),
  );
  assert.equal(renderTable(COLUMNS, []), 'TITLE  SCORE  NOTE\n');
});

test('a table has one line a row and tabs between cells for programs', () => {
  assert.equal(renderTabs(COLUMNS, [['a\tb', '1', 'c\nd']]), 'title\tscore\tnote\na b\t1\tc d\n');
});
