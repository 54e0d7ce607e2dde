import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeFolder } from '../support/temporary-folder.ts';

const DEMO = fileURLToPath(new URL('../../clients/cli/demo-ab.ts', import.meta.url));

test('the demonstration of an experiment runs, ends with its reports, and leaves nothing behind', async () => {
  const folder = makeFolder({ after });
  const started = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, [DEMO], { env: { ...process.env, TMPDIR: folder } });
  assert.ok(performance.now() - started < 120_000);
  assert.match(stdout, /50,270 ratings of 610 users/);
  assert.match(stdout, /conversion of similar against popular: 0\.\d+ \[/);
  assert.match(stdout, /verdict\s+similar is better than the control popular by conversion/);
  assert.match(stdout, /preference of similar against popular/);
  assert.match(stdout, /sample ratio p/);
  assert.deepEqual(await readdir(folder), []);
});
