import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../../test/support/temporary-folder.ts';
import { ImportFolder } from './import-folder.ts';

test('a start keeps what was imported, and removes what a call had fetched or not finished', async (t) => {
  const folder = new ImportFolder(makeFolder(t));
  mkdirSync(folder.path);
  const fetched = ImportFolder.makeFetchedName();
  assert.notEqual(fetched, ImportFolder.makeFetchedName());
  assert(ImportFolder.isName(fetched), 'it is listed, counted, and looked through for who is forgotten');
  const draft = await folder.makeDraft();
  for (const path of [draft, folder.pathOf(fetched), folder.pathOf('peer-of-ours'), join(folder.path, 'film.model')])
    writeFileSync(path, 'a');
  folder.tidy();
  assert.deepEqual(
    folder.list().map(({ name }) => name),
    ['film.model', 'peer-of-ours'],
  );
});
