import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Device, Workspace } from '../../plugins/contract/index.ts';
import { Study } from '../evaluation/study.ts';
import type { Lab } from '../laws/lab.ts';
import { firstRatings } from '../laws/streams.ts';
import { createLab, refit } from '../support/ncf-lab.ts';
import { rating } from '../support/ratings.ts';

/** What plugins have done on every device: refits come to the same error as by kernels, and rankings to the same places. */

const RATINGS = firstRatings(21, { users: 30, items: 25, events: 700 });
const SETTINGS = {
  gmf: { k: 8 },
  tower: { k: 16, layers: 2, rank: 0 },
  gate: { fixed: 1 },
  refit: { epochs: 8, batch: 128, eta: 0.01, l2: 0.01 },
} as const;
/** Of the root mean square error over all ratings. Steps differ in their last digits, and each begins where others ended. */
const ERROR = 2e-3;

export function pluginSuite(name: string, make: (t: TestContext) => Promise<{ readonly device: Device }>): void {
  test(`${name}: a refit of ncf comes to the same error as by kernels, within ${ERROR}`, async (t) => {
    const { device } = await make(t);
    const untrained = errorOf(await refit(createLab({ ...SETTINGS, refit: { epochs: 0 } }, RATINGS)));
    const expected = errorOf(await refit(createLab(SETTINGS, RATINGS)));
    const eager = new EagerDevice(device);
    const found = errorOf(await refit(createLab(SETTINGS, RATINGS), 1, eager));
    t.diagnostic(`error ${found.toFixed(6)}, by kernels ${expected.toFixed(6)}, of biases ${untrained.toFixed(6)}`);
    assert.ok(expected < 0.9 * untrained, `it learns: ${expected}`);
    assert.ok(Math.abs(found - expected) <= ERROR, `${found} is not ${expected}`);
    assert.ok(eager.runs >= 20, `${eager.runs} runs`);
  });

  test(`${name}: items have the places that they have by kernels, but for next to each other`, async (t) => {
    const eager = new EagerDevice((await make(t)).device);
    const models = [{ name: 'mf', plugin: 'mf', config: { ranking: 'taste', base: 'biases' } }];
    const batch = RATINGS.map(({ user, item, value = 1 }) => rating(user, item, value));
    const [[found], [expected]] = await Promise.all(
      [{ device: eager }, {}].map(async (options) => {
        const { answers } = await (await Study.write(t, [batch], options)).examine({ models });
        return answers;
      }),
    );
    assert.equal(eager.runs, 1);
    assert.ok(expected.rank.length >= 20);
    for (const [n, place] of expected.rank.entries()) assert.ok(Math.abs(place - found.rank[n]) <= 1, `${n}`);
  });
}

/** Whatever it is asked for, it does. */
class EagerDevice implements Device {
  readonly crossover = 0;
  readonly #device: Device;
  runs = 0;

  constructor(device: Device) {
    this.#device = device;
  }

  get name(): string {
    return this.#device.name;
  }

  run<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    this.runs++;
    return this.#device.run(work);
  }
}

function errorOf(lab: Lab): number {
  const squares = RATINGS.map(({ user, item, value = 0 }) => (value - lab.predict(user, item)) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}
