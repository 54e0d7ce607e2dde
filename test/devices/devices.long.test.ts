import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Device } from '../../plugins/contract/index.ts';
import type { DeviceSetting } from '../../server/tensor/choose.ts';
import { DeviceHandle } from '../../server/tensor/device-handle.ts';
import { RemoteDevice } from '../../server/tensor/remote-device.ts';
import { deviceSuite, type Subject } from './suite.ts';

/** Every device but `cpu`, really run, in its thread. What computes is asserted: TensorFlow.js falls back without a word. */

const MIB = 2 ** 20;

/** Work that falls back is no work of the device that is tested. */
const SPARE: Device = {
  name: 'none',
  run: () => Promise.reject(new Error('the work fell back to another device')),
};
const opened: { readonly handle: DeviceHandle; readonly device: RemoteDevice }[] = [];
const failures: string[] = [];

after(async () => {
  for (const { handle, device } of opened) {
    device.close();
    await handle.stop();
  }
});

async function open(setting: DeviceSetting, budgetMiB: number) {
  const handle = await DeviceHandle.open({ setting, budgetBytes: budgetMiB * MIB }, (why) => failures.push(why));
  const port = handle.connect() ?? assert.fail('there is no device');
  const device = new RemoteDevice(handle.chosen?.name ?? '', port, handle.meter, SPARE);
  opened.push({ handle, device });
  return { handle, device };
}

interface Kind {
  readonly setting: 'tensorflow' | 'webgpu';
  readonly adapter: RegExp;
  readonly multiplyEvery: number;
  readonly functionError: number;
}

const KINDS: readonly Kind[] = [
  { setting: 'tensorflow', adapter: /^TensorFlow 2\.\d+\.\d+ on /, multiplyEvery: 1, functionError: 1e-5 },
  { setting: 'webgpu', adapter: /swiftshader/i, multiplyEvery: 500, functionError: 1e-4 },
];

for (const { setting, adapter, multiplyEvery, functionError } of KINDS) {
  let made: Promise<Subject & { readonly handle: DeviceHandle }> | undefined;
  const make = () => {
    made ??= Promise.all([open(setting, 64), open(setting, 1)]).then(([{ handle, device }, small]) => ({
      ...{ handle, device, meter: handle.meter, multiplyEvery, functionError },
      ...{ small: small.device, smallMeter: small.handle.meter },
    }));
    return made;
  };

  test(`${setting}: it is what computes`, async (t) => {
    const { handle, device } = await make();
    t.diagnostic(String(handle.chosen?.adapter));
    assert.deepEqual([handle.chosen?.name, device.name], [setting, setting]);
    assert.match(handle.chosen?.adapter ?? '', adapter);
  });

  deviceSuite(setting, make);

  test(`${setting}: all of it was computed there`, async () => {
    const { handle, device } = await make();
    assert.deepEqual(failures, []);
    assert.deepEqual([device.name, handle.meter.get('fallbacks')], [setting, 0]);
  });
}
