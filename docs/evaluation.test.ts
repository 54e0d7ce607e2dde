import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { directionOf } from '../clients/cli/report/decision.ts';
import { METRIC_NAMES } from '../server/jobs/evaluation/measures.ts';

const text = readFileSync(new URL('evaluation.md', import.meta.url), 'utf8');
/** What stands in the first column of the tables of metrics. */
const defined = Array.from(text.matchAll(/^\| (`[^|]*`) \|/gm), ([, cell]) =>
  cell.replaceAll('`', '').split(', '),
).flat();

test('every metric is defined, and no other one', () => {
  assert.deepEqual(defined.toSorted(), METRIC_NAMES.toSorted());
});

test('a page decides by all metrics but those that say what lists look like', () => {
  const lists = defined.slice(defined.indexOf('coverage@k'));
  assert.deepEqual(
    defined.filter((name) => directionOf(name) === 0),
    lists,
  );
});
