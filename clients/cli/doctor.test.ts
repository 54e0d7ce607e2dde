import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { sendUnaryData } from '@grpc/grpc-js';
import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthService,
} from '../../proto/gen/grpc/health/v1/health.ts';
import { ServerProcess } from './server-process.ts';
import { makeFolder, run } from './testing/accrete.ts';
import { FakeServer } from './testing/fake-server.ts';

const { folder, remove } = await makeFolder();
const server = await ServerProcess.start(folder, [
  '--listen=127.0.0.1:0',
  '--metrics.listen=off',
  '--data=kept',
  '--models=mf,popularity',
]);
after(async () => {
  await server.stop();
  await remove();
});

interface Answer {
  readonly server?: { readonly serves: boolean; readonly metrics: boolean; readonly models: object[] };
  readonly local: { readonly data: { readonly holder?: object; readonly path: string } };
  readonly findings: { readonly level: string; readonly subject: string }[];
}

const data = join(folder, 'kept');

test('a running server is asked, and its folder is looked at', async () => {
  await run(['models'], server.address); // it listens before it serves
  // Room and memory are what this machine has; they are not what is tested here.
  const { stdout } = await run(['doctor', '--data', data, '--memory.budgetMiB', '64', '--json'], server.address);
  const found: Answer = JSON.parse(stdout);
  assert.deepEqual([found.server?.serves, found.server?.models.length], [true, 2]);
  assert.ok(found.local.data.holder);
  const about = (subject: string) => found.findings.find((finding) => finding.subject === subject)?.level;
  assert.deepEqual(['server', 'model mf', 'metrics', 'store', 'configuration', 'budget'].map(about), [
    'ok',
    'ok',
    'note',
    'ok',
    'ok',
    'ok',
  ]);
});

test('a bundle has what a report needs, and no ids', async () => {
  await run(['rate', 'hidden-user', 'hidden-item', '4'], server.address);
  const log = join(folder, 'server.log');
  const lines = [
    { level: 30, time: 'now', replayedMs: 5, msg: 'ready' },
    {
      level: 50,
      time: 'now',
      err: { message: 'hidden-user' },
      why: 'hidden-item',
      reason: 'INTERNAL',
      msg: 'a call failed',
    },
    { level: 60, time: 'now', reason: 'DATA_LOSS', msg: 'of hidden-user' },
  ];
  writeFileSync(log, `${lines.map((line) => JSON.stringify(line)).join('\n')}\nno JSON of hidden-user\n`);
  const file = join(folder, 'report.json');
  const { stderr } = await run(['doctor', '--data', data, '--bundle', file, '--log', log], server.address);
  assert.match(stderr, /report\.json has no ids/);
  const text = readFileSync(file, 'utf8');
  assert.doesNotMatch(text, /hidden/);
  const bundle = JSON.parse(text);
  for (const part of ['machine', 'variables', 'server', 'local', 'findings']) assert.ok(bundle[part], part);
  assert.deepEqual(bundle.log, [
    { level: 30, time: 'now', replayedMs: 5, msg: 'ready' },
    { level: 50, time: 'now', reason: 'INTERNAL', msg: 'a call failed' },
    { level: 60, time: 'now', reason: 'DATA_LOSS' },
  ]);
  assert.equal((await run(['doctor', '--log', log], server.address)).code, 2);
});

test('while a server does not serve, figures that may be of another process are not told as its own', async () => {
  const check = (_call: unknown, done: sendUnaryData<HealthCheckResponse>) =>
    done(null, { status: HealthCheckResponse_ServingStatus.NOT_SERVING });
  const starting = new FakeServer().add(HealthService, { check });
  const stranger = createServer((_request, response) => response.end('accrete_update_lag_seconds 99\n'));
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  try {
    const metrics = `127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    const { stdout } = await run(['doctor', '--data', data, '--metrics', metrics, '--json'], await starting.start());
    const { server, findings }: Answer = JSON.parse(stdout);
    assert.deepEqual([server?.serves, server?.metrics], [false, false]);
    const subjects = findings.map(({ subject }) => subject);
    assert.deepEqual(
      ['server', 'queue', 'metrics'].map((subject) => subjects.includes(subject)),
      [true, false, false],
    );
  } finally {
    starting.stop();
    stranger.close();
  }
});

test('without a server the folder alone is looked at, and a mistake ends with 1', async () => {
  const nowhere = `unix:${folder}/none.sock`;
  const { code, stdout, stderr } = await run(['doctor', '--data', data, '--rating.min', '7'], nowhere);
  assert.match(stdout, /\n!\tconfiguration\trating\.min: .*7.*\tcorrect it/);
  assert.match(stdout, /\nnote\tserver\tnone answers at unix:/);
  assert.match(stderr, /^\d of these need attention\n$/);
  assert.equal(code, 1);
});

test('a server on another machine that does not answer needs attention', async () => {
  const { code, stdout } = await run(['doctor', '--json', '--timeout', '5'], 'nowhere.invalid:50051');
  const { findings }: Answer = JSON.parse(stdout);
  assert.deepEqual([findings[0].level, findings[0].subject, code], ['attention', 'server', 1]);
});
