import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Holds } from '../support/holds.ts';
import { manyRatings } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** Fuses beside each other, beside readers, a stream and checkpoints. */

const holds = new Holds({ after });
const models = [...TEST_CONFIG.models, holds.model('one', { gain: 0.01 }), holds.model('two', { gain: 0.01 })];
const server = await TestServer.start({ after }, { models, defaultModel: 'one' });
const { client } = server;
const margin = { guard: { margin: 1, windowEvents: 1000 } };
for (let from = 0; from < 1500; from += 100) await client.rate(manyRatings(100, { from }));

test('one change of a model at a time; other models go on', async () => {
  holds.shut('refit');
  const first = client.fuse({ model: 'one', ...margin });
  await holds.held('refit');
  const before = await client.getModel('one');
  const others = [
    () => client.fuse({ model: 'one', ...margin }),
    () => client.fuse({ model: 'one', ...margin, validateOnly: true }),
    () => client.unloadModel('one'),
    () => client.unloadModel('one', '1'),
  ];
  for (const call of others) {
    const failure = await failureOf(call());
    if (failure.reason === 'MODEL_IN_USE') continue; // the default model, the version that serves
    assert.deepEqual([failure.code, failure.reason], ['ABORTED', 'MODEL_CHANGING']);
    assert.deepEqual(failure.metadata, { model: 'one' });
  }
  assert.deepEqual(await client.getModel('one'), before);
  const second = client.fuse({ model: 'two', ...margin });
  assert.equal((await failureOf(client.unloadModel('two'))).reason, 'MODEL_CHANGING');
  holds.open('refit');
  for (const { result } of await Promise.all([first, second])) assert.equal(result.promoted, true);
  // Both are changing no more.
  holds.shut('refit');
  const third = client.watchFuse({ model: 'two', validateOnly: true, ...margin }).on('error', () => {});
  third.resume();
  assert.equal((await client.rollbackModel('one', '1', true)).model?.version, '2');
  third.cancel();
  holds.open('refit');
  const [{ version }] = (await client.getModel('one')).model?.versions ?? [];
  assert.equal(version, '2');
});

test('while versions change, readers see the next one at its revision and never an older one again', async () => {
  let isOver = false;
  let from = 1500;
  let asked = 0;
  const stream = async () => {
    while (!isOver) {
      await client.rate(manyRatings(20, { from: from % 30_000 }));
      from += 20;
      await nextTurn();
    }
  };
  const read = async () => {
    const seen: string[] = [];
    const reader = server.connect();
    let revision = '';
    while (!isOver) {
      const found = await reader.recommend('u1', { model: 'one', pageSize: 3, includeSeen: true });
      asked++;
      assert.equal(found.items.length, 3);
      assert.deepEqual([found.model, found.fallbackReason], ['one', '']);
      assert(found.revision >= revision, 'a revision never goes back');
      revision = found.revision;
      if (seen.at(-1) !== found.modelVersion) seen.push(found.modelVersion);
    }
    return seen;
  };
  const streaming = stream();
  const reading = Array.from({ length: 4 }, read);
  const served = [(await client.getModel('one')).model?.version];
  try {
    for (let n = 0; n < 4; n++) {
      const next = await (n % 2 === 0
        ? client.rollbackModel('one').then(({ model }) => model?.versions[0])
        : client.fuse({ model: 'one', ...margin }).then(({ result }) => {
            assert.equal(result.promoted, true, result.decision?.reason);
            return result;
          }));
      const revision = next?.revision ?? '';
      served.push(next?.version);
      const after = await client.recommend('u1', { model: 'one', minRevision: revision });
      assert.equal(after.modelVersion, next?.version);
      assert(after.revision >= revision);
      assert.equal((await client.getModel('one')).model?.version, next?.version);
    }
  } finally {
    isOver = true;
    await streaming;
  }
  assert.equal(served.length, 5);
  for (const seen of await Promise.all(reading)) {
    let at = 0;
    for (const version of served) if (version === seen[at]) at++;
    assert.equal(at, seen.length, `${seen} of ${served}, in ${asked} answers of all`);
  }
});

test('checkpoints and promotions go on beside each other', async () => {
  const fusing = client.fuse({ model: 'two', ...margin, guard: { margin: 1 } }).catch(() => undefined);
  const saved = [];
  for (let n = 0; n < 6; n++) {
    await client.rate(manyRatings(20, { from: 31_000 + 20 * n }));
    saved.push((await client.createCheckpoint()).checkpoint?.revision);
  }
  await fusing;
  assert.equal(new Set(saved).size, saved.length);
  const before = await stateOf();
  await server.restart();
  assert.deepEqual(await stateOf(), before);
});

async function stateOf() {
  const found = await Promise.all(['one', 'two'].map((name) => server.client.getModel(name)));
  return found.map(({ hashes, model }) => [hashes?.tables, model?.version, model?.versions]);
}
