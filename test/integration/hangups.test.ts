import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientsFile } from '../support/clients-file.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** SIGHUP that comes while the server starts: in the midst of a file that it reads, which the test holds up. */

/** Makes `path` a file whose readers wait for a text. */
function hold(path: string): void {
  rmSync(path, { force: true });
  execFileSync('mkfifo', [path]);
}

/** Longer than a busy machine takes to start a server. */
const PATIENCE_MS = 60_000;

/** Waits until `server` reads `path`, does `meanwhile`, and gives it that text. */
async function give(server: ServerProcess, path: string, text: string, meanwhile = () => {}): Promise<void> {
  let ended = false;
  server.exited.then(() => (ended = true));
  const find = () => {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      // Nobody reads it yet.
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') return undefined;
      throw error;
    }
  };
  const untilMs = performance.now() + PATIENCE_MS;
  let writer = find();
  for (; writer === undefined; writer = find()) {
    assert(!ended, `the server ended before it read ${path}:\n${server.stderr}`);
    assert(performance.now() < untilMs, `the server never read ${path}`);
    await sleep(2);
  }
  meanwhile();
  writeFileSync(writer, text);
  closeSync(writer);
}

test('before the configuration is read', async (t) => {
  const server = await ServerProcess.start(t);
  await server.stop();
  const path = join(server.folder, 'accrete.yaml');
  const text = readFileSync(path, 'utf8');
  hold(path);
  server.spawn();
  await give(server, path, text, () => {
    server.signal('SIGHUP');
    hold(path);
  });
  await give(server, path, JSON.stringify({ ...JSON.parse(text), log: { level: 'info' } }));
  const line = await server.said('the configuration was read again, and certificates, tokens and keys');
  assert.deepEqual((line as { applied?: string[] }).applied, ['log.level']);
  await server.ready();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test('before it listens', async (t) => {
  const texts = ['early', 'late'].map((token) => {
    const { path } = new ClientsFile(t, [{ name: token, role: 'read', token }]);
    return readFileSync(path, 'utf8');
  });
  const path = join(makeFolder(t), 'clients.yaml');
  hold(path);
  const server = ServerProcess.begin(t, { auth: { clients: path, checkSeconds: 0 } });
  await give(server, path, texts[0], () => {
    server.signal('SIGHUP');
    hold(path);
  });
  await give(server, path, texts[1]);
  await server.ready();
  await server.connect('late').recommend('ann');
  assert.equal((await failureOf(server.connect('early').recommend('ann'))).reason, 'CREDENTIALS_INVALID');
});
