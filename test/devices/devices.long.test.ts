import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { Device } from '../../plugins/contract/index.ts';
import { EvaluationProtocol } from '../../proto/gen/accrete/v1/evaluation.ts';
import type { DeviceSetting } from '../../server/tensor/choose.ts';
import { DeviceHandle } from '../../server/tensor/device-handle.ts';
import { DeviceMeter } from '../../server/tensor/device-meter.ts';
import { LocalDevice } from '../../server/tensor/local-device.ts';
import { findPackage } from '../../server/tensor/packages.ts';
import { RemoteDevice } from '../../server/tensor/remote-device.ts';
import { DeviceService } from '../../server/tensor/serve-device.ts';
import { WEBGPU } from '../../server/tensor/webgpu.ts';
import { parseMetrics } from '../support/prometheus.ts';
import { manyRatings, randomNumbers, rating } from '../support/ratings.ts';
import { pluginPath } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { pluginSuite } from './plugin-suite.ts';
import { deviceSuite, type Subject } from './suite.ts';

/** Every device but `cpu`, really run, in its thread. What computes is asserted: TensorFlow.js falls back without a word. */

const MIB = 2 ** 20;

/** Work that falls back is no work of the device that is tested. */
const SPARE: Device = {
  name: 'none',
  crossover: Number.POSITIVE_INFINITY,
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
  const device = handle.device(SPARE) ?? assert.fail('there is no device');
  opened.push({ handle, device });
  return { handle, device };
}

interface Kind {
  readonly setting: 'tensorflow' | 'webgpu';
  readonly adapter: RegExp;
  readonly multiplyEvery: number;
  readonly functionError: number;
}

/** Software that plays a card, unless the test is run on a real one: see docs/devices.md. */
const WEBGPU_ADAPTER = new RegExp(process.env.WEBGPU_ADAPTER ?? 'swiftshader', 'i');

