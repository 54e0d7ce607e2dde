import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { rating } from '../support/ratings.ts';
import { ROOT, ServerProcess } from '../support/server-process.ts';

/** The five-minute paths of the READMEs of clients/, taken against a real server. */

interface Language {
  /** Its folder in `clients/`. */
  readonly folder: string;
  /** Whom its example rates for. */
  readonly userId: string;
}

const LANGUAGES: readonly Language[] = [
  { folder: 'python', userId: 'pia' },
  { folder: 'node', userId: 'nora' },
  { folder: 'go', userId: 'gus' },
  { folder: 'java', userId: 'jana' },
  { folder: 'ruby', userId: 'rudi' },
];

const server = await ServerProcess.start({ after }, { models: [{ name: 'mf', plugin: 'mf' }] });
await server.client.rate([rating('ben', 'stalker', 5)]);

/** Runs a line of shell at the root; what it prints. Rejects with `code` and `stderr` when it fails. */
async function run({ signal }: TestContext, command: string, address = server.address): Promise<string> {
  // Where `npm run clients` puts a Go that is not here.
  const path = `${process.env.PATH}:${join(ROOT, 'build/clients/tools/python/bin')}`;
  const options = { cwd: ROOT, env: { ...process.env, PATH: path, ACCRETE_ADDRESS: address }, signal };
  return (await promisify(execFile)('sh', ['-ec', command], options)).stdout;
}

async function assertRated(userId: string): Promise<void> {
  const rated = (await server.client.allRatings(userId)).map(({ itemId, value }) => ({ itemId, value }));
  assert.deepEqual(rated, [{ itemId: 'solaris', value: 5 }]);
}

test('node, without a package', async (t) => {
  assert.match(await run(t, 'node clients/node/example.mjs'), /^mf \[.*'stalker'/s);
  await assertRated('dora');
});

for (const { folder, userId } of LANGUAGES) {
  test(folder, async (t) => {
    const readme = readFileSync(join(ROOT, 'clients', folder, 'README.md'), 'utf8');
    const [build = '', example = '', own] = [...readme.matchAll(/^```sh\n(.*?)\n```$/gms)].map(([, block]) => block);

    await t.test('is built', async (t) => {
      await run(t, build);
    });

    await t.test('rates and is recommended something', async (t) => {
      assert.match(await run(t, example), /^model mf\nstalker -?\d\S*\n$/);
      await assertRated(userId);
    });

    await t.test('tells the reason of an error', async (t) => {
      await assert.rejects(run(t, `${example} 9`), ({ code, stderr }) => {
        assert.equal(code, 1);
        assert.match(stderr, /\bINVALID_FIELD\b.*ratings\[0\]\.value is 9/);
        return true;
      });
      await assertRated(userId);
    });

    // Ruby has no layer of ours that could tell it.
    if (folder !== 'ruby') {
      await t.test('says where it looked for a server', async (t) => {
        await assert.rejects(run(t, example, '127.0.0.1:1'), ({ code, stderr }) => {
          assert.equal(code, 1);
          assert.match(stderr, /no server answers at 127\.0\.0\.1:1: start one, or give its address as host:port/);
          return true;
        });
      });
    }

    if (own) {
      await t.test('is required by a module of its own', async (t) => {
        assert.match(await run(t, own), /^model mf$/m);
      });
    }
  });
}
