import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerProcess } from './server-process.ts';
import { makeFolder, run } from './testing/accrete.ts';

const { folder, remove } = await makeFolder();
const server = await ServerProcess.start(folder, ['--listen=127.0.0.1:0', '--metrics.listen=off', '--data=kept']);
after(async () => {
  await server.stop();
  await remove();
});

interface Answer {
  readonly server?: { readonly serves: boolean; readonly models: object[] };
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
