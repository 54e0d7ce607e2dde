import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scale } from '../../../server/memory/scale.ts';
import { Lab } from '../../../test/laws/lab.ts';
import { tablesOf } from '../../../test/laws/rows.ts';
import { NO_ROW, type Plugin } from '../../contract/index.ts';
import plugin from '../plugin.ts';
import { LOOKED_MAX, Positives } from './positives.ts';

test('a few positives behind any number of exposures are not looked for without end, but by who wants all', () => {
  const config = plugin.config.parse({ objective: 'ials', k: 4 });
  const lab = new Lab(plugin as unknown as Plugin, config);
  lab.teach({ user: 'a', item: 'x', kind: 'click' });
  for (let n = 0; n < LOOKED_MAX + 10; n++) lab.teach({ user: 'a', item: 'x', kind: 'view' });
  const history = lab.world.interactions.history(new Scale(1, 5));
  const events = lab.world.events.history(new Scale(1, 5));
  let looked = 0;
  const eventRow = (row: number) => {
    looked++;
    return events.exposure(row) ? 0 : 1;
  };
  const positives = new Positives(history, events, { ratingRow: () => 1, eventRow });
  const found = (most: number) => {
    looked = 0;
    let count = 0;
    positives.visit('users', lab.userRow('a'), most, NO_ROW, () => count++);
    return [count, looked];
  };
  assert.deepEqual(found(50), [0, LOOKED_MAX]);
  assert.deepEqual(found(Number.POSITIVE_INFINITY), [1, LOOKED_MAX + 11]);
  // What is found stands for all: each weighs the same here.
  const beside = new Lab(plugin as unknown as Plugin, config).teachAll([{ user: 'a', item: 'x', kind: 'click' }]);
  const rating = { user: 'a', item: 'x', value: 5, weight: 0.2 };
  for (const each of [lab, beside])
    each.teachAll([{ user: 'a', item: 'x', kind: 'click' }, rating, { ...rating, retract: true }]);
  const other = rowsOf(beside);
  for (const [n, value] of rowsOf(lab).entries())
    assert.ok(Math.abs(value - other[n]) < 1e-4, `${value}, not ${other[n]}`);
});

const rowsOf = (lab: Lab) => tablesOf(lab).flatMap(({ values }) => values(0));
