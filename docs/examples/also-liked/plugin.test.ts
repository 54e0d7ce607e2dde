import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../../plugins/contract/index.ts';
import { Lab } from '../../../test/laws/lab.ts';
import { brokenLaws } from '../../../test/laws/laws.ts';
import { tablesOf } from '../../../test/laws/rows.ts';
import { subjectsOf } from '../../../test/laws/subjects.ts';
import alsoLiked from './plugin.ts';

const plugin = alsoLiked as unknown as Plugin;

/** How alike cake is to tea. */
function likeness(lab: Lab): number {
  const cake = lab.itemRow('cake');
  return lab.similar(lab.itemRow('tea'), [cake, cake + 1])[0];
}

/** <c_a, c_b>/K of two users: from -1 to 1. */
function agreement(lab: Lab, ...users: string[]): number {
  const [signs, others] = users.map((user) => tablesOf(lab)[0].values(lab.userRow(user)).map(Math.sign));
  return signs.reduce((sum, sign, k) => sum + sign * others[k], 0) / signs.length;
}

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}`);

test('three steps by hand, with a doubt of 5', () => {
  const lab = new Lab(plugin, alsoLiked.config.parse({ doubt: 5 }));
  // Likings 4 and 2 of one user: v_tea = 4 c_a, v_cake = 2 c_a, n = 16 and 4.
  lab.teachAll([
    { user: 'ada', item: 'tea', value: 5 },
    { user: 'ada', item: 'cake', value: 3 },
  ]);
  near(likeness(lab), 8 / Math.sqrt(21 * 9));
  // Another user's liking 1: v_tea = 4 c_a + c_b, n_tea = 17.
  lab.teach({ user: 'bob', item: 'tea', value: 2 });
  const x = agreement(lab, 'ada', 'bob');
  near(likeness(lab), (8 + 2 * x) / Math.sqrt(22 * 9));
  // An edit: v_cake = c_a, n_cake = 1. Bob rated tea alone, with a liking of 1, so cake's score for him is the likeness.
  lab.teach({ user: 'ada', item: 'cake', value: 2 });
  near(likeness(lab), (4 + x) / Math.sqrt(22 * 6));
  const cake = lab.itemRow('cake');
  near(lab.score(lab.userRow('bob'), [cake, cake + 1])[0], (4 + x) / Math.sqrt(22 * 6));
});

for (const subject of subjectsOf(plugin)) {
  test(`it keeps the laws of plugins: ${subject.label}`, async () => assert.deepEqual(await brokenLaws(subject), []));
}
