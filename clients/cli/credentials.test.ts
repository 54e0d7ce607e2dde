import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { certificatePath, SERVER_TLS } from '../../test/support/certificates.ts';
import { TestServer } from '../../test/support/server.ts';
import { makeFolder } from '../../test/support/temporary-folder.ts';
import { identityOf } from './credentials.ts';
import { run } from './testing/accrete.ts';

const REMOTE = 'example.org:50051';
const ca = certificatePath('authority.crt');

test('a token is shown to this machine, and to others only if it travels encrypted', (t) => {
  const tokenFile = join(makeFolder(t), 'token');
  writeFileSync(tokenFile, 'my-token\n');
  for (const local of ['127.0.0.1:1', 'localhost:1', '[::1]:1', 'unix:/a/b'])
    assert.equal(identityOf(local, { tokenFile }, {}).interceptors.length, 1);
  assert.throws(() => identityOf(REMOTE, { tokenFile }, {}), /for all to read: say --tls, or --ca FILE/);
  assert.throws(() => identityOf(REMOTE, {}, { ACCRETE_TOKEN: 'my-token' }), /for all to read/);
  for (const options of [{ tls: true }, { ca }])
    assert.equal(identityOf(REMOTE, options, { ACCRETE_TOKEN: 'my-token' }).interceptors.length, 1);
  assert.equal(identityOf(REMOTE, {}, {}).interceptors.length, 0);
  assert.equal(identityOf(REMOTE, { tokenFile: '', ca: '', cert: '', key: '' }, {}).interceptors.length, 0);
});

test('what cannot be used is told, and not what it holds', (t) => {
  const secret = join(makeFolder(t), 'secret');
  writeFileSync(secret, 'two\nlines-of-secret');
  assert.throws(() => identityOf(REMOTE, { cert: ca }, {}), /--cert and --key need each other/);
  assert.throws(() => identityOf(REMOTE, { ca: `${secret}.no` }, {}), /--ca: no such file/);
  const cases = [
    { tls: true, tokenFile: secret },
    { cert: secret, key: secret },
    { cert: ca, key: certificatePath('client.key') },
  ];
  for (const options of cases)
    assert.throws(
      () => identityOf(REMOTE, options, {}),
      ({ message }: Error) => /token|PEM that fit/.test(message) && !message.includes('secret'),
    );
});

test('a probe inside trusts the name in the certificate, by whatever address it reaches the server', async (t) => {
  const address = `unix:${join(makeFolder(t), 'accrete.sock')}`;
  await TestServer.start(t, { listen: address, tls: SERVER_TLS });
  const health = (...args: string[]) => run(['health', '--timeout', '5', '--ca', ca, ...args], address);
  assert.equal((await health('--server-name', 'localhost')).stdout, 'SERVING\n');
  assert.equal((await health('--server-name', 'example.org')).code, 1);
});
