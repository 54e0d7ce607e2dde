import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { METADATA, makeModelBytes } from '../../server/store/models/testing/file-maker.ts';
import { limitFiles, skip } from '../support/full-disk.ts';
import { importModel } from '../support/model-files.ts';
import { TEST_CONFIG } from '../support/server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';

test('an import that does not fit is refused and leaves nothing; afterwards it can be done', { skip }, async (t) => {
  const server = await ServerProcess.start(t, { models: TEST_CONFIG.models });
  const { client, data } = server;
  const imports = join(data, 'imports');
  const bytes = makeModelBytes({ ...METADATA, more: 'x'.repeat(400_000) });
  limitFiles(server, 300_000);
  const failure = await failureOf(importModel(client, 'made', bytes));
  assert.deepEqual([failure.code, failure.reason], ['RESOURCE_EXHAUSTED', 'DISK_FULL']);
  assert.deepEqual(readdirSync(imports), []);
  limitFiles(server, 'unlimited');
  await importModel(client, 'made', bytes);
  await server.kill();
  assert.deepEqual(readdirSync(imports), ['made']);
  await server.start();
  assert.equal((await importModel(server.client, 'made', bytes)).file, 'made', 'the same again');
});
