import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { Client } from '../support/client.ts';
import { rating } from '../support/ratings.ts';
import { ROOT } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { Buildah } from './buildah.ts';
import { RunningContainer } from './container.ts';
import { installBuildah, installHadolint } from './tools.ts';

/** The Dockerfile, linted and really built, and its image run: what it answers, as whom it runs, how it stops. */

const SERVING = 1;
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
    assert.match(inside('node', 'clients/cli/main.ts', '--address', `127.0.0.1:${grpc}`, 'ratings', 'ann'), /matrix/);
    assert.deepEqual(await running.stop(), { code: 0, signal: null });

    running = new RunningContainer(t, buildah, container, options, command);
    await running.said('ready');
    assert.deepEqual(
      (await client.allRatings('ann')).map(({ itemId }) => itemId),
      ['matrix'],
    );
    assert.deepEqual(await running.stop(), { code: 0, signal: null });
  });
});

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
