import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder, recordOf } from './journal-fixture.ts';
import { Link } from './lmdb.ts';
import { requireSoundLink } from './sound-link.ts';

/** Links as LMDB leaves them are sound; those that would end the process are not. */

const PAGE = 4096;

async function makeLink(t: TestContext, appends: number, sizes: readonly number[]): Promise<string> {
  const path = join(makeFolder(t), 'a.mdb');
  await Link.create(path);
  let link = Link.open(path, { mapBytes: 2 ** 28, readOnly: false });
  let revision = 1;
  for (let n = 0; n < appends; n++) {
    const records = Array.from({ length: 1 + (n % 9) }, (_, i) =>
      recordOf(revision + i, sizes[(n + i) % sizes.length]),
    );
    await link.append(revision, records);
    revision += records.length;
    if (n % 10 === 9) for (const part of ['whole', 'ends'] as const) requireSoundLink(path, part);
    if (n % 50 !== 49) continue;
    await link.close();
    link = Link.open(path, { mapBytes: 2 ** 28, readOnly: false });
  }
  await link.close();
  return path;
}

test('a link is sound after any append, of small and of large records', async (t) => {
  await makeLink(t, 200, [4, 30, 300, 1900]);
  await makeLink(t, 60, [4, 2100, 9000, 300, 300_000]);
  const path = join(makeFolder(t), 'empty.mdb');
  await Link.create(path);
  requireSoundLink(path, 'whole');
});

/** What ended the process, or lost records, found by changing bytes at random: in the meta pages, or in what they name. */
const KILLERS: readonly [what: string, at: (bytes: Buffer, newer: number) => number, value: number][] = [
  ['flags of the first page', () => 18, 0],
  ['version of the first page', () => 28, 0xff],
  ['size of the pages: 0', () => 49, 0],
  ['size of the pages in the second meta page', () => PAGE + 50, 1],
  ['flags of the free list', (_, newer) => newer + 52, 0xff],
  ['root of the free list', (_, newer) => newer + 90, 0xff],
  ['root of the records', (_, newer) => newer + 136, 0],
  ['transaction of the root of the free list', (bytes, newer) => pageAt(bytes, newer + 88) + 13, 3],
  ['first transaction of the free list', (bytes, newer) => firstNode(bytes, pageAt(bytes, newer + 88)) + 8, 0],
  ['transaction of the newer meta page, which gives up an append', (_, newer) => newer + 152, 0],
  ['free page that is in use', (bytes, newer) => firstNode(bytes, pageAt(bytes, newer + 88)) + 24, 3],
];

const pageAt = (bytes: Buffer, at: number) => Number(bytes.readBigUInt64LE(at)) * PAGE;
const firstNode = (bytes: Buffer, page: number) => page + 24 + bytes.readUInt16LE(page + 24);

test('what would end the process or lose records is damage', async (t) => {
  const path = await makeLink(t, 60, [30, 300, 1900, 2100, 9000]);
  const bytes = readFileSync(path);
  const newer = bytes.readBigUInt64LE(PAGE + 152) > bytes.readBigUInt64LE(152) ? PAGE : 0;
  for (const [what, at, value] of KILLERS) {
    const changed = Buffer.from(bytes);
    changed[at(bytes, newer)] = value;
    assert.notDeepEqual(changed, bytes, what);
    writeFileSync(path, changed);
    for (const readOnly of [true, false])
      assert.throws(() => Link.open(path, { mapBytes: 2 ** 28, readOnly }), { reason: 'STORE_DAMAGED' }, what);
  }
});

test('only what was not written since is not looked at again', async (t) => {
  const path = await makeLink(t, 20, [30]);
  const bytes = readFileSync(path);
  requireSoundLink(path, 'whole');
  writeFileSync(path, bytes.fill(0xff, PAGE, 2 * PAGE));
  utimesSync(path, 1, 1);
  assert.throws(() => requireSoundLink(path, 'ends'), { reason: 'STORE_DAMAGED' });
});

test('links that are changed at random are read and written, or are damage; the process goes on', async (t) => {
  const path = await makeLink(t, 60, [30, 300, 1900, 2100, 9000]);
  const program = fileURLToPath(new URL('./testing/spoilt-links.ts', import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program, path, '1', '400'], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, signal], [0, null], `${stdout.split('\n').at(-2)}: ${stderr}`);
  const { sound, damaged } = JSON.parse(stdout.split('\n').at(-2) ?? '');
  assert(sound > 20 && damaged > 20 && sound + damaged === 400, `${sound} ${damaged}`);
});
