import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { drawn } from './matrices.ts';
import { pluginSuite } from './plugin-suite.ts';
import { deviceSuite } from './suite.ts';
import { train } from './tower.ts';

const MIB = 2 ** 20;

const make = async () => {
  const meter = new DeviceMeter();
  const [device, small] = [64, 1].map((budgetMiB) => new LocalDevice(budgetMiB * MIB, meter));
  return { device, small, meter, smallMeter: meter, multiplyEvery: 1, functionError: 1e-6 };
};

deviceSuite('cpu', make);
pluginSuite('cpu', make);

test('cpu: the same work gives the same bits', async () => {
  const once = () => new LocalDevice(MIB, new DeviceMeter()).run(train);
  assert.equal(await once(), await once());
});

test('cpu: what is uploaded is counted, and time is taken', async () => {
  const meter = new DeviceMeter();
  await new LocalDevice(MIB, meter).run(async (on) => on.read(drawn(4, 5, 1).on(on)));
  assert.deepEqual([meter.get('uploads'), meter.get('uploadedBytes'), meter.get('bytes')], [1, 80, 0]);
  assert.ok(meter.get('microseconds') > 0);
});