const KINDS: readonly Kind[] = [
  { setting: 'tensorflow', adapter: /^TensorFlow 2\.\d+\.\d+ on /, multiplyEvery: 1, functionError: 1e-5 },
  { setting: 'webgpu', adapter: WEBGPU_ADAPTER, multiplyEvery: 500, functionError: 1e-4 },
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
  pluginSuite(setting, make);

  test(`${setting}: all of it was computed there`, async () => {
    const { handle, device } = await make();
    assert.deepEqual(failures, []);
    assert.deepEqual([device.name, handle.meter.get('fallbacks')], [setting, 0]);
  });

  test(`${setting}: work goes on when its thread ends in the middle`, async () => {
    const why: string[] = [];
    const handle = await DeviceHandle.open({ setting, budgetBytes: MIB }, (reason) => why.push(reason));
    after(() => handle.stop());
    const device = handle.device(new LocalDevice(MIB, handle.meter)) ?? assert.fail('there is no device');
    let begun = 0;
    const sums = await device.run(async (on) => {
      begun++;
      const a = on.upload(Float32Array.of(1, 2, 3, 4), 2, 2);
      assert.deepEqual([...(await on.read(a))], [1, 2, 3, 4]);
      await handle.stop();
      return on.read(on.sum(a, 'rows'));
    });
    assert.deepEqual([begun, [...sums], handle.meter.get('fallbacks')], [2, [4, 6], 1]);
  });

  test(`${setting}: a refit of a server computes there`, async (t) => {
    const models = [{ name: 'averaging', plugin: pluginPath('device-mean') }];
    const server = await ServerProcess.start(t, { models, device: setting, metrics: { listen: '127.0.0.1:0' } });
    for (let from = 0; from < 2400; from += 100) await server.client.rate(manyRatings(100, { from }));
    const figures = () => scrape(server);
    const before = (await figures())('accrete_device_uploads_total');
    const { result } = await server.client.fuse({ model: 'averaging', guard: { margin: 1 } });
    assert.equal(result.promoted, true, result.decision?.reason);
    const find = await figures();
    const usable = find('accrete_device_usable');
    assert.deepEqual([usable?.labels.device, usable?.value], [setting, 1]);
    assert.match(usable?.labels.adapter ?? '', adapter);
    const uploads = Number(find('accrete_device_uploads_total')?.value) - Number(before?.value);
    assert.deepEqual([uploads, find('accrete_device_fallbacks_total')?.value], [1, 0]);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test(`${setting}: lists for many users and ranks of an evaluation, there if that is faster`, async (t) => {
    const models = [{ name: 'mf', plugin: 'mf', config: { base: 'biases', ranking: 'taste' } }];
    const server = await ServerProcess.start(t, { models, device: setting, metrics: { listen: '127.0.0.1:0' } });
    const { client } = server;
    const random = randomNumbers(2);
    const ratings = Array.from({ length: 16_000 }, (_, n) =>
      rating(`user-${n % LISTED}`, `item-${Math.floor(BULK_ITEMS * random())}`, 1 + Math.floor(5 * random())),
    );
    for (let from = 0; from < ratings.length; from += 1000) await client.rate(ratings.slice(from, from + 1000));
    const before = await scrape(server);
    const uploads = 'accrete_device_uploads_total';
    const crossover = before('accrete_device_crossover_multiplications')?.value ?? Number.POSITIVE_INFINITY;
    t.diagnostic(`crossover ${crossover}`);
    const userIds = Array.from({ length: LISTED }, (_, n) => `user-${n}`);
    const lists = (await client.recommendBatch({ userIds })).flatMap(({ event }) =>
      event?.$case === 'recommendations' && event.value.outcome?.$case === 'answer' ? [event.value.outcome.value] : [],
    );
    for (const n of [0, 1, 100, LISTED - 1]) {
      const alone = await client.recommend(userIds[n]);
      const named = ({ items }: typeof alone) => items.map(({ itemId, score }) => [itemId, score]);
      assert.deepEqual(named(lists[n]), named(alone));
    }
    const between = await scrape(server);
    // 64 numbers in a vector.
    const isWorth = LISTED * BULK_ITEMS * 64 >= crossover;
    assert.equal(Number(between(uploads)?.value) > Number(before(uploads)?.value), isWorth);
    const protocol = EvaluationProtocol.EVALUATION_PROTOCOL_HOLDOUT;
    const { rows } = await client.evaluate({ protocol, metrics: ['hit_rate@10'] });
    // Of 16,000, less those that rated again.
    assert.ok(rows[0].count > 1500n, `${rows[0].count}`);
    const after = await scrape(server);
    assert.equal(Number(after(uploads)?.value) > Number(between(uploads)?.value), isWorth);
    assert.equal(after('accrete_device_fallbacks_total')?.value, 0);
  });
}

/** Of lists that are made at once. */
const LISTED = 256;
const BULK_ITEMS = 4000;

async function scrape(server: ServerProcess) {
  const samples = parseMetrics(await (await fetch(server.url('/metrics'))).text());
  return (name: string) => samples.find((sample) => sample.name === name);
}

test('webgpu: a card that is lost in the middle', async () => {
  const backend = await WEBGPU.open();
  const meter = new DeviceMeter();
  const why: string[] = [];
  const service = new DeviceService(backend, MIB, meter, (reason) => why.push(reason));
  const { port1, port2 } = new MessageChannel();
  service.serve(port1);
  const device = new RemoteDevice({ name: 'webgpu', crossover: 1 }, port2, meter, new LocalDevice(MIB, meter));
  const tf = findPackage('@tensorflow/tfjs-core')?.load() as { backend(): { device: { destroy(): void } } };
  const sums = await device.run(async (on) => {
    const a = on.upload(Float32Array.of(1, 2, 3, 4), 2, 2);
    await on.read(on.sum(a, 'rows'));
    tf.backend().device.destroy();
    return on.read(on.sum(a, 'columns'));
  });
  assert.deepEqual([...sums], [3, 7]);
  assert.deepEqual([why.length, meter.get('fallbacks'), device.name], [1, 1, 'cpu']);
  device.close();
});

const hasCard = existsSync('/dev/nvidiactl');

test('CUDA: TensorFlow computes on the card', {
  skip: !hasCard && 'there is no CUDA card: see docs/devices.md',
}, async () => {
  const { handle } = await open('tensorflow', 64);
  assert.match(handle.chosen?.adapter ?? '', / on CUDA /);
  assert.equal(handle.chosen?.accelerated, true);
});
