import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { ExportCheckpointRequest } from '../../proto/gen/accrete/v1/checkpoint.ts';
import { ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { CHUNK_BYTES } from '../../server/jobs/send-file.ts';
import type { Stretch } from '../../server/store/stretches.ts';
import type { Client } from '../support/client.ts';
import { startImported } from '../support/imported.ts';
import { exportModel } from '../support/model-files.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** A store goes to another place as one file. */

const config = { kinds: { click: {} }, rating: { min: 0.5, max: 5 } };
const shared = await TestServer.start({ after }, config);
const { client } = shared;
await client.upsertItems([{ itemId: 'alien', title: 'Alien', labels: ['space'] }]);
for (let n = 0; n < 50; n++) {
  await client.rate([
    rating(`u${n % 7}`, `i${n % 11}`, (n % 5) + 0.5),
    rating(`u${n % 5}`, 'alien', undefined, { kind: 'click' }),
  ]);
}
const retried = [rating('ann', 'alien', 4.5)];
const { revision } = await client.rate(retried, { requestId: 'once' });
const saved = (await client.createCheckpoint()).checkpoint?.name ?? '';

async function stateOf(of: Client) {
  const [mean, popularity] = [await of.getModel('mean'), await of.getModel('popularity')];
  const { items } = await of.recommend('u1', { model: 'mean' });
  return { hashes: [mean.hashes, popularity.hashes], revision: mean.model?.revision, items };
}

/** What the metadata of a model file say. */
function learnedBy(bytes: Buffer): readonly Stretch[] {
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE())));
  return JSON.parse(header.__metadata__.learned);
}

test('a store that is made of the file has the same bytes, and remembers requests', async (t) => {
  const before = await stateOf(client);
  const { header, chunks, bytes } = await client.exportCheckpoint();
  assert.equal(header.name, `accrete-${revision}.tar`);
  assert.equal(Number(header.bytes), bytes.length);
  assert.equal(header.sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.ok(chunks.every(({ length }) => length <= CHUNK_BYTES));
  const other = await startImported(t, bytes);
  // A record of its own says that it is another store from here on.
  assert.deepEqual({ ...(await stateOf(other.client)), revision: before.revision }, before);
  const again = await other.client.rate(retried, { requestId: 'once' });
  assert.deepEqual([again.duplicate, again.revision], [true, revision]);
  assert.equal((await other.client.getItem('alien')).item?.title, 'Alien');
  // A model that is not in the checkpoint learns the journal from the first record on.
  await other.restart({ models: [{ name: 'counts', plugin: 'popularity' }] });
  const counts = await other.client.getModel('counts');
  assert.equal(counts.hashes?.tables, before.hashes[1]?.tables);
});

test('the file is as of the checkpoint, whatever came later, and the same each time', async () => {
  const first = await client.exportCheckpoint({ name: saved });
  await client.rate([rating('late', 'i1', 1)]);
  assert.deepEqual((await client.exportCheckpoint({ name: saved })).header, first.header);
  await client.rate([rating('late', 'i1', 1, { retract: true })]);
});

test('without the journal the store begins at the checkpoint', async (t) => {
  const whole = await client.exportCheckpoint({ name: saved });
  const { bytes } = await client.exportCheckpoint({ name: saved, withoutJournal: true });
  assert.ok(bytes.length < whole.bytes.length);
  const other = await startImported(t, bytes);
  const next = await other.client.rate([rating('bob', 'alien', 2)]);
  // A record says that it is another store from here on.
  assert.equal(Number(next.revision), Number(saved) + 2);
  const stretches = learnedBy((await exportModel(other.client, 'mean')).bytes);
  assert.deepEqual(
    stretches.map(({ after, to }) => [after, to]),
    [
      [0, Number(saved)],
      [Number(saved), Number(saved) + 2],
    ],
  );
  const [own] = learnedBy((await exportModel(client, 'mean')).bytes);
  assert.equal(stretches[0].store, own.store);
  const before = await stateOf(other.client);
  await other.restart();
  assert.deepEqual(await stateOf(other.client), before);
});

test('a checkpoint that is not there', async () => {
  for (const name of ['x', '00000000000000000001']) {
    const failure = await failureOf(client.exportCheckpoint({ name }));
    assert.deepEqual([failure.code, failure.reason], ['NOT_FOUND', 'CHECKPOINT_NOT_FOUND']);
    assert.match(failure.message, /name one of 0|CreateCheckpoint/);
  }
});

test('a file that is taken slowly is whole, whatever the server saves meanwhile', async (t) => {
  const server = await TestServer.start(t);
  const save = async (n: number) => {
    // More than HTTP/2 and the threads take ahead.
    for (let part = 0; part < 8; part++)
      await server.client.rate(Array.from({ length: 1000 }, (_, i) => rating(`user ${n} ${part} ${i}`, `i${i}`, 3)));
    return server.client.createCheckpoint();
  };
  await save(0);
  const call = server.client.watch(ModelServiceService.exportCheckpoint, ExportCheckpointRequest.create());
  const hash = createHash('sha256');
  let expected = '';
  let n = 0;
  for await (const { content } of call) {
    if (content?.$case === 'header') expected = content.value.sha256;
    if (content?.$case === 'chunk') hash.update(content.value);
    if (n < 3) await save(++n);
  }
  assert.equal(n, 3);
  assert.equal(hash.digest('hex'), expected);
});

test('a caller that goes away ends the work', async () => {
  const call = client.watch(ModelServiceService.exportCheckpoint, ExportCheckpointRequest.create());
  call.on('error', () => {});
  await new Promise((resolve) => call.once('data', resolve));
  call.cancel();
  // There are only so many at once.
  for (let n = 0; n < 8; n++) await client.exportCheckpoint();
});
