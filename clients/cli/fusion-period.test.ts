import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { type LoadModelRequest, LoadModelResponse, ModelServiceService } from '../../proto/gen/accrete/v1/model.ts';
import { run } from './testing/accrete.ts';
import { FakeServer } from './testing/fake-server.ts';

/** When a model is to be fused by itself, as the command line asks for it. */

let asked: LoadModelRequest | undefined;
const server = new FakeServer().add(ModelServiceService, {
  loadModel: (
    { request }: ServerUnaryCall<LoadModelRequest, LoadModelResponse>,
    done: sendUnaryData<LoadModelResponse>,
  ) => {
    asked = request;
    done(null, LoadModelResponse.fromPartial({ model: { name: request.name, state: 3 } }));
  },
});
const address = await server.start();
after(() => server.stop());

async function load(...more: string[]) {
  asked = undefined;
  const { code } = await run(['models', 'load', 'new', '--plugin', 'mf', ...more], address);
  return { code, period: (asked as LoadModelRequest | undefined)?.fusePeriod };
}

const EMPTY = { everyEvents: 0n, every: undefined, strategy: 0, sources: [], options: undefined, guard: undefined };

test('after so many ratings, after so long, or never; by a strategy', async () => {
  assert.deepEqual(await load(), { code: 0, period: undefined });
  for (const [every, more] of [
    ['100000', { everyEvents: 100_000n }],
    ['24h', { every: { seconds: 86_400n, nanos: 0 } }],
    ['off', {}],
  ] as const)
    assert.deepEqual(await load('--fuse-every', every), { code: 0, period: { ...EMPTY, ...more } });
  const source = { source: { $case: 'version', value: '2' } };
  const every = { seconds: 604_800n, nanos: 0 };
  assert.deepEqual(await load('--fuse-every', '7d', '--fuse-strategy', 'concat', '--fuse-source', 'version:2'), {
    code: 0,
    period: { ...EMPTY, every, strategy: 5, sources: [source] },
  });
  for (const wrong of [
    ['--fuse-every', '0'],
    ['--fuse-every', '3w'],
    ['--fuse-strategy', 'concat'],
  ])
    assert.deepEqual(await load(...wrong), { code: 2, period: undefined });
});
