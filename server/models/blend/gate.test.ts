import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../plugins/contract/index.ts';
import { Gate, gateTable } from './gate.ts';

const FORGETTING = 0.9999;

/** A gate of so many members, over numbers of its own. */
function gateOf(members: number): { readonly gate: Gate; readonly numbers: Float64Array } {
  const columns = Object.entries(gateTable(members).columns);
  const numbers = new Float64Array(columns.reduce((sum, [, { width }]) => sum + width, 0));
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const [name, { width }] of columns) {
    offsets.set(name, 8 * offset);
    offset += width;
  }
  return { gate: new Gate(numbers, (name) => offsets.get(name) ?? Number.NaN, members), numbers };
}

/** Ratings, and what members expect of them: `says` has how far each is off. */
function* ratings(count: number, says: (n: number, noise: () => number) => readonly number[]) {
  const random = new Random();
  for (let n = 0; n < count; n++) {
    random.key(1, n);
    const noise = () => random.next() / 2 ** 31 - 1;
    const value = 3 + 1.2 * noise();
    yield { value, expected: says(n, noise).map((off) => value + off) };
  }
}

/** Mean squared errors of the gate, and of each member, over what comes after `from`. */
function run(gate: Gate, stream: ReturnType<typeof ratings>, from = 0) {
  const sums = new Float64Array(gate.expected.length + 1);
  let count = 0;
  for (const { value, expected } of stream) {
    gate.expected.set(expected);
    const said = gate.predict();
    if (count++ >= from)
      for (const [n, each] of [said, ...expected].entries()) sums[n] += (value - Math.min(5, Math.max(1, each))) ** 2;
    gate.expected.set(expected);
    gate.learn(value, 1, FORGETTING);
  }
  const [own, ...members] = Array.from(sums, (sum) => sum / (count - from));
  return { own, best: Math.min(...members) };
}

test('before it has learned anything all count alike', () => {
  const { gate } = gateOf(2);
  gate.expected.set([2, 5]);
  assert.equal(gate.predict(), 3.5);
});

test('of members that err in different ways it makes less than the best of them', () => {
  const { gate } = gateOf(3);
  const stream = ratings(4000, (_, noise) => [0.5 * noise(), 0.6 * noise(), 0.9 * noise()]);
  const { own, best } = run(gate, stream, 1000);
  assert.ok(own < 0.75 * best, `${own} beside ${best}`);
});

test('where one member is suddenly right and no mix is, that one answers', () => {
  const { gate } = gateOf(2);
  run(
    gate,
    ratings(4000, (_, noise) => [0.1 * noise(), 1 + noise()]),
  );
  const { own, best } = run(
    gate,
    ratings(9000, (_, noise) => [1 + noise(), 0]),
    7000,
  );
  assert.ok(best === 0 && own < 1e-12, `${own} beside ${best}`);
});

test('with a member twice its numbers stay finite, and are the same again', () => {
  const [one, other] = [gateOf(2), gateOf(2)];
  for (const { gate } of [one, other])
    run(
      gate,
      ratings(50_000, (_, noise) => Array(2).fill(0.3 * noise())),
    );
  assert.ok(one.numbers.every(Number.isFinite));
  assert.deepEqual(one.numbers, other.numbers);
});
