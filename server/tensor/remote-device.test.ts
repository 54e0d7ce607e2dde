import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { Workspace } from '../../plugins/contract/index.ts';
import type { Backend } from './backend.ts';
import { choose } from './choose.ts';
import { CpuBackend } from './cpu.ts';
import { DeviceMeter } from './device-meter.ts';
import { LocalDevice } from './local-device.ts';
import type { Values } from './multiply.ts';
import type { Making } from './operations.ts';
import { RemoteDevice } from './remote-device.ts';
import { DeviceService } from './serve-device.ts';

const MIB = 2 ** 20;
const TRAITS = { name: 'webgpu', crossover: 1 };

/** A device that fails at the operation of this number, from 1. */
class FailingBackend extends CpuBackend {
  readonly #failsAt: number;
  made = 0;

  constructor(failsAt: number, lost?: Promise<string>) {
    super();
    this.#failsAt = failsAt;
    if (lost) Object.assign(this, { lost });
  }

  override make(making: Making, a: Values | undefined, b: Values | undefined): Values {
    if (++this.made === this.#failsAt) throw new Error('out of order');
    return super.make(making, a, b);
  }
}

function together(t: { after(end: () => void): void }, backend: Backend<Values>, budgetBytes = MIB) {
  const meter = new DeviceMeter();
  const failures: string[] = [];
  const service = new DeviceService(backend as Backend, budgetBytes, meter, (why) => failures.push(why));
  const connect = () => {
    const { port1, port2 } = new MessageChannel();
    service.serve(port1);
    const device = new RemoteDevice(TRAITS, port2, meter, new LocalDevice(MIB, meter));
    t.after(() => device.close());
    return device;
  };
  return { meter, failures, connect };
}

/** What a thread gives back reaches the meter a little later. */
async function until(holds: () => boolean): Promise<void> {
  const giveUpMs = performance.now() + 5000;
  while (!holds()) {
    assert.ok(performance.now() < giveUpMs, 'it does not come');
    await new Promise(setImmediate);
  }
}

const double = async (on: Workspace) => [...(await on.read(on.affine(on.upload(Float32Array.of(1, 2, 3), 1, 3), 2)))];

test('work goes to the device, and what it made is freed', async (t) => {
  const { meter, failures, connect } = together(t, new CpuBackend());
  const device = connect();
  assert.deepEqual([device.name, await device.run(double)], ['webgpu', [2, 4, 6]]);
  const top = await device.run((on) => on.topK(on.upload(Float32Array.of(1, 3, 2), 1, 3), 2));
  assert.deepEqual(
    [[...top.items], [...top.scores]],
    [
      [1, 2],
      [3, 2],
    ],
  );
  await device.run((on) => on.settle());
  assert.deepEqual([meter.get('bytes'), meter.get('tensors'), meter.get('fallbacks'), failures], [0, 0, 0, []]);
  assert.equal(meter.get('uploads'), 2);
});

for (const failsAt of [1, 2]) {
  test(`a device that fails at operation ${failsAt}: the work is done here, and from then on all of it`, async (t) => {
    const backend = new FailingBackend(failsAt);
    const { meter, failures, connect } = together(t, backend);
    const [device, other] = [connect(), connect()];
    let begun = 0;
    const work = (on: Workspace) => {
      begun++;
      return double(on);
    };
    assert.deepEqual(await device.run(work), [2, 4, 6]);
    assert.equal(begun, 2);
    assert.deepEqual([meter.get('fallbacks'), meter.hasFailed, failures], [1, true, ['Error: out of order']]);
    assert.deepEqual([device.name, await device.run(double), await other.run(double)], ['cpu', [2, 4, 6], [2, 4, 6]]);
    assert.deepEqual([backend.made, failures.length, meter.get('fallbacks')], [failsAt, 1, 1], 'nobody asks it again');
    await until(() => meter.get('bytes') === 0 && meter.get('tensors') === 0);
  });
}

test('work that has all its results is not done again', async (t) => {
  const { failures, connect } = together(t, new FailingBackend(3));
  let begun = 0;
  const result = await connect().run(async (on) => {
    begun++;
    const doubled = await double(on);
    on.fill(1, 1, 0);
    return doubled;
  });
  assert.deepEqual([begun, result, failures.length], [1, [2, 4, 6], 1]);
});

test('a failure that the work makes another error of is still one of the device', async (t) => {
  const { connect } = together(t, new FailingBackend(2));
  const hiding = (on: Workspace) =>
    double(on).catch(() => {
      throw new TypeError('something else');
    });
  assert.deepEqual(await connect().run(hiding), [2, 4, 6]);
});

test('what the work throws, and a matrix beyond the budget, are not failures of the device', async (t) => {
  const { meter, failures, connect } = together(t, new CpuBackend(), 1024);
  const device = connect();
  await assert.rejects(
    device.run(async (on) => {
      await double(on);
      throw new RangeError('own');
    }),
    RangeError,
  );
  await assert.rejects(
    device.run((on) => on.read(on.fill(16, 17, 0))),
    { name: 'AccreteError', reason: 'DEVICE_FULL', message: /16 x 17 takes 0 MiB|16 x 17/ },
  );
  assert.deepEqual(await device.run(double), [2, 4, 6]);
  assert.deepEqual([meter.get('fallbacks'), failures], [0, []]);
});

test('a device that goes while an answer is waited for', async (t) => {
  const lost = Promise.withResolvers<string>();
  const backend = new FailingBackend(0, lost.promise);
  const asked = Promise.withResolvers<void>();
  const silent: CpuBackend['read'] = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  Object.assign(backend, { read: silent });
  const { failures, connect } = together(t, backend);
  const result = connect().run(double);
  await asked.promise;
  lost.resolve('unplugged');
  assert.deepEqual([await result, failures], [[2, 4, 6], ['unplugged']]);
});

test('a thread that ends takes its matrices with it, and a device thread that ends fails nobody', async () => {
  const meter = new DeviceMeter();
  const service = new DeviceService(new CpuBackend() as Backend, MIB, meter, () => {});
  const { port1, port2 } = new MessageChannel();
  service.serve(port1);
  const device = new RemoteDevice(TRAITS, port2, meter, new LocalDevice(MIB, meter));
  const made = Promise.withResolvers<void>();
  const left = device.run(async (on) => {
    const a = on.fill(4, 4, 2);
    await on.settle();
    made.resolve();
    // The port closes here; the second time it is done on the spare.
    await new Promise((resolve) => setTimeout(resolve, 20));
    return on.read(on.add(a, a));
  });
  await made.promise;
  assert.equal(meter.get('bytes'), 64);
  port1.close();
  assert.deepEqual((await left)[0], 4);
  await until(() => meter.get('bytes') === 0 && meter.get('tensors') === 0);
  assert.deepEqual([device.name, meter.get('fallbacks')], ['cpu', 1]);
});

test('by itself a card is chosen, else native TensorFlow, never software that plays a card', () => {
  const found = (name: 'tensorflow' | 'webgpu', accelerated: boolean) => ({ name, accelerated });
  const [slow, native, card, cuda] = [
    found('webgpu', false),
    found('tensorflow', false),
    found('webgpu', true),
    found('tensorflow', true),
  ];
  assert.equal(choose('auto', [native, slow]), native);
  assert.equal(choose('auto', [slow]), undefined);
  assert.equal(choose('auto', [native, card]), card);
  assert.equal(choose('auto', [cuda, card]), cuda);
  assert.equal(choose('webgpu', [native, slow]), slow);
  assert.equal(choose('cpu', [cuda]), undefined);
});
