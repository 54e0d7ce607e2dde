import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { added, type ColumnSpecs, f32, f64, u32 } from '../../../plugins/contract/index.ts';
import { AccreteError } from '../../errors.ts';
import { Arena } from '../../memory/arena.ts';
import { Table } from '../../memory/table.ts';
import type { Capture } from './capture.ts';
import { CheckpointFolder } from './checkpoint-folder.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { decodeManifest, encodeManifest, type Manifest, type Piece, piecesOf } from './manifest.ts';
import { restoreTables } from './restore.ts';
import { describeSaved, type Saved, saveCheckpoint } from './save.ts';

const MIB = 2 ** 20;
const COLUMNS = { a: f64(), b: u32() };

function makeFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'accrete-checkpoints-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A table of several segments, and its checkpoints. */
class Scene {
  readonly arena = Arena.create(32 * MIB);
  readonly table: Table;
  readonly folder: CheckpointFolder;
  #since: number | undefined;

  constructor(path: string, rows: number) {
    this.arena.undo.reserve(this.arena.budgetBytes, (bytes) => this.arena.allocate(bytes));
    this.table = Table.create(this.arena, COLUMNS, 4096);
    this.folder = new CheckpointFolder(path);
    this.table.grow(rows);
    for (let row = 0; row < rows; row++) this.write(row, row);
  }

  write(row: number, value: number): void {
    this.table.touch(row);
    this.arena.f64[this.table.column('a')(row) >>> 3] = value;
  }

  async save(revision: number): Promise<Saved> {
    const { descriptor, rows } = this.table;
    this.arena.undo.begin();
    this.table.beginSaving();
    const capture: Capture = {
      revision,
      since: this.#since,
      decided: { scenarios: [] },
      models: [],
      tables: { t: { descriptor, rows } },
      blocks: {},
    };
    this.#since = revision;
    return saveCheckpoint(capture, this);
  }

  get values(): number[] {
    return valuesOf(this.arena, this.table);
  }
}

function valuesOf({ f64: doubles }: Arena, table: Table): number[] {
  return Array.from({ length: table.rows }, (_, row) => doubles[table.column('a')(row) >>> 3]);
}

function restoredValues(folder: CheckpointFolder, manifest: Manifest): number[] {
  const arena = Arena.create(16 * MIB);
  const table = Table.create(arena, COLUMNS, 4096);
  restoreTables(folder, manifest, { t: table });
  return valuesOf(arena, table);
}

test('each checkpoint writes what changed, and can be restored for as long as it is one of the last two', async (t) => {
  const path = makeFolder(t);
  const scene = new Scene(path, 2000);
  const states = new Map<number, number[]>();
  for (let revision = 1; revision <= 6; revision++) {
    scene.write(revision, 100 * revision);
    if (revision === 4) scene.table.grow(2300);
    states.set(revision, scene.values);
    const saved = await scene.save(revision);
    const whole = scene.table.rows * scene.table.stride;
    assert.equal(saved.neededBytes, whole);
    assert(revision === 1 ? saved.bytes === whole : saved.bytes < whole / 2, `${saved.bytes} of ${whole}`);
    const { revisions } = scene.folder;
    for (const kept of revisions.slice(0, 2)) {
      const manifest = scene.folder.manifest(kept);
      scene.folder.verify(manifest);
      assert.deepEqual(restoredValues(scene.folder, manifest), states.get(kept));
    }
    // The first one has most pieces of all that came later; those between are needed no more.
    assert.deepEqual(
      revisions,
      [...new Set([revision, revision - 1, 4, 1])].filter((each) => each > 0 && each <= revision).sort((a, b) => b - a),
    );
  }
  assert.deepEqual(
    readdirSync(path).filter((name) => !/^\d{20}\.mdb(-lock)?$/.test(name)),
    [],
  );
});

test('columns that were added since are zeros, whatever that makes of the layout; the next checkpoint has them', async (t) => {
  const scene = new Scene(makeFolder(t), 2000);
  await scene.save(1);
  const manifest = scene.folder.manifest(1);
  const columns = { vector: added(f32(5)), a: f64(), more: added(f64()), b: u32(), word: added(u32()) };
  const arena = Arena.create(16 * MIB);
  arena.undo.reserve(arena.budgetBytes, (bytes) => arena.allocate(bytes));
  const table = Table.create(arena, columns, 4096);
  restoreTables(scene.folder, manifest, { t: table });
  assert.deepEqual(valuesOf(arena, table), scene.values);
  for (const name of ['vector', 'more', 'word'] as const)
    for (let row = 0; row < table.rows; row++) assert.equal(arena.u32[table.column(name)(row) >>> 2], 0);

  arena.f64[table.column('more')(1999) >>> 3] = 7;
  arena.undo.begin();
  table.beginSaving();
  const tables = { t: { descriptor: table.descriptor, rows: table.rows } };
  await saveCheckpoint(
    { revision: 2, since: 1, decided: { scenarios: [] }, models: [], tables, blocks: {} },
    { arena, folder: scene.folder },
  );
  const other = Table.create(arena, columns, 4096);
  restoreTables(scene.folder, scene.folder.manifest(2), { t: other });
  assert.deepEqual(valuesOf(arena, other), scene.values);
  assert.equal(arena.f64[other.column('more')(1999) >>> 3], 7);

  const others: ColumnSpecs[] = [
    { ...columns, b: f64() },
    { a: f64() },
    { b: u32(), a: f64() },
    { ...COLUMNS, c: u32() },
  ];
  for (const wrong of others)
    assert.throws(() => restoreTables(scene.folder, manifest, { t: Table.create(arena, wrong, 4096) }), {
      reason: 'STORE_DAMAGED',
    });
});

