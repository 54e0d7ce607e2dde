import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { open } from 'lmdb';
import { emptyLink } from './empty-link.ts';
import { makeFolder } from './journal-fixture.ts';

test('a link without records has the bytes that LMDB gives it', async (t) => {
  const path = join(makeFolder(t), 'empty.mdb');
  await open({ path, noSubdir: true, encoding: 'binary', keyEncoding: 'binary', mapSize: 64 * 1024 }).close();
  assert.deepEqual(emptyLink(), readFileSync(path));
});
