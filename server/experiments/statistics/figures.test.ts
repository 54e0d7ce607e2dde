import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adjustmentOf } from './adjustment.ts';
import { boundsOf, CONFIDENCE } from './boundary.ts';
import { type ArmSums, differenceOf, figureOf, pairedDifference } from './figures.ts';
import { Moments } from './moments.ts';
import { type Crowd, falsePositives } from './testing/crowd.ts';
import { Draws } from './testing/draws.ts';

const close = (a: number | undefined, b: number, share = 1e-9) =>
  assert(a !== undefined && Math.abs(a - b) <= share * Math.abs(b), `${a}, not ${b}`);
const bare = { sumBefore: 0, countBefore: 0 };

/** Arms of units with the same number of observations each, all independent. */
function armOf(values: readonly (readonly number[])[]): ArmSums {
  const sum = (of: readonly number[]) => of.reduce((all, one) => all + one, 0);
  const flat = values.flat();
  return {
    moments: Moments.of(values.map((own) => ({ sum: sum(own), count: own.length, ...bare }))),
    events: { count: flat.length, sum: sum(flat), squares: sum(flat.map((one) => one * one)) },
  };
}

const some = (draws: Draws, units: number, each: number, mean = 3) =>
  Array.from({ length: units }, () => Array.from({ length: each }, () => mean + draws.normal()));

test('of units with one observation each it is the mean, its variance, and their number', () => {
  const draws = new Draws(1);
  const values = some(draws, 500, 1);
  const flat = values.flat();
  const mean = flat.reduce((sum, one) => sum + one, 0) / 500;
  const variance = flat.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 499 / 500;
  const figure = figureOf(armOf(values));
  close(figure?.value, mean);
  close(figure?.variance, variance, 1e-6);
  close(figure?.clock, 500, 0.01);
});

test('what a user does again and again is one observation', () => {
  const draws = new Draws(2);
  const values = some(draws, 200, 1).map(([value]) => [value, value, value, value]);
  const [repeated, once] = [armOf(values), armOf(values.map((own) => own.slice(0, 1)))];
  close(figureOf(repeated)?.variance, figureOf(once)?.variance ?? 0, 1e-9);
});

test('a difference is that of two means, and Welch and a common variance bound it', () => {
  const draws = new Draws(3);
  const [a, b] = [some(draws, 400, 1, 3.5), some(draws, 100, 1)];
  const difference = differenceOf(armOf(a), armOf(b));
  const mean = (of: number[][]) => of.flat().reduce((sum, one) => sum + one, 0) / of.length;
  const spread = (of: number[][]) => of.flat().reduce((sum, one) => sum + (one - mean(of)) ** 2, 0) / (of.length - 1);
  close(difference?.value, mean(a) - mean(b));
  const welch = spread(a) / 400 + spread(b) / 100;
  assert(difference && difference.variance >= welch * (1 - 1e-9) && difference.variance < 1.35 * welch);
  assert(difference.units > 90 && difference.units < 500);
});

test('weights that are the same for all of an arm change no difference', () => {
  const weighted = (seed: number, units: number, weight: number): ArmSums => {
    const { moments: _, events } = armOf(some(new Draws(seed), units, 2));
    const own = some(new Draws(seed), units, 2).map(([a, b]) => ({
      sum: weight * (a + b),
      count: weight * 2,
      ...bare,
    }));
    return { moments: Moments.of(own), events };
  };
  const plain = differenceOf(weighted(4, 300, 1), weighted(5, 200, 1));
  const other = differenceOf(weighted(4, 300, 1 / 0.6), weighted(5, 200, 1 / 0.4));
  assert(plain && other);
  for (const key of ['value', 'variance', 'clock', 'units'] as const) close(other[key], plain[key], 1e-6);
});

