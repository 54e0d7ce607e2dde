import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from '../../plugins/contract/index.ts';
import { measureCrossover } from './crossover.ts';
import { DeviceMeter } from './device-meter.ts';
import { LocalDevice } from './local-device.ts';
import { DeviceFailure } from './operations.ts';

const cpu = () => new LocalDevice(2 ** 26, new DeviceMeter());

/** A device that takes so long for each run, and does the work of none. */
const taking = (milliseconds: number): Device & { runs: number } => ({
  name: 'webgpu',
  crossover: 0,
  runs: 0,
  async run<T>() {
    this.runs++;
    if (milliseconds > 0) await sleep(milliseconds);
    return undefined as T;
  },
});

test('a device that takes no time is faster at the smallest size', async () => {
  assert.equal(await measureCrossover(taking(0), cpu()), 64 * 64 * 64);
});

test('one whose calls take long is faster where there is more to do', async () => {
  const crossover = await measureCrossover(taking(1), { ...taking(0), run: growing(0.1) });
  assert.ok(crossover > 64 * 64 * 64 && Number.isFinite(crossover), `${crossover}`);
});

test('one that is slow is left alone in time', async () => {
  const slow = taking(60);
  const startMs = performance.now();
  assert.equal(await measureCrossover(slow, cpu()), Number.POSITIVE_INFINITY);
  const spentMs = performance.now() - startMs;
  assert.ok(slow.runs <= 4 && spentMs < 500, `${slow.runs} runs, ${spentMs} ms`);
});

test('one that fails pays nowhere', async () => {
  const failing: Device = { ...taking(0), run: () => Promise.reject(new DeviceFailure('planted')) };
  assert.equal(await measureCrossover(failing, cpu()), Number.POSITIVE_INFINITY);
});

/** Milliseconds that grow by 4 every second run. */
function growing(milliseconds: number): Device['run'] {
  let runs = 0;
  return async <T>() => {
    await sleep(milliseconds * 4 ** Math.floor(runs++ / 2));
    return undefined as T;
  };
}
