import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYER_RULES } from './tidy/layers.ts';
import { TEXT_RULES } from './tidy/text.ts';
import { findImports, readTree } from './tidy/tree.ts';

const tree = readTree();

for (const { name, remedy, find, broken, kept } of [...LAYER_RULES, ...TEXT_RULES]) {
  test(`planted: ${name}`, () => {
    for (const example of broken) assert.notDeepEqual(find(example), [], 'a planted violation was not found');
    for (const example of kept) assert.deepEqual(find(example), [], 'an example that keeps the rule was refused');
  });

  test(name, { skip: !tree && 'this is no git checkout, so that its files are not known' }, () => {
    const violations = find(tree ?? []);
    assert.equal(violations.length, 0, [`${violations.length} found:`, ...violations, remedy].join('\n  '));
  });
}

test('imports are found in every form, those of types included', () => {
  const text = `
import { a } from './a.ts';
import type { B } from "../b.ts";
import c, {
  type D,
} from 'c';
import './e.ts';
export * from './f/g.ts';
const h = await import('./h.ts');
let i: import('./i.ts').I;
const from = 'text'; // from './not.ts'
`;
  assert.deepEqual(findImports('server/x/y.ts', text).sort(), [
    'c',
    'server/b.ts',
    'server/x/a.ts',
    'server/x/e.ts',
    'server/x/f/g.ts',
    'server/x/h.ts',
    'server/x/i.ts',
  ]);
  assert.deepEqual(findImports('plugins/mf/kernels.as.ts', "import { dot } from './dot'"), ['plugins/mf/dot.ts']);
});
