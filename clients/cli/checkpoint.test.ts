import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ServerProcess } from './server-process.ts';
import { ended, lastDocument, makeFolder, run, runProcess, start, startServer } from './testing/accrete.ts';

const { folder, remove } = await makeFolder();
const server = await startServer(folder);
const file = join(folder, 'store.tar');

before(async () => {
  for (const args of [
    ['ada', 'metropolis', '5'],
    ['ada', 'solaris', '4'],
    ['ben', 'metropolis', '5'],
  ])
    await run(['rate', ...args], server.address);
  const { stdout, stderr, code } = await run(['checkpoint', 'export', file], server.address);
  assert.match(stdout, /has accrete-0+4\.tar: [\d.]+ KiB, sha256 [0-9a-f]{64}\n$/, stderr);
  assert.equal(code, 0);
});
after(async () => {
  await server.stop();
  await remove();
});

interface Told {
  readonly records: number;
  readonly revision: string;
  readonly checkpoint: { readonly name: string; readonly revision: string };
}
const resultIn = (stdout: string) => lastDocument(stdout) as Told;

test('a checkpoint is made', async () => {
  const made = await run(['checkpoint', 'create'], server.address);
  assert.match(made.stdout, /^0+4 is on disk: [\d.]+ KiB in [\d.]+ s\n$/);
  const { checkpoint } = resultIn((await run(['checkpoint', 'create', '--json'], server.address)).stdout);
  assert.equal(checkpoint.name, checkpoint.revision);
});

test('a file is verified, and becomes a store that a server starts on', async () => {
  const verified = resultIn((await run(['checkpoint', 'verify', file, '--json'])).stdout);
  assert.deepEqual([verified.records, verified.revision], [4, '00000000000000000004']);
  assert.match(
    (await run(['checkpoint', 'verify', file])).stdout,
    /is whole: as of revision 0+4, 4 records from 0+1 on, /,
  );
  const data = join(folder, 'moved');
  const imported = await run(['checkpoint', 'import', file, '--data', data]);
  assert.match(
    imported.stdout,
    /moved has the store: as of revision 0+4.* Start it with accrete serve --data/,
    imported.stderr,
  );
  const other = await ServerProcess.start(folder, ['--listen=127.0.0.1:0', '--metrics.listen=off', `--data=${data}`]);
  const [there, here] = await Promise.all([other, server].map(({ address }) => run(['ratings', 'ada'], address)));
  await other.stop();
  assert.deepEqual(there, here);
  const again = await run(['checkpoint', 'import', file, '--data', data]);
  assert.match(again.stderr, /^accrete: STORE_EXISTS: .*name another folder/);
  assert.equal(again.code, 1);
});

test('through a pipe, compressed, and without the journal', async () => {
  const child = start(['checkpoint', 'export', '-', '--without-journal'], server.address);
  const bytes: Buffer[] = [];
  child.stdout.on('data', (piece) => bytes.push(piece));
  assert.match((await ended(child)).stderr, /accrete-0+4\.tar: /);
  const data = join(folder, 'piped');
  const imported = await run(['checkpoint', 'import', '-', '--data', data, '--json'], '', Buffer.concat(bytes));
  assert.deepEqual([resultIn(imported.stdout).records, imported.stderr], [0, '']);
  const small = join(folder, 'store.tar.zst');
  assert.equal((await run(['checkpoint', 'export', small], server.address)).code, 0);
  assert.equal((await run(['checkpoint', 'verify', small])).code, 0);
  writeFileSync(small, readFileSync(small).subarray(0, -9));
  assert.match((await run(['checkpoint', 'verify', small])).stderr, /^accrete: FILE_DAMAGED: /m);
});

test('what is wrong is told, and makes nothing', async () => {
  const cut = join(folder, 'cut.tar');
  writeFileSync(cut, readFileSync(file).subarray(0, 9000));
  const data = join(folder, 'none');
  const outcomes = {
    cut: await run(['checkpoint', 'import', cut, '--data', data]),
    missing: await run(['checkpoint', 'verify', join(folder, 'gone.tar')]),
    foreign: await run(['checkpoint', 'verify', join(folder, 'data', 'format.json'), '--json']),
    exists: await run(['checkpoint', 'export', file], server.address),
    unknown: await run(['checkpoint', 'export', `${file}.new`, '--name', 'x'], server.address),
    bare: await run(['checkpoint', 'import', file]),
    barred: await run(['checkpoint', 'import', file, '--data', join(file, 'data')]),
  };
  assert.match(
    outcomes.cut.stderr,
    /^accrete: FILE_DAMAGED: .*cut\.tar is damaged: it ends within .*export it again$/m,
  );
  assert.match(outcomes.missing.stderr, /gone\.tar cannot be read: ENOENT/);
  assert.equal(JSON.parse(outcomes.foreign.stderr).error.reason, 'FILE_FOREIGN');
  assert.match(outcomes.exists.stderr, /replace it by --force/);
  assert.match(outcomes.unknown.stderr, /CHECKPOINT_NOT_FOUND/);
  assert.match(outcomes.bare.stderr, /--data/);
  assert.match(outcomes.barred.stderr, /cannot be used.*ENOTDIR/);
  assert.deepEqual(
    Object.values(outcomes).map(({ code }) => code),
    [1, 1, 1, 2, 1, 2, 1],
  );
  assert.ok(!existsSync(data));
  assert.ok(!readdirSync(folder).some((name) => name.includes('.part')));
});

const { error } = spawnSync('prlimit', ['--version']);

test('a full disk makes nothing', { skip: error && `needs prlimit: ${error.message}` }, async () => {
  const data = join(folder, 'full');
  const child = start(['checkpoint', 'import', '-', '--data', data]);
  spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=40000']);
  child.stdin.on('error', () => {});
  child.stdin.end(readFileSync(file));
  const { code, stderr } = await ended(child);
  assert.match(stderr, /^accrete: DISK_FULL: .*make room/);
  assert.equal(code, 1);
  assert.ok(!existsSync(data));
});

test('an import that is stopped leaves no store', async () => {
  const data = join(folder, 'stopped');
  const child = start(['checkpoint', 'import', '-', '--data', data]);
  child.stdin.write(readFileSync(file).subarray(0, 5000));
  while (!existsSync(join(data, '.importing'))) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  const { code, stderr } = await ended(child);
  assert.deepEqual([code, stderr], [130, 'accrete: INTERRUPTED: the store was not made\n']);
  for (let n = 0; existsSync(data) && n < 100; n++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(!existsSync(data), String(existsSync(data) && readdirSync(data)));
  assert.equal((await runProcess(['checkpoint', 'verify', file])).code, 0);
});
