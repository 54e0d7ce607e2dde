import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };
import { ROOT } from '../support/server-process.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** The package that npm publishes: made, installed into an empty folder, used as a command and as a library. */

const folder = makeFolder({ after });
const TARBALL = join(ROOT, `build/accrete-${packageJson.version}.tgz`);
const PATIENCE = { timeout: 300_000 };
const NPM_SETTINGS = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error'];

/** What a command prints. It sees neither this checkout's packages nor its settings; Node is the one that runs this. */
function run(command: string, args: readonly string[], env: Record<string, string> = {}): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...environment(), ...env } });
}

function environment(): NodeJS.ProcessEnv {
  const path = (process.env.PATH ?? '').split(':').filter((entry) => !entry.startsWith(ROOT));
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(ACCRETE_|OTEL_|NODE_COMPILE_CACHE|NODE_TEST_|npm_(package|lifecycle)_)/.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: [join(process.execPath, '..'), ...path].join(':') };
}

const listFiles = () => execFileSync('tar', ['tzf', TARBALL], { encoding: 'utf8' }).trim().split('\n');

test('the package', PATIENCE, async (t) => {
  await t.test('is made and has what it needs, and nothing else', PATIENCE, () => {
    execFileSync(process.execPath, [join(ROOT, 'setup/package.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
    const files = listFiles();
    for (const file of ['server/learner-thread.js', 'server/job-thread.js', 'server/device-thread.js', 'LICENSE'])
      assert(files.includes(`package/${file}`), file);
    const kernels = files.filter((file) => file.endsWith('.wasm'));
    assert(kernels.length >= 6, `kernels: ${kernels.join(', ')}`);
    const odd = files.filter((file) => /\.test\.|\/testing\/|^package\/(setup|build|test\/(?!laws\/))/.test(file));
    assert.deepEqual(
      odd.filter((file) => !file.includes('/scaffold/')),
      [],
    );
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts') && !/\.d\.ts$|\/scaffold\//.test(file)),
      [],
    );
  });

  await t.test('is installed into an empty folder', PATIENCE, () => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    run('npm', ['install', ...NPM_SETTINGS, TARBALL]);
    assert(!existsSync(join(folder, 'node_modules/.bin/node')), 'it brings no Node of its own');
    assert.match(run('npx', ['accrete', '--version']), new RegExp(packageJson.version));
  });

  await t.test('serves by npx accrete serve, and its other commands work', PATIENCE, async (t) => {
    const address = `unix:${join(folder, 'accrete.sock')}`;
    const env = { ACCRETE_LISTEN: address, ACCRETE_METRICS_LISTEN: 'off' };
    const server = spawn('npx', ['accrete', 'serve', '--models', 'mf,item-cf,ncf,popularity'], {
      cwd: folder,
      env: { ...environment(), ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    const ended = once(server, 'exit');
    // Ctrl-C goes to all that the terminal runs: npx, its shell and the server.
    const signal = (name: NodeJS.Signals) => process.kill(-(server.pid as number), name);
    t.after(() => server.exitCode === null && server.signalCode === null && signal('SIGKILL'));
    const accrete = (...args: string[]) => run('npx', ['accrete', ...args], env);
    assert.match(accrete('health', '--wait', '60'), /^SERVING/);
    accrete('rate', 'ada', 'solaris', '5');
    accrete('rate', 'ben', 'stalker', '4');
    assert.match(accrete('recommend', 'ada'), /stalker/);
    assert.match(accrete('models'), /item-cf.*mf/s);
    assert.match(accrete('export'), /ada,solaris/);
    accrete('checkpoint', 'create');
    assert.match(accrete('health', 'accrete.write'), /^SERVING/);
    assert(existsSync(join(folder, 'data/journal')), 'the store is where it was started');
    signal('SIGINT');
    await ended;
    assert(!existsSync(join(folder, 'accrete.sock')), 'it stopped in order');
    assert.throws(() => accrete('health'), 'nobody answers any more');
  });

  await t.test('makes a plugin, which keeps the laws of plugins', PATIENCE, () => {
    run('npx', ['accrete', 'plugin', 'new', 'taste']);
    assert.match(run(process.execPath, ['--test', 'taste/plugin.test.ts']), /fail 0/);
  });

  await t.test('is a library', PATIENCE, () => {
    const example = join(ROOT, 'clients/node/library.mjs');
    const shown = readFileSync(join(ROOT, 'docs/package.md'), 'utf8');
    assert(shown.includes(readFileSync(example, 'utf8')), 'its document shows another program');
    copyFileSync(example, join(folder, 'library.mjs'));
    assert.equal(run(process.execPath, ['library.mjs']), "[ 'stalker' ]\n");
  });

  await t.test('has types', PATIENCE, () => {
    writeFileSync(join(folder, 'typed.ts'), TYPED);
    const options = ['--module', 'nodenext', '--target', 'esnext', '--strict', '--noEmit', '--skipLibCheck'];
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    run(join(ROOT, 'node_modules/.bin/tsc'), [...options, ...types, 'typed.ts']);
    writeFileSync(join(folder, 'mistyped.ts'), TYPED.replace("'./data'", '5'));
    assert.throws(() => run(join(ROOT, 'node_modules/.bin/tsc'), [...options, ...types, 'mistyped.ts']));
  });
});

const TYPED = `import { createServer } from 'accrete';
import { definePlugin } from 'accrete/contract';
import { RateRequest } from 'accrete/proto/gen/accrete/v1/recommender.js';

export const ready: Promise<void> = createServer({ data: './data' }).ready;
export const bytes: Uint8Array = RateRequest.encode(RateRequest.fromPartial({ requestId: 'a' })).finish();
export default definePlugin;
`;
