import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createServer } from '../../server/server.ts';
import { STORE_FORMAT } from '../../server/store/format.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { makeFolder, type Scope } from '../support/temporary-folder.ts';

/**
 * Stores of earlier formats open; one of a later format is refused with what to do. `test/data/stores/make.ts` makes the
 * store of a new format: it is tested here when its folder is there.
 */

const STORES = fileURLToPath(new URL('../data/stores/', import.meta.url));
const FORMATS = Array.from({ length: STORE_FORMAT }, (_, n) => n + 1);
/** Hashes of a store that are not those of the version that wrote it: what is hashed, or a model's default, changed. */
const CHANGED: Readonly<Record<number, readonly string[]>> = {
  1: ['mf.tables', 'ids', 'interactions', 'requestIds', 'features'],
  2: ['mf.tables', 'ids', 'interactions', 'requestIds', 'features'],
  3: ['mf.tables'],
  4: ['mf.tables'],
  5: ['mf.tables', 'experiments'],
};
const MODELS = ['mf', 'popularity'];
const config = { ...TEST_CONFIG, models: MODELS.map((name) => ({ name, plugin: name })) };

interface Said {
  readonly models: Record<string, { readonly learnedCount: number; readonly hashes: Record<string, string> }>;
  readonly ratings: Record<string, readonly string[]>;
}

function unpack(scope: Scope, format: number): { data: string; said: Said } {
  const folder = join(STORES, `format-${format}`);
  const data = join(makeFolder(scope), 'data');
  mkdirSync(data);
  execFileSync('tar', ['-xzf', join(folder, 'data.tar.gz'), '-C', data]);
  return { data, said: JSON.parse(readFileSync(join(folder, 'said.json'), 'utf8')) as Said };
}

const formatOf = (data: string): number => JSON.parse(readFileSync(join(data, 'format.json'), 'utf8')).format;

test('there is a store of every format, and of no other', () => {
  const folders = readdirSync(STORES).filter((name) => name.startsWith('format-'));
  assert.deepEqual(
    folders,
    FORMATS.map((format) => `format-${format}`),
    'node test/data/stores/make.ts makes one',
  );
});

for (const format of FORMATS) {
  test(`a store of format ${format} opens with all that it held, is of today's format then, and goes on`, async (t) => {
    const { data, said } = unpack(t, format);
    assert.equal(formatOf(data), format);
    const server = await TestServer.start(t, { ...config, data });
    for (const [user, ratings] of Object.entries(said.ratings)) {
      const found = (await server.client.allRatings(user)).map(
        ({ itemId, value, weight = 1, eventTime }) => `${itemId} ${value} ${weight} ${eventTime?.seconds}`,
      );
      assert.deepEqual(found, ratings, user);
    }
    for (const name of MODELS) {
      const { model, hashes } = await server.client.getModel(name);
      assert.equal(Number(model?.learnedCount), said.models[name].learnedCount);
      for (const [what, hash] of Object.entries(said.models[name].hashes)) {
        const isChanged = CHANGED[format]?.some((changed) => changed === what || changed === `${name}.${what}`);
        if (!isChanged) assert.equal(hashes?.[what as keyof typeof hashes], hash, `${what} of ${name}`);
      }
    }
    assert.equal(formatOf(data), STORE_FORMAT);

    await server.client.rate([rating('ann', 'item-1', 4)]);
    const states = () => Promise.all(MODELS.map((name) => server.client.getModel(name)));
    const before = await states();
    await server.restart();
    assert.deepEqual(await states(), before);
  });
}

test('a store of a later format is refused, says what to do, and is left as it is', async (t) => {
  const { data } = unpack(t, STORE_FORMAT);
  const mark = `{"store":"accrete","format":${STORE_FORMAT + 1}}`;
  writeFileSync(join(data, 'format.json'), mark);
  const files = () =>
    readdirSync(join(data, 'journal')).map((name) => readFileSync(join(data, 'journal', name)).toString('latin1'));
  const before = files();
  const message = new RegExp(
    `has format ${STORE_FORMAT + 1}, and this version reads up to ${STORE_FORMAT}; nothing was changed: start the version that wrote it or a newer one`,
  );
  await assert.rejects(createServer({ ...config, data }).start(), { reason: 'STORE_TOO_NEW', message });
  const server = ServerProcess.begin(t, { ...config, data });
  assert.deepEqual(await server.exited, { code: 1, signal: null });
  assert.match(server.stderr, message);
  assert.deepEqual(files(), before);
  assert.equal(readFileSync(join(data, 'format.json'), 'utf8'), mark);
});
