import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientsFile } from '../../support/clients-file.ts';
import { rating } from '../../support/ratings.ts';
import { TestServer } from '../../support/server.ts';
import { failureOf } from '../../support/status.ts';
import { within } from '../../support/within.ts';

/** Callers that mean harm: each is refused at a bounded cost, and the others are served. */

const TOKEN = 'token-of-keeper';
const PATH = '/accrete.v1.RecommenderService/Recommend';
const CONNECTIONS_MAX = 12;
const file = new ClientsFile({ after }, [{ name: 'keeper', role: 'admin', token: TOKEN }]);
const server = await TestServer.start(
  { after },
  { auth: { clients: file.path, requestTimeoutMs: 500 }, connection: { max: CONNECTIONS_MAX } },
);
const keeper = server.connect({ token: TOKEN });
await keeper.rate([rating('ann', 'alien', 5), rating('bob', 'matrix', 4)]);

/** Everyone else goes on as before. */
async function requireServed(): Promise<void> {
  const { items } = await keeper.recommend('ann', {}, { deadline: Date.now() + 2000 });
  assert.deepEqual(
    items.map(({ itemId }) => itemId),
    ['matrix'],
  );
}

function openSession(): ClientHttp2Session {
  const session = connectHttp2(`http://${server.address}`);
  session.on('error', () => {});
  after(() => session.destroy());
  return session;
}

function openCall(session: ClientHttp2Session, headers: Record<string, string | string[]> = {}): ClientHttp2Stream {
  const stream = session.request(
    { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers', ...headers },
    { endStream: false },
  );
  stream.on('error', () => {});
  stream.resume();
  return stream;
}

const closed = (emitter: EventEmitter) => new Promise((resolve) => emitter.once('close', resolve));

/** The status that a call ends with: gRPC's, or what HTTP/2 says. */
async function endOf(
  stream: ClientHttp2Stream,
): Promise<{ readonly status: string | undefined; readonly reset: number }> {
  let status: string | undefined;
  stream.on('response', (headers) => (status = String(headers['grpc-status'] ?? headers[':status'])));
  await closed(stream);
  return { status, reset: stream.rstCode ?? 0 };
}

const authorized = { authorization: `Bearer ${TOKEN}` };

test('tokens that nobody has, in any number', async () => {
  const stranger = server.connect({ token: 'x'.repeat(7000) });
  const began = performance.now();
  const reasons = await Promise.all(
    Array.from({ length: 300 }, async () => (await failureOf(stranger.recommend('ann'))).reason),
  );
  assert.deepEqual(new Set(reasons), new Set(['CREDENTIALS_INVALID']));
  assert(performance.now() - began < 5000);
  await requireServed();
});

test('metadata of any size', async () => {
  for (const headers of [
    { ...authorized, large: 'x'.repeat(100_000) },
    { ...authorized, many: Array.from({ length: 500 }, (_, n) => `value ${n}`) },
    { authorization: `Bearer ${'x'.repeat(60_000)}` },
  ]) {
    const { status, reset } = await endOf(openCall(openSession(), headers));
    assert(status === '16' || status === '431' || reset !== constants.NGHTTP2_NO_ERROR, `${status}, ${reset}`);
  }
  await requireServed();
});

test('calls whose request does not come', async () => {
  const session = openSession();
  const strangers = Array.from({ length: 50 }, () => endOf(openCall(session)));
  for (const { status } of await Promise.all(strangers)) assert.equal(status, '16', 'refused before anything is sent');
  const began = performance.now();
  const slow = Array.from({ length: 50 }, (_, n) => {
    const stream = openCall(session, authorized);
    // Of a message of 100 bytes the first one.
    if (n % 2 === 0) stream.write(Buffer.from([0, 0, 0, 0, 100, 1]));
    return endOf(stream);
  });
  for (const { status } of await Promise.all(slow)) assert.equal(status, '10', 'aborted');
  assert(performance.now() - began >= 490);
  session.destroy();
  await requireServed();
});

test('a flood of calls that are reset at once', async () => {
  const session = openSession();
  await once(session, 'connect');
  let opened = 0;
  for (let round = 0; round < 30 && !session.closed && !session.destroyed; round++) {
    for (let n = 0; n < 100 && !session.closed && !session.destroyed; n++) {
      openCall(session, authorized).close(constants.NGHTTP2_CANCEL);
      opened++;
    }
    await sleep(1);
  }
  const untilEnded = async () => {
    while (!session.closed && !session.destroyed) await sleep(10);
  };
  await within(10_000, `that the connection is ended, on which ${opened} calls were opened`, untilEnded());
  assert(opened < 3000, `${opened}`);
  await requireServed();
});

test('ids and pages of any size', async () => {
  const huge = 'x'.repeat(1_000_000);
  assert.equal((await failureOf(keeper.recommend(huge))).reason, 'INVALID_FIELD');
  assert.equal((await failureOf(keeper.rate([rating(huge, huge, 5)]))).reason, 'INVALID_FIELD');
  assert.equal((await failureOf(keeper.recommend('ann', { pageToken: huge }))).code, 'INVALID_ARGUMENT');
  await requireServed();
});

test('bytes that are no HTTP/2, and connections that say nothing, in any number', async () => {
  const [host, port] = server.address.split(':');
  const open = () =>
    connectTcp({ host, port: Number(port) })
      .on('error', () => {})
      .resume();
  const garbage = open();
  garbage.write(Buffer.alloc(65_536, 0xa5));
  await closed(garbage);
  const silent = Array.from({ length: 3 * CONNECTIONS_MAX }, open);
  const untilRefused = async () => {
    const refused = () => silent.filter((socket) => socket.destroyed || socket.readableEnded).length;
    while (refused() < 2 * CONNECTIONS_MAX) await sleep(10);
  };
  await within(10_000, 'that connections beyond the maximum are closed', untilRefused());
  for (const socket of silent) socket.destroy();
  await requireServed();
});
