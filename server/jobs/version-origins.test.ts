import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { f64, type Plugin } from '../../plugins/contract/index.ts';
import { makeFolder } from '../../test/support/temporary-folder.ts';
import { Arena } from '../memory/arena.ts';
import { Table } from '../memory/table.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { saveCheckpoint } from '../store/checkpoints/save.ts';
import { versionFolder } from '../teaching/version-folders.ts';
import { VersionOrigins } from './version-origins.ts';

const MIB = 2 ** 20;
const KEY = { name: 'mf', version: '2', loadedMs: 7, from: 20 };
const columns = { a: f64() };
/** What the model's plugin declares. */
const plugin = { stateVersion: 3, tables: () => ({ t: { index: 'user', columns } }) } as unknown as Plugin;
const spec = { namespace: '', name: KEY.name, plugin: 'mf', config: { seed: 1 } };

/** A store with files of the version, and checkpoints that have it. */
class Scene {
  readonly #state: string;
  readonly #arena = Arena.create(8 * MIB);
  readonly #table: Table;

  constructor(t: TestContext) {
    this.#state = makeFolder(t);
    this.#arena.undo.reserve(this.#arena.budgetBytes, (bytes) => this.#arena.allocate(bytes));
    this.#table = Table.create(this.#arena, columns, 4096);
    this.#table.grow(1);
  }

  /** `forgettings`: of whom it is clean. */
  file(revision: number, forgettings: string[] = []): Promise<string> {
    return this.#save(versionFolder(this.#state, KEY.name, KEY.version), revision, { forgettings });
  }

  /** `of`: what it has of the model; it is another one's where that is not as in `KEY`. `table`: the name of its table. */
  checkpoint(revision: number, of: object = {}, table = 't'): Promise<string> {
    return this.#save(new CheckpointFolder(this.#state), revision, { of, table });
  }

  origins(t: TestContext, { version = KEY.version, firstRevision = 1 } = {}): VersionOrigins {
    const context = { stateFolder: this.#state, journal: { firstRevision } };
    const origins = new VersionOrigins({ ...KEY, version }, { plugin, spec }, context);
    t.after(() => origins.close());
    return origins;
  }

  async #save(
    folder: CheckpointFolder,
    revision: number,
    { of = {}, table = 't', forgettings = [] as string[] },
  ): Promise<string> {
    this.#arena.undo.begin();
    this.#table.abandonSaving();
    this.#table.beginSaving();
    const { name, version, loadedMs } = KEY;
    const model = { name, version, loadedMs, plugin: 'mf', stateVersion: plugin.stateVersion, config: {}, ...of };
    const { descriptor, rows } = this.#table;
    const tables = { [`model.${KEY.name}.${table}`]: { descriptor, rows } };
    const state = { revision, since: undefined, decided: { scenarios: [] }, models: [model], tables, blocks: {} };
    await saveCheckpoint(state, { arena: this.#arena, folder, keeps: 'all', forgettings });
    return folder.pathOf(revision);
  }
}

const seen = ({ revision, saved, base }: ReturnType<VersionOrigins['latest']>) => [
  revision,
  saved?.manifest.revision,
  base?.revision,
];

test('the latest file or checkpoint that has it, with the checkpoint from which one comes there', async (t) => {
  const scene = new Scene(t);
  await scene.checkpoint(15, { version: '1' });
  await scene.file(20);
  await scene.checkpoint(30);
  await scene.checkpoint(40, { version: '3' });
  await scene.file(45);
  const origins = scene.origins(t);
  assert.deepEqual(
    [29, 30, 44, 45, 99].map((atMost) => seen(origins.latest(atMost))),
    [
      [20, 20, 15],
      [30, 30, 30],
      [30, 30, 30],
      [45, 45, 40],
      [45, 45, 40],
    ],
  );
  assert.equal(origins.earliest(), 20);
  assert.throws(() => origins.latest(19), { reason: 'VERSION_NOT_FOUND', message: /restore its files from a backup/ });
});

test('the file of a candidate that never served is not taken for the version that has its name', async (t) => {
  const scene = new Scene(t);
  await scene.file(10);
  await scene.file(20);
  const origins = scene.origins(t);
  assert.equal(origins.earliest(), 20);
  assert.throws(() => origins.latest(19), { reason: 'VERSION_NOT_FOUND' });
});

test('a file that was written anew meanwhile is read as it is then; of a checkpoint that was removed what was read', async (t) => {
  const scene = new Scene(t);
  await scene.file(20);
  const checkpoint = await scene.checkpoint(30);
  const origins = scene.origins(t);
  const [own, shared] = [origins.latest(29), origins.latest(30)];
  const file = await scene.file(20, ['note']);
  assert.deepEqual(origins.reopen(own)?.manifest.forgettings, ['note']);
  rmSync(checkpoint);
  assert.equal(origins.reopen(shared)?.manifest.revision, 30);
  rmSync(file);
  assert.throws(() => origins.reopen(own), { reason: 'VERSION_NOT_FOUND' });
});

test('what is damaged, of another state version, of other tables, or of another model of the name is passed over', async (t) => {
  const scene = new Scene(t);
  await scene.file(20);
  for (const [revision, of] of [
    [30, { loadedMs: 8 }],
    [40, { stateVersion: 2 }],
    [50, { name: 'fm' }],
  ] as const)
    await scene.checkpoint(revision, of);
  await scene.checkpoint(60, {}, 'other');
  writeFileSync(await scene.checkpoint(70), 'nothing');
  assert.deepEqual(seen(scene.origins(t).latest(99)), [20, 20, undefined]);
});

test('the first version needs no file while the journal has all that it learned', async (t) => {
  const scene = new Scene(t);
  const first = scene.origins(t, { version: '1' });
  assert.deepEqual([seen(first.latest(99)), first.earliest()], [[0, undefined, undefined], 0]);
  const cut = scene.origins(t, { version: '1', firstRevision: 2 });
  assert.equal(cut.earliest(), undefined);
  assert.throws(() => cut.latest(99), { reason: 'VERSION_NOT_FOUND' });
});

test('from a file whose next records are gone nobody comes to the present; from a later checkpoint one does', async (t) => {
  const scene = new Scene(t);
  await scene.file(20);
  await scene.checkpoint(15, { version: '1' });
  const origins = scene.origins(t, { firstRevision: 17 });
  assert.equal(origins.earliest(), undefined);
  assert.throws(() => origins.latest(99), { reason: 'VERSION_NOT_FOUND', message: /begins at revision 17 by now/ });
  await scene.checkpoint(18, { version: '1' });
  const later = scene.origins(t, { firstRevision: 17 });
  assert.deepEqual([seen(later.latest(99)), later.earliest()], [[20, 20, 18], 20]);
});
