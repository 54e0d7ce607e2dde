import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../journal-fixture.ts';
import { CheckpointFolder } from './checkpoint-folder.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { CHECKPOINT_FORMAT, type Manifest } from './manifest.ts';
import { measureState } from './sizes.ts';

/** A checkpoint of one piece, which is in the file of an earlier one if that is named. */
async function save(folder: CheckpointFolder, revision: number, inFile?: number): Promise<Manifest> {
  const writer = await CheckpointWriter.create(folder, revision, 1024 * 1024);
  const room = await writer.reserve(8);
  room.fill(7);
  const own = writer.add(room);
  const piece = inFile === undefined ? own : ([inFile, own[1], own[2], own[3]] as const);
  const columns = {};
  const manifest = {
    format: CHECKPOINT_FORMAT,
    revision,
    createdMs: revision,
    durationMs: 1,
    decided: { scenarios: [] },
    models: [],
    tables: { one: { columns, rows: 1, pieces: [piece] } },
    blocks: {},
  };
  await writer.finish(manifest);
  return manifest;
}

const revisionsIn = (folder: CheckpointFolder) => new CheckpointFolder(folder.path).revisions;

test('the last two stay, with the files of which they have pieces; who holds all keeps all', async (t) => {
  const folder = new CheckpointFolder(makeFolder(t));
  await save(folder, 1);
  await save(folder, 2);
  await save(folder, 3, 1);
  const latest = await save(folder, 4);
  writeFileSync(join(folder.path, '00000000000000000004.mdb.new'), '');
  assert.deepEqual(folder.tidy(latest, 'all'), [4, 3]);
  assert.deepEqual(revisionsIn(folder), [4, 3, 2, 1]);
  assert.ok(!readdirSync(folder.path).some((name) => name.includes('.new')));
  assert.deepEqual(folder.tidy(latest), [4, 3]);
  assert.deepEqual(revisionsIn(folder), [4, 3, 1]);
  for (const revision of [4, 3]) folder.verify(folder.manifest(revision));
  folder.close();
});

test('an earlier one that is written anew leaves the later ones alone', async (t) => {
  const folder = new CheckpointFolder(makeFolder(t));
  for (const revision of [1, 2, 3]) await save(folder, revision);
  const draft = '00000000000000000005.mdb.new';
  writeFileSync(join(folder.path, draft), '');
  assert.deepEqual(folder.tidy(await save(folder, 2), 'latest'), [2]);
  assert.deepEqual(revisionsIn(folder), [3, 2]);
  assert.ok(readdirSync(folder.path).includes(draft));
  folder.close();
});

test('one that was set aside is none of the two, and goes with the next', async (t) => {
  const folder = new CheckpointFolder(makeFolder(t));
  await save(folder, 1);
  await save(folder, 2);
  folder.setAside(2);
  assert.deepEqual([folder.revisions, readdirSync(folder.path).length], [[1], 3]);
  assert.deepEqual(folder.tidy(await save(folder, 3)), [3, 1]);
  assert.deepEqual([revisionsIn(folder), readdirSync(folder.path).length], [[3, 1], 4]);
});

test('a start removes what is not whole, and leaves what was set aside', async (t) => {
  const folder = new CheckpointFolder(makeFolder(t));
  await save(folder, 1);
  await save(folder, 2);
  folder.setAside(2);
  const whole = readdirSync(folder.path);
  for (const name of ['00000000000000000003.mdb.new', '00000000000000000003.mdb.new-lock'])
    writeFileSync(join(folder.path, name), '');
  folder.removeDrafts();
  assert.deepEqual(readdirSync(folder.path), whole);
  new CheckpointFolder(join(folder.path, 'none')).removeDrafts();
});

test('sizes, of what can be restored and of the rest', async (t) => {
  const folder = new CheckpointFolder(makeFolder(t));
  const nothing = { bytes: 0, checkpoints: [], damaged: [], versions: { files: 0, bytes: 0 } };
  assert.deepEqual(measureState(join(folder.path, 'none')), nothing);
  await save(folder, 1);
  await save(folder, 3, 1);
  mkdirSync(join(folder.path, 'versions', 'mf@2'), { recursive: true });
  writeFileSync(join(folder.path, 'versions', 'mf@2', '00000000000000000002.mdb'), 'abc');
  const found = measureState(folder.path);
  assert.deepEqual(found.checkpoints, [
    { revision: '00000000000000000003', createdMs: 3, bytes: 8, files: 2 },
    { revision: '00000000000000000001', createdMs: 1, bytes: 8, files: 1 },
  ]);
  assert.deepEqual([found.damaged, found.versions], [[], { files: 1, bytes: 3 }]);
  assert.equal(found.bytes, folder.bytesOf(1) + folder.bytesOf(3) + 3);
  // The pieces of one that is gone are of no use to another.
  rmSync(folder.pathOf(1));
  assert.deepEqual(measureState(folder.path).checkpoints, []);
  writeFileSync(folder.pathOf(3), 'x'.repeat(9000));
  assert.match(measureState(folder.path).damaged[0], /0003\.mdb is damaged/);
});
