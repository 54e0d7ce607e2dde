import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerProcess } from '../server-process.ts';
import { makeFolder, run } from '../testing/accrete.ts';

/** `accrete doctor --repair` on a folder whose journal is damaged. */

const { folder, remove } = await makeFolder();
after(remove);
const flags = ['--listen=127.0.0.1:0', '--metrics.listen=off', '--data=kept'];
const data = join(folder, 'kept');
const link = join(data, 'journal', '00000000000000000001.mdb');
const repair = (...more: string[]) => run(['doctor', '--repair', '--data', data, ...more]);

test('a store in use is refused; what is whole is left alone; what is damaged is told, and repaired with --yes', async () => {
  const server = await ServerProcess.start(folder, flags);
  for (const item of ['metropolis', 'solaris', 'stalker']) await run(['rate', 'ada', item, '4'], server.address);
  const used = await repair('--yes');
  assert.deepEqual([used.code, used.stdout], [1, '']);
  assert.match(used.stderr, /^accrete: STORE_IN_USE: .* in use by process \d+/);
  await server.stop();

  const whole = await repair();
  assert.deepEqual([whole.code, whole.stdout], [0, `the journal in ${data} is whole: revisions 1..4\n`]);

  // Wherever it stands: pages that were copied are still in the file.
  const bytes = Buffer.from(readFileSync(link, 'latin1').replaceAll('solaris', 'solarix'), 'latin1');
  writeFileSync(link, bytes);
  const state = join(data, 'state');
  const learned = await repair();
  assert.match(learned.stdout, /\nwould keep\trevisions 4\.\.4: 1 records with 1 ratings and events\n/);
  assert.match(learned.stdout, /\nwould keep as learned\trevisions 1\.\.3, in the checkpoint at revision 4: /);
  assert.match(learned.stdout, /\nwould drop\tno revision\n/);
  rmSync(state, { recursive: true });
  const told = await repair();
  assert.equal(told.code, 1);
  assert.match(told.stdout, /\ndamage\trevision 3 of the journal is damaged: its checksum is wrong/);
  assert.doesNotMatch(told.stdout, /as learned/);
  assert.match(told.stdout, /\nwould keep\trevisions 1\.\.2: 2 records with 1 ratings and events\n/);
  assert.match(
    told.stdout,
    /\nwould drop\trevisions 3\.\.4: 2 records with 1 ratings and events; 1 of them cannot be read, .*; how many there were is what the files say, which may be wrong\n/,
  );
  assert.match(told.stdout, /\nwritten anew\t0{19}1\.mdb\n/);
  assert.equal(told.stderr, 'nothing was changed: say --yes to do it\n');
  assert.deepEqual(readFileSync(link), bytes);

  const plan = await repair('--json');
  const { keep, drop, movedTo } = JSON.parse(plan.stdout);
  assert.deepEqual([plan.code, keep.records, drop.records, drop.readable, movedTo], [1, 2, 2, 1, undefined]);

  const done = await repair('--yes', '--json');
  assert.equal(done.code, 0);
  const moved = JSON.parse(done.stdout).movedTo;
  assert.match(moved, /kept\/damaged-20\d\d-\d\d-\d\dT/);
  assert.deepEqual(readFileSync(join(moved, '00000000000000000001.mdb')), bytes);
  assert.deepEqual(
    readdirSync(join(data, 'journal')).filter((name) => name.endsWith('.mdb')),
    ['00000000000000000001.mdb'],
  );
  assert.match((await repair()).stdout, /is whole: revisions 1\.\.2\n/);

  const again = await ServerProcess.start(folder, flags);
  assert.match((await run(['ratings', 'ada'], again.address)).stdout, /metropolis/);
  await again.stop();
});

test('--yes without --repair is a mistake, and a folder without a journal is whole', async () => {
  const { code, stderr } = await run(['doctor', '--yes']);
  assert.deepEqual([code, stderr], [2, 'accrete: USAGE: --yes belongs to --repair\n']);
  const none = await run(['doctor', '--repair', '--data', join(folder, 'none'), '--json']);
  assert.deepEqual([none.code, JSON.parse(none.stdout).keep.records], [0, 0]);
});
