import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { status } from '@grpc/grpc-js';
import { type HealthCheckResponse, HealthService } from '../../proto/gen/grpc/health/v1/health.ts';
import { type Method, withBytes } from '../support/client.ts';
import { TestServer } from '../support/server.ts';
import { errorOf, failureOf } from '../support/status.ts';

/** Health and reflection are served by libraries; what is malformed is refused there as everywhere. */

const { client } = await TestServer.start({ after });
/** A wire type that does not exist. */
const wrong = Buffer.from([0x0f]);
const isMalformed = { code: 'INVALID_ARGUMENT', reason: 'MALFORMED_MESSAGE' };

function watch(service: string) {
  const stream = client.open<{ service: string }, HealthCheckResponse>(HealthService.watch);
  stream.send({ service });
  stream.call.end();
  return stream;
}

test('health: bytes that are no message are MALFORMED_MESSAGE, not INTERNAL', async () => {
  for (const method of [HealthService.check, HealthService.list] as Method<never, unknown>[]) {
    const { code, reason } = await failureOf(client.call(withBytes(method), wrong));
    assert.deepEqual({ code, reason }, isMalformed);
  }
  const { code, reason } = await failureOf(client.collect(withBytes(HealthService.watch), wrong));
  assert.deepEqual({ code, reason }, isMalformed);
});

test('reflection: the same, after what was asked before was answered', async () => {
  for (const name of ['v1', 'v1alpha']) {
    const stream = client.open<Buffer, Buffer>({
      path: `/grpc.reflection.${name}.ServerReflection/ServerReflectionInfo`,
      requestSerialize: (bytes) => bytes,
      responseDeserialize: (bytes) => bytes,
    });
    stream.send(Buffer.from([0x3a, 0]));
    assert(((await stream.next())?.length ?? 0) > 100, 'the list of services');
    stream.send(wrong);
    const { code, reason } = await failureOf(stream.next());
    assert.deepEqual({ code, reason }, isMalformed);
  }
});

test('a name that is too large for a header is told short, and the connection goes on', async () => {
  const watched = watch('');
  assert.equal((await watched.next())?.status, 1);
  const error = await errorOf(client.call(HealthService.check, { service: 'x'.repeat(1_000_000) }));
  assert.equal(error.code, status.NOT_FOUND);
  assert(error.details.length < 2000, String(error.details.length));
  await client.getModel('mean');
  watched.call.cancel();
  await assert.rejects(watched.next(), { code: status.CANCELLED });
});

test('names that clients made up and watched are not kept', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const watchMany = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const stream = watch(`${n}`.padEnd(1_000_000, 'x'));
      assert.equal((await stream.next())?.status, 3);
      stream.call.cancel();
    }
    await sleep(100);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await watchMany(10);
  const grown = (await watchMany(60)) - before;
  assert(grown < 20e6, `${Math.round(grown / 1e6)} MB more`);
});
