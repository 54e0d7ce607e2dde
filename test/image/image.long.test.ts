import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scaffoldPlugin } from '../../clients/cli/plugin-scaffold.ts';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { Client } from '../support/client.ts';
import { rating } from '../support/ratings.ts';
import { ROOT } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { Buildah } from './buildah.ts';
import { RunningContainer } from './container.ts';
import { ReadOnlyRoot } from './read-only-root.ts';
import { installBuildah, installHadolint } from './tools.ts';

/** The Dockerfile, linted and really built, and its image run: what it answers, as whom it runs, how it stops. */

const SERVING = 1;
/** Longer than a server waits until it gives memory back. */
const IDLE_MS = 6000;
/** Packages are fetched twice, for the base and for the image. */
const PATIENCE = { timeout: 900_000 };
const TAG = 'localhost/accrete:test';
/** The Node that npm brings for older machines. */
const NODE = /^node_modules\/node-linux-/;

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

const dockerfile = join(ROOT, 'Dockerfile');
const folder = makeFolder({ after });
const hadolint = installHadolint(join(folder, 'hadolint'));
const skip = installBuildah();

test('the Dockerfile keeps the rules of hadolint', { skip: hadolint.skip }, () => {
  const { status, stdout } = spawnSync(hadolint.path, ['--no-color', dockerfile], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('the image', { skip, ...PATIENCE }, async (t) => {
  const buildah = new Buildah(folder, t);
  const timed = (what: string, step: () => void) => {
    const beganMs = performance.now();
    step();
    t.diagnostic(`${what}: ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  };

  await t.test('is built', PATIENCE, () => {
    const bases = new Set([...readFileSync(dockerfile, 'utf8').matchAll(/^FROM (\S+)/gm)].map(([, name]) => name));
    assert.equal(bases.size, 1, 'the stages have one base');
    const [base] = bases;
    timed('base image', () => buildah.makeBase(base));
    timed('image', () => buildah.build(TAG));
    t.diagnostic(`size: ${buildah.sizeOf(TAG)}, of which the base is ${buildah.sizeOf(base)}`);
  });

  const { User, Env, Entrypoint, Cmd, WorkingDir, Volumes, ExposedPorts, Healthcheck } = buildah.configOf(TAG);
  const container = buildah.container(TAG);
  const inside = (...command: string[]) => buildah.run('run', '--isolation', 'chroot', container, '--', ...command);

  await t.test('says how it is run', () => {
    assert.match(User, /^[1-9]\d*$/, 'a number, and not that of root');
    assert.deepEqual(Object.keys(ExposedPorts).sort(), ['50051/tcp', '9464/tcp']);
    assert.deepEqual(Object.keys(Volumes), [Env.find((line) => line.startsWith('ACCRETE_DATA='))?.split('=')[1]]);
    assert(Env.includes('ACCRETE_LISTEN=0.0.0.0:50051') && Env.includes('ACCRETE_METRICS_LISTEN=0.0.0.0:9464'));
    assert.equal(Healthcheck.Test[0], 'CMD', 'without a shell');
    t.diagnostic(`in ${WorkingDir}: ${inside('du', '--summarize', '--human-readable', 'node_modules')}`);
  });

  await t.test('holds no package that only building and testing need', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
    const folders = Object.entries(packages).flatMap(([folder, { dev }]) => (dev || NODE.test(folder) ? [folder] : []));
    assert(folders.includes('node_modules/typescript'), 'the list knows them');
    const found = inside('sh', '-c', 'for each; do [ ! -e "$each" ] || echo "$each"; done', 'sh', ...folders);
    assert.equal(found, '');
  });

  await t.test('runs its own command: answers, keeps what it learned, and ends with 0', async (t) => {
    const data = join(folder, 'data');
    mkdirSync(data);
    chownSync(data, Number(User), Number(User));
    const [grpc, http] = [await freePort(), await freePort()];
    const env = [`ACCRETE_LISTEN=127.0.0.1:${grpc}`, `ACCRETE_METRICS_LISTEN=127.0.0.1:${http}`];
    const options = [...env.flatMap((line) => ['--env', line]), '--volume', `${data}:${Object.keys(Volumes)[0]}`];
    const command = [...Entrypoint, ...(Cmd ?? [])];
    const probe = () =>
      buildah.run('run', '--isolation', 'chroot', ...options, container, '--', ...Healthcheck.Test.slice(1));
    const client = new Client(`127.0.0.1:${grpc}`);
    t.after(() => client.close());

    assert.throws(probe, 'nothing is healthy before it runs');
    let running = new RunningContainer(t, buildah, container, options, command);
    const beganMs = performance.now();
    await running.said('ready');
    t.diagnostic(`ready after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
    assert.deepEqual(running.commandLine.slice(1), command.slice(1), 'the process is node itself, not a shell');
    assert.match(readFileSync(`/proc/${running.pid}/status`, 'utf8'), new RegExp(`^Uid:\\s${User}\\s`, 'm'));

    assert.equal((await client.call(HealthService.check, { service: '' })).status, SERVING);
    assert.equal((await client.rate([rating('ann', 'matrix', 5), rating('bob', 'alien', 4)])).acceptedCount, 2);
    const { items } = await client.recommend('ann');
    assert.deepEqual(
      items.map(({ itemId }) => itemId),
      ['alien'],
    );
    assert.equal((await fetch(`http://127.0.0.1:${http}/readyz`)).status, 200);
    probe();
    assert.match(inside('accrete', '--address', `127.0.0.1:${grpc}`, 'ratings', 'ann'), /matrix/);
    assert.deepEqual(await running.stop(), { code: 0, signal: null });

    running = new RunningContainer(t, buildah, container, options, command);
    await running.said('ready');
    assert.deepEqual(
      (await client.allRatings('ann')).map(({ itemId }) => itemId),
      ['matrix'],
    );
    assert.deepEqual(await running.stop(), { code: 0, signal: null });
  });

  await t.test('runs beside an application: a Unix socket, a root that nobody can write, a plugin of its own', (t) =>
    runAsSidecar(t, buildah.run('mount', container), User, Env, [...Entrypoint, ...(Cmd ?? [])], Healthcheck),
  );
});

/** As `deploy/kubernetes/sidecar.yaml` has it. */
async function runAsSidecar(
  t: TestContext,
  root: string,
  user: string,
  env: readonly string[],
  command: readonly string[],
  { Test: [, ...probe] }: { readonly Test: readonly string[] },
): Promise<void> {
  const volumes: Record<string, string> = {};
  for (const place of ['/var/lib/accrete', '/run/accrete', '/tmp']) {
    volumes[place] = join(folder, `sidecar${place}`);
    mkdirSync(volumes[place], { recursive: true });
    chownSync(volumes[place], Number(user), Number(user));
  }
  volumes['/app/plugins/taste'] = scaffoldPlugin('taste', folder).folder;
  const own = [
    'ACCRETE_MODELS=popularity,./plugins/taste/plugin.ts',
    'ACCRETE_LISTEN=unix:/run/accrete/accrete.sock',
    'ACCRETE_METRICS_LISTEN=127.0.0.1:0',
  ];
  const image = new ReadOnlyRoot(root, user, volumes, [...env, ...own]);
  assert.match(image.run('touch', '/app/file').output, /Read-only file system/);
  assert.equal(image.run(...probe).code, 1, 'nothing is healthy before it runs');
  const beganMs = performance.now();
  const { child, exited } = image.begin(t, ...command);
  assert.equal(image.run(...probe, '--wait', '60').code, 0);
  t.diagnostic(`healthy after ${((performance.now() - beganMs) / 1000).toFixed(1)} s, the probe's own start included`);

  const client = new Client(`unix:${volumes['/run/accrete']}/accrete.sock`);
  t.after(() => client.close());
  assert.equal((await client.rate([rating('ann', 'matrix', 5)])).acceptedCount, 1);
  assert.deepEqual(image.run('accrete', 'health', 'accrete.write'), { code: 0, output: 'SERVING\n' });
  assert.match(image.run('accrete', 'ratings', 'ann').output, /matrix/);
  assert.match(image.run('accrete', 'recommend', 'bob', '--model', 'taste').output, /matrix/);
  await sleep(IDLE_MS);
  const resident = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
  t.diagnostic(`resident when idle: ${((Number(resident) * 1024) / 1e6).toFixed(0)} MB`);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, { code: 0, signal: null });
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
