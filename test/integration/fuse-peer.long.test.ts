import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { ImportServiceService, ListImportsRequest } from '../../proto/gen/accrete/v1/import.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { createServer as createAccrete } from '../../server/server.ts';
import { certificatePath, clientCredentials, SERVER_TLS } from '../support/certificates.ts';
import type { Client } from '../support/client.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { exportModel, importModel } from '../support/model-files.ts';
import { rating } from '../support/ratings.ts';
import { TEST_CONFIG, TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';

/** A model of another server, which is fetched from where the configuration says it may be, with a token or a certificate. */

const models = [{ name: 'popularity', plugin: 'popularity' }];
const file = new ClientsFile({ after }, [
  { name: 'keeper', role: 'admin', token: 'token-of-keeper' },
  { name: 'north', role: 'read', token: 'token-of-north', certificates: ['uri:spiffe://tests/shop'] },
]);
const south = await TestServer.start(
  { after },
  {
    models,
    tls: { ...SERVER_TLS, clientCa: certificatePath('authority.crt'), clientCertificates: 'optional' },
    auth: { clients: file.path },
  },
);
// The certificate is that of localhost.
const address = south.address.replace('127.0.0.1', 'localhost');
const folder = makeFolder({ after });
const token = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, `${text}\n`);
  return path;
};
const ca = certificatePath('authority.crt');
const silent = createServer((socket) => {
  // The gRPC library leaves such a connection open when it gives up.
  after(() => socket.destroy());
}).listen(0, '127.0.0.1');
await once(silent, 'listening');
after(() => silent.close());
const { port: silentPort } = silent.address() as { port: number };

const peersOf = (shown: object) => ({ [address]: { ca, ...shown } });
const north = await TestServer.start({ after }, {
  models,
  evaluation: { rankEvery: 1, window: 500 },
  imports: { idleMs: 5000 },
  peers: {
    ...peersOf({ tokenFile: token('good', 'token-of-north') }),
    'localhost:1': {},
  },
} satisfies ConfigInput);
const fuse = (client: Client, from: string, model = 'popularity') =>
  client.fuse({
    model,
    strategy: FuseStrategy.FUSE_STRATEGY_COUNTS,
    sources: [{ source: { $case: 'address', value: from } }],
    guard: { margin: 1, metric: 'ndcg@10' },
  });

test('only what is configured is asked, and what does not answer, or not well, is told', async () => {
  const { client } = north;
  for (const [from, what] of [
    ['example.org:50051/popularity', /none of `peers`/],
    [`${address}`, /send host:port\/model/],
    [`${address}/../popularity`, /send host:port\/model|none of `peers`/],
    ['', /send host:port\/model/],
  ] as const) {
    const refused = await failureOf(fuse(client, from));
    assert.equal(refused.code, 'INVALID_ARGUMENT');
    assert.match(refused.fields['sources[0].address'], what);
  }
  for (const [from, what] of [
    [`${address}/nothing`, /NOT_FOUND/],
    ['localhost:1/popularity', /UNAVAILABLE/],
  ] as const) {
    const failed = await failureOf(fuse(client, from));
    assert.deepEqual([failed.code, failed.reason], ['UNAVAILABLE', 'PEER_FAILED']);
    assert.match(failed.message, what);
    assert(!failed.message.includes('token-of'));
  }
  assert.throws(
    () => createAccrete({ ...TEST_CONFIG, peers: { 'example.org:1': { tokenFile: 'a' } } }),
    /peers: .*`example\.org:1`: the token would travel for all to read/,
  );
});

test('a model of a peer becomes one with that which is here, as its file would', async (t) => {
  const keeper = south.connect({ channel: clientCredentials(), token: 'token-of-keeper' });
  const { client } = north;
  await learn(client, 'north');
  await learn(keeper, 'south');
  const { result, progress } = await fuse(client, `${address}/popularity`);
  assert.equal(result.promoted, true, result.decision?.reason);
  assert(progress.some(({ phase }) => phase === 'fetch'));
  const imports = await client.call(ImportServiceService.listImports, ListImportsRequest.fromPartial({}));
  assert.deepEqual(imports.imports, [], 'what was fetched for it is gone');
  const { model } = await client.getModel('popularity');
  assert.deepEqual(model?.history[0]?.sources, [`address:${address}/popularity`]);

  // The same by its file, on a server that has learned the same.
  const other = await TestServer.start(t, { models, evaluation: { rankEvery: 1, window: 500 } });
  await learn(other.client, 'north');
  await importModel(other.client, 'file', (await exportModel(keeper, 'popularity')).bytes);
  const byFile = await other.client.fuse({
    model: 'popularity',
    strategy: FuseStrategy.FUSE_STRATEGY_COUNTS,
    sources: [{ source: { $case: 'file', value: 'file' } }],
    guard: { margin: 1, metric: 'ndcg@10' },
  });
  assert.equal(byFile.result.promoted, true);
  const scores = async (of: Client) =>
    (await of.recommend('nobody', { model: 'popularity', pageSize: 60, eventTime: timeOf(4000) })).items.map(
      ({ itemId, score }) => [itemId, score.toFixed(6)],
    );
  assert.deepEqual(await scores(client), await scores(other.client));
});

test('two that fetch the same model at once have each their own', async (t) => {
  const names = ['popularity', 'second'];
  const both = await TestServer.start(t, {
    models: names.map((name) => ({ name, plugin: 'popularity' })),
    evaluation: { rankEvery: 1, window: 500 },
    peers: peersOf({ tokenFile: token('good', 'token-of-north') }),
  });
  await learn(both.client, 'both');
  const fused = await Promise.all(names.map((name) => fuse(both.client, `${address}/popularity`, name)));
  assert.deepEqual(
    fused.map(({ result }) => [result.model, result.promoted]),
    names.map((name) => [name, true]),
  );
  const imports = await both.client.call(ImportServiceService.listImports, ListImportsRequest.fromPartial({}));
  assert.deepEqual(imports.imports, [], 'and nothing of it is left');
});

test('a certificate is shown where one is configured, and a token that is not known is refused there', async (t) => {
  const shown = { certificate: certificatePath('client.crt'), key: certificatePath('client.key') };
  const config = { models, evaluation: { rankEvery: 1, window: 500 } };
  const certified = await TestServer.start(t, { ...config, peers: peersOf(shown) });
  await learn(certified.client, 'third');
  assert.equal((await fuse(certified.client, `${address}/popularity`)).result.promoted, true);
  await certified.restart({ peers: peersOf({ tokenFile: token('bad', 'token-of-nobody') }) });
  const refused = await failureOf(fuse(certified.client, `${address}/popularity`));
  assert.match(refused.message, /UNAUTHENTICATED/);
  assert(!refused.message.includes('token-of-nobody'));
  const late = { peers: { [`127.0.0.1:${silentPort}`]: {} }, imports: { idleMs: 200 } };
  await certified.restart(late);
  const from = `127.0.0.1:${silentPort}/popularity`;
  assert.match((await failureOf(fuse(certified.client, from))).message, /nothing came for 200 ms/);
});

const timeOf = (at: number) => ({ seconds: BigInt(1_700_000_000 + 3600 * at), nanos: 0 });

async function learn(client: Client, shard: string): Promise<void> {
  for (let at = 0; at < 2000; at += 500)
    await client.rate(
      Array.from({ length: 500 }, (_, n) => {
        const [user, item] = [(at + n) % 150, (at + n + Math.floor((at + n) / 150)) % 60];
        return rating(`${shard} ${user}`, `item ${item}`, 1 + ((user + item) % 3) * 2, { eventTime: timeOf(at + n) });
      }),
    );
}
