import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rating } from '../test/support/ratings.ts';
import { TestServer } from '../test/support/server.ts';
import { SERVICES } from '../test/support/services.ts';

/** What the README says is true: its programs run, and its table has all methods. */

const ROOT = new URL('../', import.meta.url);
const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
const server = await TestServer.start({ after });
const { client } = server;

/** Runs a program that the README shows; what it prints. */
async function run(file: string, address: string): Promise<string> {
  assert(readme.includes(readFileSync(new URL(file, ROOT), 'utf8')), `the README shows another ${file}`);
  const options = { cwd: fileURLToPath(ROOT), env: { ...process.env, ACCRETE_ADDRESS: address } };
  return (await promisify(execFile)(process.execPath, [file], options)).stdout;
}

test('the client rates and is recommended something', async () => {
  await client.rate([rating('ben', 'stalker', 5)]);
  assert.match(await run('clients/node/example.mjs', server.address), /itemId: 'stalker'/);
  const rated = await client.allRatings('dora');
  assert.deepEqual(
    rated.map(({ itemId }) => itemId),
    ['solaris'],
  );
});

test('the embedded server starts and stops', async () => {
  assert.match(await run('docs/examples/embedded.ts', ''), /^gRPC on 127\.0\.0\.1:\d+\n$/);
});

for (const service of SERVICES) {
  const methods = Object.values(service);
  const name = /\.(\w+)\//.exec(methods[0].path)?.[1];

  test(`the table has the methods of ${name}`, () => {
    const names = methods.map(({ path }) => `\`${path.split('/')[2]}\``).join(', ');
    assert(readme.includes(`| \`${name}\` | ${names} |\n`), `expected: | \`${name}\` | ${names} |`);
  });
}
