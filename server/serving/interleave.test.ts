import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../plugins/contract/index.ts';
import { NO_TEAM } from '../memory/ledger/answers.ts';
import { type Drafted, teamDraft } from './interleave.ts';

const listOf = (...rows: number[]) => rows.map((row, n) => ({ row, score: -n }));

function drafted(n: number, a: readonly number[], b: readonly number[], count: number): Drafted[] {
  const random = new Random();
  random.key(1, n);
  return teamDraft([listOf(...a), listOf(...b)], count, random);
}

const rowsOf = (list: readonly Drafted[]) => list.map(({ item }) => item.row);

test('in every round each list takes its best item that is left, and either may be first', () => {
  const seen = new Map<string, number>();
  for (let n = 0; n < 200; n++) {
    const said = drafted(n, [1, 2, 3, 4], [5, 1, 2, 6], 4).map(({ item, team }) => `${item.row}${'ab'[team] ?? ''}`);
    seen.set(said.join(' '), (seen.get(said.join(' ')) ?? 0) + 1);
  }
  // By hand: after 1 and 5 both want 2, then one takes 3 and the other 6.
  assert.deepEqual([...seen.keys()].sort(), ['1a 5b 2 3a', '1a 5b 2 6b', '5b 1a 2 3a', '5b 1a 2 6b']);
  for (const count of seen.values()) assert.ok(count > 25 && count < 80, `${count} of 200`);
});

test('no item comes twice, the teams are as large, give or take one, and the list ends with both', () => {
  for (let n = 0; n < 50; n++) {
    const odd = drafted(n, [1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1], 5);
    assert.equal(new Set(rowsOf(odd)).size, 5);
    const [own, other] = [0, 1].map((team) => odd.filter((each) => each.team === team).length);
    assert.ok(Math.abs(own - other) <= 1);
    assert.deepEqual(rowsOf(drafted(n, [1, 2], [2, 3, 4], 10)).toSorted(), [1, 2, 3, 4]);
    // What one list has no more of, the other goes on with.
    assert.deepEqual(rowsOf(drafted(n, [], [2, 3], 10)), [2, 3]);
  }
  assert.deepEqual(drafted(1, [], [], 3), []);
});

test('lists that are alike have nothing to draft, and of others each brings every place as often', () => {
  assert.ok(drafted(3, [0, 1, 2, 3], [0, 1, 2, 3], 4).every(({ team }) => team === NO_TEAM));
  const counts = Array.from({ length: 4 }, () => [0, 0]);
  for (let n = 0; n < 400; n++)
    for (const [place, { team }] of drafted(n, [0, 1, 2, 3], [4, 5, 6, 7], 4).entries()) counts[place][team]++;
  for (const [own, other] of counts) assert.ok(Math.abs(own - other) < 100, `${own} to ${other}`);
});
