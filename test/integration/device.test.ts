import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { parseMetrics } from '../support/prometheus.ts';
import { manyRatings } from '../support/ratings.ts';
import { pluginPath, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';

/** A refit that computes on the device of a server, and devices that are refused. */

const plugin = pluginPath('device-mean');
const models = [
  { name: 'averaging', plugin },
  { name: 'spacious', plugin, config: { spareMiB: 3 } },
];
const server = await TestServer.start(
  { after },
  { models, metrics: { listen: '127.0.0.1:0' }, memory: { budgetMiB: 256, deviceMiB: 2 } },
);
const { client } = server;
for (let from = 0; from < 2400; from += 100) await client.rate(manyRatings(100, { from }));

const scrape = async () => parseMetrics(await (await fetch(server.url('/metrics'))).text());

test('a refit computes on it, and what it did is measured', async () => {
  const { result } = await client.fuse({ model: 'averaging', guard: { margin: 1 } });
  assert.equal(result.promoted, true, result.decision?.reason);
  const samples = await scrape();
  const figureOf = (name: string) => samples.find((sample) => sample.name === name)?.value;
  const usable = samples.find(({ name }) => name === 'accrete_device_usable');
  assert.deepEqual([usable?.labels.device, usable?.value], ['cpu', 1]);
  assert.equal(figureOf('accrete_device_uploads_total'), 1);
  assert.ok(Number(figureOf('accrete_device_upload_bytes_total')) >= 4 * 1000);
  assert.ok(Number(figureOf('accrete_device_busy_seconds_total')) > 0);
  assert.equal(figureOf('accrete_device_fallbacks_total'), 0);
  const bytes = samples.filter(({ name }) => name === 'accrete_device_bytes');
  assert.deepEqual(
    bytes.map(({ labels, value }) => [labels.state, value]),
    [
      ['budget', 2 * 2 ** 20],
      ['used', 0],
    ],
  );
});

test('a refit that does not fit is refused with what to set, and the model is as it was', async () => {
  const failure = await failureOf(client.fuse({ model: 'spacious', guard: { margin: 1 } }));
  assert.deepEqual([failure.code, failure.reason], ['RESOURCE_EXHAUSTED', 'DEVICE_FULL']);
  assert.match(failure.message, /takes 3 MiB .* set memory\.deviceMiB to 3 or more/);
  assert.equal((await client.getModel('spacious')).model?.version, '1');
});

test('a device that is named and cannot be used refuses the start, before anything is made', async (t) => {
  const env = { VK_ICD_FILENAMES: '/none.json', LD_LIBRARY_PATH: '' };
  const refused = ServerProcess.begin(t, { device: 'webgpu' }, { env });
  assert.deepEqual(await refused.exited, { code: 1, signal: null });
  assert.match(refused.stderr, /^accrete: The device webgpu cannot be used: .*set device to auto or cpu/im);
  assert.ok(!existsSync(refused.data));
});
