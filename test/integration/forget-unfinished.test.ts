import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client } from '../support/client.ts';
import { type Fault, FaultyServer } from '../support/faulty-server.ts';
import { GONE, learnOthers, tracesIn, untilGone } from '../support/forgotten.ts';
import { leftOut } from '../support/long.ts';
import { manyRatings, rating } from '../support/ratings.ts';
import { pluginPath } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import { removeCheckpoints } from '../support/stored-versions.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/**
 * Versions of models after someone was taken out of their files, and before they are out of the journal: what they rated is
 * taken back once. Each version is what a model is that has none but itself.
 */

const JOURNAL: Omit<Fault, 'flag'> = { thread: 'purge', function: 'rename', path: 'journal/\\d+\\.mdb$' };
const GUARD = { margin: 1, windowEvents: 1000 };

/** A model whose refit changes nothing, beside the same without versions; `fault` meets the forgetting. */
async function begin(t: TestContext, fault: Omit<Fault, 'flag'>): Promise<FaultyServer> {
  const plugin = join(makeFolder(t), 'own.ts');
  writeFileSync(
    plugin,
    `import mean from ${JSON.stringify(pluginPath('mean'))};
     export default { ...mean, name: 'own', *refit() { yield 1; } };`,
  );
  const models = [
    { name: 'mean', plugin: pluginPath('mean') },
    { name: 'own', plugin },
  ];
  const faulty = await FaultyServer.start(t, { models, journal: { linkMiB: 1 } }, fault);
  const { client } = faulty.server;
  for (let from = 0; from < 1500; from += 100) await client.rate(manyRatings(100, { from }));
  await client.rate([rating(GONE, 'item-1', 5), rating(GONE, 'only-ann', 4), rating('after', 'item-1', 3)]);
  assert.equal((await client.fuse({ model: 'own', guard: GUARD })).result.version, '2');
  // Another version than the one that served then has to do with all this.
  await client.rate([rating(GONE, 'item-2', 2), rating(GONE, 'item-1', 1)]);
  await learnOthers(client, 1, 120);
  assert.ok(readdirSync(join(faulty.server.data, 'journal')).filter((name) => name.endsWith('.mdb')).length > 1);
  faulty.arm();
  return faulty;
}

async function expectEqual(client: Client, version: string): Promise<void> {
  assert.equal((await client.getModel('own')).model?.version, version);
  assert.deepEqual(await sumsOf(client, 'own'), await sumsOf(client, 'mean'), `version ${version}`);
}

/** The sum of the ratings of each item. */
async function sumsOf(client: Client, model: string) {
  const { items } = await client.recommend('u0', { model, pageSize: 1000, includeSeen: true });
  assert.ok(items.some(({ itemId }) => itemId === 'item-1'));
  return items.map(({ itemId, score }) => [itemId, score]);
}

test('fused and rolled back', { skip: leftOut }, async (t) => {
  const faulty = await begin(t, { ...JOURNAL, code: 'EIO' });
  const { server } = faulty;
  assert.equal((await failureOf(server.client.forgetUser(GONE))).reason, 'APPEND_FAILED');
  assert.notDeepEqual(tracesIn(server.data), [], 'the journal has them');
  assert.equal((await server.client.fuse({ model: 'own', guard: GUARD })).result.version, '3');
  await expectEqual(server.client, '3');
  for (const version of ['1', '2']) {
    await server.client.rollbackModel('own', version);
    await expectEqual(server.client, version);
  }
  faulty.mend();
  await server.client.forgetUser(GONE);
  assert.deepEqual(tracesIn(server.data), []);
  for (const version of ['1', '3']) {
    await server.client.rollbackModel('own', version);
    await expectEqual(server.client, version);
  }
});

for (const [when, after] of [
  ['before the journal is written anew', false],
  ['when its last file is', true],
] as const) {
  test(`killed ${when}, and the start learns the whole journal`, { skip: leftOut }, async (t) => {
    const faulty = await begin(t, { ...JOURNAL, after });
    const { server } = faulty;
    await assert.rejects(server.client.forgetUser(GONE));
    await server.exited;
    assert.ok(faulty.wasHit, 'it was killed elsewhere');
    removeCheckpoints(server.data);
    await server.start();
    await expectEqual(server.client, '2');
    await untilGone(server.data);
    await expectEqual(server.client, '2');
    await server.client.rollbackModel('own', '1');
    await expectEqual(server.client, '1');
  });
}
