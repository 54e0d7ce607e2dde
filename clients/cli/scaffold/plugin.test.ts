import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ROW, type Plugin } from '../../../plugins/contract/index.ts';
import { Lab } from '../../../test/laws/lab.ts';
import { brokenLaws } from '../../../test/laws/laws.ts';
import { subjectsOf } from '../../../test/laws/subjects.ts';
import plugin from './plugin.ts';

/** The score of an item for someone unknown. */
function scoreOf(lab: Lab, item: string): number {
  const row = lab.itemRow(item);
  return lab.score(NO_ROW, [row, row + 1])[0];
}

test('three ratings by hand: (3 prior + sum)/(prior + number), with a prior of 5', () => {
  const lab = new Lab(plugin as unknown as Plugin, plugin.config.parse({ prior: 5 }));
  lab.teach({ user: 'ada', item: 'tea', value: 5 });
  assert.ok(Math.abs(scoreOf(lab, 'tea') - 20 / 6) < 1e-6);
  lab.teach({ user: 'bob', item: 'tea', value: 1 });
  assert.ok(Math.abs(scoreOf(lab, 'tea') - 21 / 7) < 1e-6);
  lab.teach({ user: 'ada', item: 'tea', retract: true });
  assert.ok(Math.abs(scoreOf(lab, 'tea') - 16 / 6) < 1e-6);
});

for (const subject of subjectsOf(plugin as unknown as Plugin)) {
  test(`it keeps the laws of plugins: ${subject.label}`, async () => assert.deepEqual(await brokenLaws(subject), []));
}
