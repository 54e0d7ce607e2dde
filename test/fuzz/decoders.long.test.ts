import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Link } from '../../server/store/lmdb.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { budgetOf } from './budget.ts';
import { DECODERS } from './decoders/decoders.ts';
import { fuzzDecoder, fuzzLinks } from './decoders/run.ts';

/** Everything that reads stored bytes, for long. */

const timeout = 1_800_000;

for (const name of Object.keys(DECODERS)) test(name, { timeout }, (t) => fuzzDecoder(name, budgetOf(t, 5000, true)));
test('links of the journal', { timeout }, (t) => fuzzLinks(t, budgetOf(t, 1000, true)));

test('links that LMDB opens', { timeout }, async (t) => {
  const path = join(makeFolder(t), 'a.mdb');
  await Link.create(path);
  const link = Link.open(path, { mapBytes: 2 ** 26, readOnly: false });
  let next = 1;
  for (let n = 0; n < 80; n++) {
    const records = Array.from({ length: 1 + (n % 9) }, (_, i) =>
      Buffer.alloc([30, 300, 1900, 2100, 9000][(n + i) % 5], n),
    );
    await link.append(next, records);
    next += records.length;
  }
  await link.close();
  const { seed, rounds } = budgetOf(t, 40_000, true);
  const program = fileURLToPath(new URL('../../server/store/testing/spoilt-links.ts', import.meta.url));
  const args = [program, path, String(seed), String(rounds)];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  assert.deepEqual([status, signal], [0, null], `after seed ${stdout.split('\n').at(-2)}: ${stderr}`);
});
