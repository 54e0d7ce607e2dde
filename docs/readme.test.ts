import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ServiceError, status } from '@grpc/grpc-js';
import { type Method, withBytes } from '../test/support/client.ts';
import { rating } from '../test/support/ratings.ts';
import { TestServer } from '../test/support/server.ts';
import { SERVICES } from '../test/support/services.ts';

/** What the README says is true: its programs run, and its table tells what works. */

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

  test(`the table says what works of ${name}`, async () => {
    const works: string[] = [];
    const not: string[] = [];
    for (const method of methods) {
      const list = (await isImplemented(method)) ? works : not;
      list.push(`\`${method.path.split('/')[2]}\``);
    }
    const cells = [works, not].map((names) => (names.length > 0 ? ` ${names.join(', ')} |` : ' |'));
    assert(readme.includes(`| \`${name}\` |${cells.join('')}\n`), `expected: | \`${name}\` |${cells.join('')}`);
  });
}

/** On the wire all shapes of calls are alike: one message, here an empty one, then the end of the client's side. */
async function isImplemented(method: Method<never, unknown>): Promise<boolean> {
  const stream = client.open(withBytes(method));
  stream.send(Buffer.alloc(0));
  const code = await stream.finish().then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );
  return code !== status.UNIMPLEMENTED;
}
