import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { certificatePath, clientCredentials, SERVER_TLS } from '../support/certificates.ts';
import { Client } from '../support/client.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { findGrpcurl, findHealthProbe } from '../support/go-tools.ts';
import { TestServer } from '../support/server.ts';
import { ROOT, ServerProcess } from '../support/server-process.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** The process: SIGHUP, the command line's credentials, and what it writes of them. */

const run = promisify(execFile);
const SECRET = 'a-secret-token';

test('SIGHUP reads clients anew, a command shows its token, and no secret is written anywhere', async (t) => {
  const file = new ClientsFile(t, [{ name: 'keeper', role: 'admin', token: SECRET }]);
  const config = { tls: SERVER_TLS, auth: { clients: file.path }, metrics: { listen: '127.0.0.1:0' } };
  const server = await ServerProcess.start(t, config);
  const connect = (token: string) => {
    const client = new Client(server.address, { channel: clientCredentials(), token });
    t.after(() => client.close());
    return client;
  };
  const tokenFile = join(server.folder, 'token');
  writeFileSync(tokenFile, `${SECRET}\n`);
  const port = server.address.split(':').at(-1);
  const cli = [
    join(ROOT, 'clients/cli/main.ts'),
    '--address',
    `localhost:${port}`,
    '--ca',
    certificatePath('authority.crt'),
  ];
  const { stdout } = await run(process.execPath, [
    ...cli,
    '--token-file',
    tokenFile,
    '--json',
    'rate',
    'ann',
    'alien',
    '5',
  ]);
  assert.equal(JSON.parse(stdout).acceptedCount, 1);
  await connect(SECRET).recommend('ann');
  assert.equal((await failureOf(connect(`${SECRET}-of-nobody`).recommend('ann'))).reason, 'CREDENTIALS_INVALID');

  file.write([{ name: 'keeper', role: 'admin', token: `${SECRET}-renewed` }]);
  server.configure({ ...config, log: { level: 'info' }, jobs: { max: 3 } });
  server.signal('SIGHUP');
  const told = await server.logged('what needs a restart', ({ msg }) => msg.startsWith('these settings are other now'));
  assert.deepEqual((told as { restart?: string[] }).restart, ['jobs.max']);
  assert.equal((await failureOf(connect(SECRET).recommend('ann'))).reason, 'CREDENTIALS_INVALID');
  await connect(`${SECRET}-renewed`).recommend('ann');

  server.configure({ ...config, listen: '0.0.0.0:1', auth: {} });
  server.signal('SIGHUP');
  await server.logged('that it cannot be used', ({ msg }) => msg.startsWith('the configuration cannot be used'));
  await connect(`${SECRET}-renewed`).recommend('ann');
  const metrics = await (await fetch(server.url('/metrics'))).text();
  assert.match(metrics, /rpc_server_call_duration_seconds_count\{.*UNAUTHENTICATED.*\} 2/);

  server.configure(config);
  const printed = await run(process.execPath, [
    join(ROOT, 'server/main.ts'),
    '--print-config',
    '--config',
    join(server.folder, 'accrete.yaml'),
  ]);
  assert.deepEqual(JSON.parse(printed.stdout)['auth.clients'], { value: file.path, source: 'file', reloadable: true });
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  for (const text of [server.stderr, metrics, printed.stdout]) assert(!text.includes(SECRET), 'a secret was written');
});

test('grpcurl asks a server that is locked: with a token, and for its health without', async (t) => {
  const { path: grpcurl, skip } = findGrpcurl();
  if (skip) return t.skip(skip);
  const file = new ClientsFile(t, [{ name: 'reader', role: 'read', token: SECRET }]);
  const server = await TestServer.start(t, { tls: SERVER_TLS, auth: { clients: file.path } });
  const address = server.address.replace('127.0.0.1', 'localhost');
  const ask = async (shown: readonly string[], ...what: string[]) =>
    (await run(grpcurl, ['-cacert', certificatePath('authority.crt'), ...shown, ...what])).stdout;
  const token = ['-H', `authorization: Bearer ${SECRET}`];
  assert.match(await ask(token, address, 'list'), /accrete\.v1\.RecommenderService/);
  const query = ['-d', '{"userId": "ann"}', address, 'accrete.v1.RecommenderService/Recommend'];
  assert.match(await ask(token, ...query), /"model"/);
  await assert.rejects(ask([], address, 'list'), /Unauthenticated/);
  const descriptors = ['-protoset', join(ROOT, 'proto/gen/descriptors.binpb')];
  await assert.rejects(ask(descriptors, ...query), ({ stderr }: { stderr: string }) =>
    /CREDENTIALS_MISSING/.test(stderr),
  );
  assert.match(await ask(descriptors, address, 'grpc.health.v1.Health/Check'), /SERVING/);
});

test('grpc-health-probe asks a server that is locked: by TLS and by a socket, and shows nothing', async (t) => {
  const { path: probe, skip } = findHealthProbe();
  if (skip) return t.skip(skip);
  const { path: clients } = new ClientsFile(t, [{ name: 'reader', role: 'read', token: SECRET }]);
  const server = await TestServer.start(t, { tls: SERVER_TLS, auth: { clients } });
  const address = server.address.replace('127.0.0.1', 'localhost');
  const ask = async (...what: string[]) => (await run(probe, what)).stderr;
  const tls = ['-tls', '-tls-ca-cert', certificatePath('authority.crt'), '-addr', address];
  assert.match(await ask(...tls), /status: SERVING/);
  assert.match(await ask(...tls, '-service', 'accrete.write'), /status: SERVING/);
  assert.match(await ask(...tls, '-rpc-header', `authorization: Bearer ${SECRET}`), /status: SERVING/);
  await assert.rejects(ask('-addr', address, '-rpc-timeout', '2s'), { code: 2 }, 'it has no plain text');
  await assert.rejects(ask(...tls, '-service', 'nobody'), { code: 3 });

  const listen = `unix:${join(makeFolder(t), 'accrete.sock')}`;
  await TestServer.start(t, { listen, auth: { clients } });
  assert.match(await ask('-addr', listen), /status: SERVING/);
});
