import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from '../../plugins/contract/index.ts';
import { AccreteError } from '../../server/errors.ts';
import { RANK_MISS } from '../../server/models/prequential.ts';
import { CountingDevice } from '../laws/counting-device.ts';
import { randomNumbers, rating } from '../support/ratings.ts';
import type { Scope } from '../support/temporary-folder.ts';
import { type Asked, Study } from './study.ts';

/** Ranks among whole catalogues, by products on a device: those of the model's own scores. */

const random = randomNumbers(3);
const ratings = Array.from({ length: 6000 }, (_, n) =>
  rating(`user-${n % 90}`, `item-${Math.floor(300 * random() ** 2)}`, 1 + Math.floor(5 * random())),
);
// Only what is held out knows these.
ratings.push(rating('user-1', 'new', 4), rating('stranger', 'item-1', 4));
const models: Asked['models'] = [
  { name: 'sequence', plugin: 'mf' },
  { name: 'taste', plugin: 'mf', config: { ranking: 'taste', base: 'biases' } },
  { name: 'ncf', plugin: 'ncf' },
  { name: 'popularity', plugin: 'popularity' },
];

async function ranksOn(scope: Scope, device: Device | undefined, asked: Asked = {}) {
  const study = await Study.write(scope, [ratings], device ? { device } : {});
  const { answers, failures } = await study.examine({ models, split: { type: 'time', share: 0.3 }, ...asked });
  assert.deepEqual(failures, []);
  return answers;
}

function assertAlike(found: Awaited<ReturnType<typeof ranksOn>>, expected: typeof found): void {
  for (const [n, { model, rank, predicted }] of found.entries()) {
    assert.deepEqual(predicted, expected[n].predicted);
    const apart = rank.map((place, at) => Math.abs(place - expected[n].rank[at]));
    // Items whose scores differ in the last digits change places.
    assert.ok(Math.max(...apart) <= 1 && apart.filter((by) => by > 0).length < rank.length / 100, `${model}: ${apart}`);
    assert.ok(rank.some((place) => place === RANK_MISS) && rank.some((place) => place !== RANK_MISS));
  }
}

test('ranks by products are those by scores', async (t) => {
  const counting = new CountingDevice();
  const expected = await ranksOn(t, undefined);
  assertAlike(await ranksOn(t, counting), expected);
  // A run for each model that multiplies.
  assert.equal(counting.waits.length, 3);
});

test('a device that fails half way, or has no room, costs no answer', async (t) => {
  const expected = await ranksOn(t, undefined);
  assertAlike(await ranksOn(t, new CountingDevice([1, 1, 1])), expected);
  const full: Device = {
    name: 'webgpu',
    crossover: 0,
    run: () => Promise.reject(new AccreteError('DEVICE_FULL', 'planted')),
  };
  assertAlike(await ranksOn(t, full), expected);
});

test('what is ranked among few is not multiplied', async (t) => {
  const counting = new CountingDevice();
  await ranksOn(t, counting, { negatives: 5 });
  assert.deepEqual(counting.waits, []);
});
