import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../plugins/contract/index.ts';
import { type Drafted, teamDraft } from './interleave.ts';

const listOf = (...rows: number[]) => rows.map((row, n) => ({ row, score: -n }));

function drafted(n: number, a: readonly number[], b: readonly number[], count: number): Drafted[] {
  const random = new Random();
  random.key(1, n);
  return teamDraft([listOf(...a), listOf(...b)], count, random);
}

const rowsOf = (list: readonly Drafted[]) => list.map(({ item }) => item.row);

test('in every round each list takes its best item that is left, and either may be first', () => {
  const lists = Array.from({ length: 200 }, (_, n) => drafted(n, [1, 2, 3, 4], [2, 5, 1, 6], 4));
  const seen = new Map<string, number>();
  for (const list of lists) {
    const said = list.map(({ item, team }) => `${item.row}${'ab'[team]}`).join(' ');
    seen.set(said, (seen.get(said) ?? 0) + 1);
  }
  // By hand: two coins, four drafts.
  assert.deepEqual([...seen.keys()].sort(), ['1a 2b 3a 5b', '1a 2b 5b 3a', '2b 1a 3a 5b', '2b 1a 5b 3a']);
  for (const count of seen.values()) assert.ok(count > 25 && count < 80, `${count} of 200`);
});

test('no item comes twice, the teams are as large, give or take one, and the list ends with both', () => {
  for (let n = 0; n < 50; n++) {
    const odd = drafted(n, [1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1], 5);
    assert.equal(new Set(rowsOf(odd)).size, 5);
    const own = odd.filter(({ team }) => team === 0).length;
    assert.ok(own === 2 || own === 3);
    assert.deepEqual(rowsOf(drafted(n, [1, 2], [2, 3, 4], 10)).toSorted(), [1, 2, 3, 4]);
  }
  assert.deepEqual(drafted(1, [], [], 3), []);
});

test('of lists that are alike, each brings every item as often', () => {
  const counts = [0, 1, 2, 3].map(() => [0, 0]);
  for (let n = 0; n < 400; n++)
    for (const { item, team } of drafted(n, [0, 1, 2, 3], [0, 1, 2, 3], 4)) counts[item.row][team]++;
  for (const [own, other] of counts) assert.ok(Math.abs(own - other) < 100, `${own} to ${other}`);
});