test('of few units, or of one that does nearly everything, nothing is said', () => {
  const draws = new Draws(5);
  assert.equal(figureOf(armOf(some(draws, 29, 1))), undefined);
  assert(figureOf(armOf(some(draws, 30, 1))));
  const crawler = [...some(draws, 100, 1), ...some(draws, 1, 5000)];
  assert.equal(differenceOf(armOf(crawler), armOf(some(draws, 100, 1))), undefined);
});

test('the past takes its part of the variance out, and moves nothing in the long run', () => {
  const draws = new Draws(6);
  let [plain, adjusted, squares, squaresAdjusted] = [0, 0, 0, 0];
  const runs = 200;
  for (let run = 0; run < runs; run++) {
    const arms = [0, 1].map((arm): ArmSums => {
      const units = Array.from({ length: 150 }, () => {
        const user = draws.normal();
        const now = 5 + user + 0.3 * draws.normal() + 0.1 * arm;
        return { sum: now, count: 1, sumBefore: 2 * (user + 0.3 * draws.normal()), countBefore: 2 };
      });
      return { moments: Moments.of(units), events: { count: 150, sum: 750, squares: 5 * 750 + 150 } };
    });
    const adjustment = adjustmentOf(arms.map(({ moments }) => moments));
    const [d, c] = [differenceOf(arms[1], arms[0]), differenceOf(arms[1], arms[0], { adjustment })];
    assert(d && c && c.variance < 0.25 * d.variance);
    plain += d.value;
    adjusted += c.value;
    squares += (d.value - 0.1) ** 2 / d.variance;
    squaresAdjusted += (c.value - 0.1) ** 2 / c.variance;
  }
  assert(
    Math.abs(plain / runs - 0.1) < 0.03 && Math.abs(adjusted / runs - 0.1) < 0.01,
    `${plain / runs} ${adjusted / runs}`,
  );
  // Variances are what the estimates really spread over.
  for (const ratio of [squares / runs, squaresAdjusted / runs]) assert(ratio > 0.7 && ratio < 1.4, `${ratio}`);
});

test('of arms that were measured by the same events, what is common to both cancels out', () => {
  const draws = new Draws(10);
  const both = Array.from({ length: 300 }, () => {
    const hard = 5 + 3 * draws.normal();
    return [hard, hard + 0.2 + 0.5 * draws.normal()];
  });
  const paired = pairedDifference(Moments.of(both.map(([a, b]) => ({ sum: b - a, count: 1, ...bare }))));
  const apart = differenceOf(armOf(both.map(([, b]) => [b])), armOf(both.map(([a]) => [a])));
  assert(paired && apart);
  close(paired.value, apart.value, 1e-6);
  assert(paired.variance < 0.05 * apart.variance);
  close(paired.variance, 0.25 / 300, 0.2);
  assert.equal(paired.clock, 300);
  assert.equal(pairedDifference(Moments.of([{ sum: 1, count: 5, ...bare }])), undefined);
});

test('a factor makes it a bound on harm', () => {
  const draws = new Draws(8);
  const [a, b] = [armOf(some(draws, 900, 1, 3.3)), armOf(some(draws, 900, 1, 3))];
  const beyond = (factor: number) => boundsOf(differenceOf(a, b, { factor }) as never, CONFIDENCE);
  assert((beyond(1)?.lower ?? 0) > 0);
  assert((beyond(1.1)?.lower ?? 1) < 0 && (beyond(1.1)?.upper ?? -1) > 0);
  assert((beyond(1.3)?.upper ?? 1) < 0);
});

const crowds: Readonly<Record<string, Crowd>> = {
  'the same users again and again': { cohort: 150, newShare: 0, activity: 1, heavy: false, share: 0.5 },
  'new users among heavy ones': { cohort: 40, newShare: 0.1, activity: 1, heavy: true, share: 0.5 },
};
for (const [name, crowd] of Object.entries(crowds)) {
  test(`A/A, looked at after every 50 events: ${name}`, () => {
    const { runs, found } = falsePositives(crowd, { runs: 60, events: 3000, every: 50, seed: 9 });
    assert(found <= 0.05 * runs, `${found} of ${runs} found something`);
  });
}
