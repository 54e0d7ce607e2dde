import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Device } from '../../plugins/contract/index.ts';
import type { Lab } from '../laws/lab.ts';
import { firstRatings } from '../laws/streams.ts';
import { createLab, refit } from '../support/ncf-lab.ts';

/** Refits of plugins on every device: they come to the same error as by kernels. */

const RATINGS = firstRatings(21, { users: 30, items: 25, events: 700 });
const SETTINGS = {
  gmf: { k: 8 },
  tower: { k: 16, layers: 2, rank: 0 },
  gate: { fixed: 1 },
  refit: { epochs: 8, batch: 128, eta: 0.01, l2: 0.01 },
} as const;
/** Of the root mean square error over all ratings. Steps differ in their last digits, and each begins where others ended. */
const ERROR = 2e-3;

export function refitSuite(name: string, make: (t: TestContext) => Promise<{ readonly device: Device }>): void {
  test(`${name}: a refit of ncf comes to the same error as by kernels, within ${ERROR}`, async (t) => {
    const { device } = await make(t);
    const untrained = errorOf(await refit(createLab({ ...SETTINGS, refit: { epochs: 0 } }, RATINGS)));
    const expected = errorOf(await refit(createLab(SETTINGS, RATINGS)));
    let runs = 0;
    const eager: Device = {
      name,
      crossover: 0,
      run: (work) => {
        runs++;
        return device.run(work);
      },
    };
    const found = errorOf(await refit(createLab(SETTINGS, RATINGS), 1, eager));
    t.diagnostic(`error ${found.toFixed(6)}, by kernels ${expected.toFixed(6)}, of biases ${untrained.toFixed(6)}`);
    assert.ok(expected < 0.9 * untrained, `it learns: ${expected}`);
    assert.ok(Math.abs(found - expected) <= ERROR, `${found} is not ${expected}`);
    assert.ok(runs >= 20, `${runs} runs`);
  });
}

function errorOf(lab: Lab): number {
  const squares = RATINGS.map(({ user, item, value = 0 }) => (value - lab.predict(user, item)) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}
