import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundsOf, CONFIDENCE } from './boundary.ts';
import { differenceOf, figureOf } from './figures.ts';
import { Moments } from './moments.ts';
import { Draws } from './testing/draws.ts';

/** A bandit that gives the arm that looks better nine tenths, while everything gets better from day to day. */

const UNITS = 4000;
const EVERY = 200;
const FLOOR = 0.1;

function run(draws: Draws, effect: number, isWeighted: boolean): { found: boolean; difference: number } {
  const arms = [0, 1].map(() => ({ moments: new Moments(), events: { count: 0, sum: 0, squares: 0 } }));
  let share = 0.5;
  let found = false;
  for (let n = 1; n <= UNITS; n++) {
    const arm = draws.uniform() < share ? 1 : 0;
    const own = arm === 1 ? share : 1 - share;
    const value = (6 * n) / UNITS + draws.normal() + effect * arm;
    const weight = isWeighted ? 0.5 / own : 1;
    const { moments, events } = arms[arm];
    moments.add({ sum: weight * value, count: weight, sumBefore: 0, countBefore: 0 });
    events.count += weight;
    events.sum += weight * value;
    events.squares += weight * value * value;
    if (n % EVERY !== 0) continue;
    const difference = differenceOf(arms[1], arms[0]);
    const bounds = difference && boundsOf(difference, CONFIDENCE);
    if (bounds && (bounds.lower > effect || bounds.upper < effect)) found = true;
    const [control, other] = arms.map((one) => figureOf(one)?.value ?? 0);
    share = other > control ? 1 - FLOOR : FLOOR;
  }
  return { found, difference: differenceOf(arms[1], arms[0])?.value ?? Number.NaN };
}

test('with the inverse of the shares an arm is not credited with when it was shown', () => {
  for (const effect of [0, 0.5]) {
    const draws = new Draws(1);
    const runs = 60;
    const outcomes = Array.from({ length: runs }, () => run(draws, effect, true));
    const missed = outcomes.filter(({ found }) => found).length;
    const mean = outcomes.reduce((sum, { difference }) => sum + difference, 0) / runs;
    assert(missed <= 0.05 * runs, `${missed} of ${runs} intervals miss ${effect} at one look`);
    assert(Math.abs(mean - effect) < 0.1, `${mean}, not ${effect}`);
  }
  const plain = Array.from({ length: 20 }, (_, seed) => run(new Draws(seed), 0, false));
  assert(
    plain.filter(({ found }) => found).length > 10,
    'without weights the growth of a good arm looks like an effect',
  );
});
