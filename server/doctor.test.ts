import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { examine } from './doctor.ts';

const folder = mkdtempSync(join(tmpdir(), 'accrete-doctor-'));
after(() => rmSync(folder, { recursive: true }));

test('settings with where they came from, and a folder that a start would make', async () => {
  const data = join(folder, 'none', 'data');
  const found = await examine({ env: { ACCRETE_RATING_MIN: '0' }, flags: [`--data=${data}`] });
  const settings = new Map(found.settings?.map(({ key, ...rest }) => [key, rest]));
  assert.deepEqual(settings.get('rating.min'), { value: 0, source: 'environment' });
  assert.deepEqual(settings.get('data'), { value: data, source: 'flag' });
  assert.deepEqual(settings.get('rating.max'), { value: 5, source: 'default' });
  assert.deepEqual(found.faults, []);
  const { disk, ...rest } = found.data ?? assert.fail();
  const journal = { links: 0, bytes: 0, firstLinkFrom: '', lastLinkFrom: '' };
  const state = { bytes: 0, checkpoints: [], damaged: [], versions: { files: 0, bytes: 0 } };
  const nothing = {
    path: data,
    exists: false,
    bytes: 0,
    format: undefined,
    journal,
    state,
    imports: [],
    holder: undefined,
  };
  assert.deepEqual(rest, nothing);
  assert.ok(disk && disk.free > 0);
  assert.ok(!existsSync(join(folder, 'none')), 'nothing was made');
});

test('devices are tried, and one is always there', async () => {
  const { devices } = await examine({ env: {}, flags: [`--data=${folder}`, '--device=cpu'] });
  assert.deepEqual([devices?.setting, devices?.used], ['cpu', 'cpu']);
  assert.deepEqual(
    devices?.trials.map(({ name, adapter, why }) => [name, (adapter ?? why) !== undefined]),
    [
      ['tensorflow', true],
      ['webgpu', true],
    ],
  );
});

test('a mistake in the configuration, or a plugin that is not there, is told', async () => {
  const wrong = await examine({ env: {}, flags: ['--rating.min=7'] });
  assert.deepEqual([wrong.faults[0].reason, wrong.settings], ['CONFIG_INVALID', undefined]);
  const missing = await examine({ env: {}, flags: [`--data=${folder}`, '--models=mff'] });
  assert.equal(missing.faults[0].reason, 'PLUGIN_INVALID');
  assert.equal(missing.settings?.find(({ key }) => key === 'rating.min')?.value, 1);
});

test('the journal is measured by its links', async () => {
  const data = join(folder, 'kept');
  mkdirSync(join(data, 'journal'), { recursive: true });
  writeFileSync(join(data, 'format.json'), '{"store":"accrete","format":1}');
  for (const first of [1, 900]) writeFileSync(join(data, 'journal', `${String(first).padStart(20, '0')}.mdb`), 'xxxx');
  writeFileSync(join(data, 'journal', 'other'), 'xx');
  const found = await examine({ env: {}, flags: [`--data=${data}`] });
  assert.deepEqual(found.data?.journal, {
    links: 2,
    bytes: 8,
    firstLinkFrom: '00000000000000000001',
    lastLinkFrom: '00000000000000000900',
  });
  assert.deepEqual([found.data?.format, found.data?.bytes, found.data?.holder], [1, 40, undefined]);
  assert.deepEqual(readdirSync(data).sort(), ['format.json', 'journal'], 'nothing was made');
});

test('a server that uses the folder is named', async () => {
  const data = join(folder, 'used');
  const url = new URL('./store/lock.ts', import.meta.url).href;
  const script = `await (await import(${JSON.stringify(url)})).StoreLock.acquire(${JSON.stringify(data)}); console.log('held'); process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const { data: found } = await examine({ env: {}, flags: [`--data=${data}`] });
  assert.ok(found?.holder && found.holder !== 'unknown');
  assert.equal(found.holder.pid, child.pid);
  child.stdin.end();
  await once(child, 'exit');
  assert.equal((await examine({ env: {}, flags: [`--data=${data}`] })).data?.holder, undefined);
});
