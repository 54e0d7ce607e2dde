import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { AccreteError } from '../errors.ts';
import { StoreLock } from './lock.ts';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'accrete-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const HOLD = `
  import { StoreLock } from '${new URL('lock.ts', import.meta.url)}';
  await StoreLock.acquire(process.argv[1]);
  console.log('held');
  setInterval(() => {}, 1000);
`;

function inUse(pattern: RegExp): (error: unknown) => true {
  return (error) => {
    assert(error instanceof AccreteError);
    assert.equal(error.reason, 'STORE_IN_USE');
    assert.match(error.message, pattern);
    return true;
  };
}

test('a second server in the same process is refused, until the first lets go', async (t) => {
  const folder = makeFolder(t);
  const lock = await StoreLock.acquire(folder);
  const link = join(makeFolder(t), 'same');
  symlinkSync(folder, link);
  for (const path of [folder, link]) {
    await assert.rejects(
      StoreLock.acquire(path),
      inUse(new RegExp(`process ${process.pid} on ${hostname()} since 20`)),
    );
  }
  lock.release();
  lock.release();
  (await StoreLock.acquire(folder)).release();
});

test('another thread is refused', async (t) => {
  const folder = makeFolder(t);
  const lock = await StoreLock.acquire(folder);
  t.after(() => lock.release());
  const code = `const { StoreLock } = await import(${JSON.stringify(new URL('lock.ts', import.meta.url).href)});
    const { parentPort, workerData } = await import('node:worker_threads');
    await StoreLock.acquire(workerData).catch((error) => parentPort.postMessage(error.reason));`;
  const worker = new Worker(`(async () => { ${code} })()`, { eval: true, workerData: folder });
  assert.deepEqual(await once(worker, 'message'), ['STORE_IN_USE']);
  await worker.terminate();
});

test('another process is refused and told who holds it; a killed holder holds nothing', async (t) => {
  const folder = join(makeFolder(t), 'made', 'as', 'needed');
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await assert.rejects(StoreLock.acquire(folder), inUse(new RegExp(`process ${child.pid} on .*: stop that server`)));
  child.kill('SIGKILL');
  await once(child, 'exit');
  (await StoreLock.acquire(folder)).release();
});

test('a folder that cannot be used is said so', async (t) => {
  const file = join(makeFolder(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(StoreLock.acquire(file), {
    reason: 'CONFIG_INVALID',
    message: new RegExp(`${file} cannot be used`),
  });
});

test('a folder that the file system cannot hold is refused at once', {
  skip: existsSync('/proc') ? false : 'needs /proc',
}, async () => {
  await assert.rejects(StoreLock.acquire('/proc/accrete/data'), { reason: 'CONFIG_INVALID' });
});
