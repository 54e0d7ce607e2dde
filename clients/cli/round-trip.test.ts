import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServerProcess } from './server-process.ts';
import { makeFolder, run } from './testing/accrete.ts';

const FLAGS = [
  '--listen=127.0.0.1:0',
  '--metrics.listen=off',
  '--rating.min=-1',
  '--evaluation.rankEvery=20',
  '--kinds=click',
];

/** Ratings and clicks with all that they can have; some are edits, some are taken back. */
function lineOf(n: number): string {
  const nanos = String((n * 7_654_321) % 1e9).padStart(9, '0');
  const event_time = `2020-01-01T00:${String(n % 60).padStart(2, '0')}:00.${nanos}Z`;
  const kind = n % 4 === 1 ? 'click' : undefined;
  const common = { user_id: `u${n % 23}`, item_id: `i"${(n * 5) % 37},`, event_time, kind };
  if (n % 29 === 0) return JSON.stringify({ ...common, retract: true });
  const value = kind && n % 8 === 1 ? undefined : -1 + 6 / (1 + (n % 11));
  const weight = n % 3 === 0 ? 1 / (1 + (n % 7)) : undefined;
  return JSON.stringify({ ...common, value, weight, recommendation_id: n % 5 ? undefined : 'r1' });
}

/** What a server has learned, in hashes; those of request ids are its own. */
async function stateOf({ address }: ServerProcess): Promise<object> {
  const { stdout } = await run(['models', 'mf', '--json'], address);
  const { requestIds, ...hashes } = JSON.parse(stdout).hashes;
  assert.ok(requestIds && hashes.tables && hashes.interactions);
  return hashes;
}

test('what is exported and imported again gives the same state, byte for byte', async () => {
  const { folder, remove } = await makeFolder();
  const start = async (name: string) => {
    await mkdir(join(folder, name));
    return ServerProcess.start(join(folder, name), FLAGS);
  };
  const [first, second, third] = await Promise.all(['first', 'second', 'third'].map(start));
  try {
    const source = join(folder, 'source.jsonl');
    await writeFile(source, Array.from({ length: 1500 }, (_, n) => `${lineOf(n)}\n`).join(''));
    assert.equal((await run(['import', source, '--batch', '7'], first.address)).code, 0);
    for (const [server, name] of [
      [second, 'all.csv.gz'],
      [third, 'all.jsonl.zst'],
    ] as const) {
      const file = join(folder, name);
      assert.match((await run(['export', '--output', file], first.address)).stderr, /^1,500 ratings to /);
      assert.match((await run(['import', file], server.address)).stdout, /^1,500 ratings learned/);
      assert.deepEqual(await stateOf(server), await stateOf(first), name);
    }
  } finally {
    await Promise.all([first, second, third].map((server) => server.stop()));
    await remove();
  }
});
