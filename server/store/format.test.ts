import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findStoreId, requireFormat, STORE_FORMAT } from './format.ts';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'accrete-format-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a new store is marked, and is known again', async (t) => {
  const folder = makeFolder(t);
  await requireFormat(folder);
  const mark = readFileSync(join(folder, 'format.json'), 'utf8');
  const { id, ...rest } = JSON.parse(mark);
  assert.deepEqual(rest, { store: 'accrete', format: STORE_FORMAT });
  assert.match(id, /^[0-9a-f-]{36}$/);
  await requireFormat(folder);
  assert.equal(readFileSync(join(folder, 'format.json'), 'utf8'), mark);
  const other = makeFolder(t);
  await requireFormat(other);
  assert.notEqual(findStoreId(other), id);
});

test('a store of a later format is refused with what to do, and left alone', async (t) => {
  const folder = makeFolder(t);
  const later = STORE_FORMAT + 1;
  const text = `{"store":"accrete","format":${later}}`;
  writeFileSync(join(folder, 'format.json'), text);
  const message = new RegExp(
    `has format ${later}, and this version reads up to ${STORE_FORMAT}; nothing was changed: start the version that wrote it`,
  );
  await assert.rejects(requireFormat(folder), { reason: 'STORE_TOO_NEW', message });
  assert.equal(readFileSync(join(folder, 'format.json'), 'utf8'), text);
});

test('a store of an earlier format is marked anew, since it is written by this version from now on', async (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, 'format.json'), '{"store":"accrete","format":1}');
  await requireFormat(folder);
  assert.match(readFileSync(join(folder, 'format.json'), 'utf8'), new RegExp(`"format":${STORE_FORMAT}`));
});

test('a mark that is gone or says nothing is damage', async (t) => {
  const folder = makeFolder(t);
  mkdirSync(join(folder, 'journal'));
  await assert.rejects(requireFormat(folder), {
    reason: 'STORE_DAMAGED',
    message: /is missing, yet there is a journal/,
  });
  for (const text of [
    '',
    '1',
    'null',
    '{"format":1}',
    '{"store":"accrete","format":"1"}',
    '{"store":"accrete","format":0}',
  ]) {
    writeFileSync(join(folder, 'format.json'), text);
    await assert.rejects(requireFormat(folder), { reason: 'STORE_DAMAGED', message: /does not say which format/ });
  }
});
