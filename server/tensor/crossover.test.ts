import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Device } from '../../plugins/contract/index.ts';
import { measureCrossover } from './crossover.ts';
import { DeviceFailure } from './operations.ts';

/** Milliseconds: what a run takes goes by at once. */
let time = 0;
let runs = 0;

beforeEach(() => {
  time = 0;
  runs = 0;
});

/** Does nothing, which takes so long at each run. */
const taking = (millisecondsOf: (run: number) => number): Device => {
  let own = 0;
  return {
    name: 'webgpu',
    crossover: 0,
    async run<T>() {
      runs++;
      time += millisecondsOf(own++);
      return undefined as T;
    },
  };
};

/** Of `cpu`: at each size twice, four times as long at the next. */
const growing = () => taking((run) => 0.1 * 4 ** Math.floor(run / 2));

const measure = (device: Device, cpu = growing()) => measureCrossover(device, cpu, () => time);

test('a device that takes no time is faster at the smallest size', async () => {
  assert.equal(await measure(taking(() => 0)), 64 * 64 * 64);
});

test('one whose calls take long is faster where there is more to do, whatever its first ones take', async () => {
  assert.equal(await measure(taking((run) => (run < 2 ? 5000 : 1))), 64 * 1024 * 64);
});

test('what it compiles for each size is not what its work takes', async () => {
  // At each size two runs to warm up, then two that are timed.
  assert.equal(await measure(taking((run) => (run % 4 === 0 ? 1000 : 1))), 64 * 1024 * 64);
});

test('one that is slow is left alone in time', async () => {
  assert.equal(
    await measure(
      taking(() => 60),
      taking(() => 1),
    ),
    Number.POSITIVE_INFINITY,
  );
  // After two to warm up: what comes next would take 480 ms and more.
  assert.deepEqual([runs, time], [6, 242]);
});

test('one that fails pays nowhere', async () => {
  const failing: Device = { ...taking(() => 0), run: () => Promise.reject(new DeviceFailure('planted')) };
  assert.equal(await measure(failing), Number.POSITIVE_INFINITY);
});