test('a byte that was changed anywhere is found, or says nothing', async (t) => {
  const path = makeFolder(t);
  const scene = new Scene(path, 5000);
  await scene.save(1);
  scene.write(0, 7);
  await scene.save(2);
  const expected = scene.values;
  const whole = scene.folder.manifest(2);
  const pieces = [...piecesOf(whole)].map((piece) => Buffer.from(scene.folder.read(piece)));
  let found = 0;
  const look = (file: string, bytes: Uint8Array) => {
    const original = readFileSync(file);
    writeFileSync(file, bytes);
    const folder = new CheckpointFolder(path);
    try {
      const manifest = folder.manifest(2);
      folder.verify(manifest);
      assert.deepEqual(manifest, whole);
      assert.deepEqual(
        [...piecesOf(manifest)].map((piece) => Buffer.from(folder.read(piece))),
        pieces,
      );
      assert.deepEqual(restoredValues(folder, manifest), expected);
    } catch (error) {
      assert(error instanceof AccreteError && error.reason === 'STORE_DAMAGED', String(error));
      assert(error.message.includes(path), error.message);
      found++;
    } finally {
      folder.close();
      writeFileSync(file, original);
    }
  };
  const files = [1, 2].map((revision) => scene.folder.pathOf(revision));
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.nat(1e6), fc.integer({ min: 1, max: 255 }), (file, part, bits) => {
      const bytes = readFileSync(file);
      bytes[Math.floor((part / 1e6) * (bytes.length - 1))] ^= bits;
      look(file, bytes);
    }),
    { numRuns: 300 },
  );
  // The first pages say where everything is.
  for (let at = 0; at < 200; at++) {
    const bytes = readFileSync(files[1]);
    bytes[at] ^= 0x55;
    bytes[4096 + at] ^= 0x55;
    look(files[1], bytes);
  }
  for (const file of files) {
    const { length } = readFileSync(file);
    for (let part = 0; part < 20; part++) look(file, readFileSync(file).subarray(0, Math.floor((length * part) / 20)));
  }
  assert(found > 80, `${found} were found`);
});

test('a file that is gone is damage', async (t) => {
  const path = makeFolder(t);
  const scene = new Scene(path, 500);
  await scene.save(1);
  scene.write(0, 7);
  await scene.save(2);
  rmSync(scene.folder.pathOf(1));
  const folder = new CheckpointFolder(path);
  assert.throws(() => folder.verify(folder.manifest(2)), /is damaged: .*ENOENT/);
});

test('a manifest of a later format says which version can read it', () => {
  const manifest = { format: 2, revision: 7 } as Manifest;
  assert.throws(
    () => decodeManifest(encodeManifest(manifest), 'x.mdb'),
    (error) => error instanceof AccreteError && error.reason === 'STORE_TOO_NEW' && /format 2/.test(error.message),
  );
});

test('a draft that was left behind is no checkpoint, and goes with the next one', async (t) => {
  const path = makeFolder(t);
  const scene = new Scene(path, 10);
  await scene.save(1);
  for (const name of ['00000000000000000002.mdb.new', '00000000000000000002.mdb.new-lock'])
    writeFileSync(join(path, name), 'x');
  assert.deepEqual(scene.folder.revisions, [1]);
  await scene.save(2);
  assert.deepEqual(
    readdirSync(path).filter((name) => name.includes('.new')),
    [],
  );
});

test("LMDB's map grows where it was made too small", async (t) => {
  const folder = new CheckpointFolder(makeFolder(t));
  const writer = await CheckpointWriter.create(folder, 1, MIB);
  const pieces: Piece[] = [];
  for (let n = 0; n < 32; n++) pieces.push(writer.add((await writer.reserve(MIB)).fill(n)));
  await writer.finish({ format: 1, revision: 1 } as Manifest);
  for (const [n, piece] of pieces.entries()) assert(folder.read(piece).every((byte) => byte === n));
});

test('a folder that cannot be made is a failed checkpoint, and the next one has all', async (t) => {
  const path = join(makeFolder(t), 'state');
  writeFileSync(path, 'in the way');
  const scene = new Scene(path, 500);
  await assert.rejects(
    scene.save(1),
    (error) => error instanceof AccreteError && error.reason === 'CHECKPOINT_FAILED' && error.cause !== undefined,
  );
  rmSync(path);
  scene.table.abandonSaving();
  const { manifest } = await (async () => {
    const arena = scene.arena;
    arena.undo.begin();
    scene.table.beginSaving();
    const tables = { t: { descriptor: scene.table.descriptor, rows: 500 } };
    const capture: Capture = {
      revision: 2,
      since: undefined,
      decided: { scenarios: [] },
      models: [],
      tables,
      blocks: {},
    };
    await saveCheckpoint(capture, scene);
    return { manifest: scene.folder.manifest(2) };
  })();
  assert.deepEqual(restoredValues(scene.folder, manifest), scene.values);
  assert.equal(describeSaved(manifest, scene.folder).files, 1);
});
