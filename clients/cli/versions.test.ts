import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { type FuseRequest, FuseResponse, FuseStrategy } from '../../proto/gen/accrete/v1/fuse.ts';
import { ModelChangeKind, ModelChangeOutcome, ModelChangeRequester } from '../../proto/gen/accrete/v1/history.ts';
import {
  GetModelResponse,
  ModelServiceService,
  type RollbackModelRequest,
  RollbackModelResponse,
} from '../../proto/gen/accrete/v1/model.ts';
import { RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { run } from './testing/accrete.ts';
import { FakeServer } from './testing/fake-server.ts';

/** Commands about versions of models, against a server that keeps what it was asked. */

let asked: object[] = [];
let address: string;
const model = { name: 'mf', plugin: 'mf', version: '1', isDefault: true, state: 3 } as const;

const server = new FakeServer()
  .add(RecommenderServiceService, {
    fuse: (call: ServerWritableStream<FuseRequest, FuseResponse>) => {
      const { model, validateOnly } = call.request;
      asked.push(call.request);
      const row = { metric: 'rmse', count: 1234n, lower: 0.9, upper: 1 };
      const result = {
        model,
        promoted: !validateOnly && model === 'mf',
        version: validateOnly ? '' : '3',
        previousVersion: '2',
        before: [{ ...row, model: 'mf@2', value: 0.96 }],
        after: [{ ...row, model: 'mf@3', value: 0.95 }],
        decision: {
          passed: model === 'mf',
          reason: 'The candidate is what it is',
          difference: { ...row, metric: 'mse', model: 'mf@3', baseline: 'mf@2', value: -0.01, lower: -0.02, upper: 0 },
        },
      };
      const progress = { phase: 'refit', completed: 50n, total: 100n, unit: 'percent' };
      call.write(FuseResponse.fromPartial({ event: { $case: 'progress', value: progress } }));
      call.write(FuseResponse.fromPartial({ event: { $case: 'result', value: result } }));
      call.end();
    },
  })
  .add(ModelServiceService, {
    rollbackModel: (
      { request }: ServerUnaryCall<RollbackModelRequest, RollbackModelResponse>,
      done: sendUnaryData<RollbackModelResponse>,
    ) => {
      asked.push(request);
      const { version } = request;
      done(null, RollbackModelResponse.fromPartial({ model: { ...model, version }, previousVersion: '3' }));
    },
    getModel: ({ request }: ServerUnaryCall<object, GetModelResponse>, done: sendUnaryData<GetModelResponse>) => {
      const version = { origin: 'fuse:refit', createTime: { seconds: 1000n, nanos: 0 }, revision: '9', bytes: 1024n };
      const versions = ['3', '2'].map((name) => ({ ...version, version: name }));
      const row = { metric: 'rmse', value: 0.96 };
      const change = {
        kind: ModelChangeKind.MODEL_CHANGE_KIND_FUSE,
        requester: ModelChangeRequester.MODEL_CHANGE_REQUESTER_PERIOD,
        outcome: ModelChangeOutcome.MODEL_CHANGE_OUTCOME_REFUSED,
        time: { seconds: 2000n, nanos: 0 },
        strategy: FuseStrategy.FUSE_STRATEGY_PROCRUSTES,
        sources: ['file:south'],
        learnedCount: 12_345n,
        previousVersion: '3',
        before: row,
        after: { ...row, value: 0.97 },
        decision: { difference: { ...row, metric: 'mse', value: 0.0193, lower: 0.01, upper: 0.03 } },
        reason: 'It is worse',
      };
      if (request) done(null, GetModelResponse.fromPartial({ model: { ...model, versions, history: [change] } }));
    },
  });

before(async () => {
  address = await server.start();
});
beforeEach(() => {
  asked = [];
});
after(() => server.stop());

const accrete = (...args: string[]) => run(args, address);

/** The fields of the latest request, less those that are as they are by default. */
function request(): Record<string, unknown> {
  const isSet = (value: unknown) =>
    !['', 0, false, undefined].includes(value as never) &&
    Object.keys(Object(value)).length + Number(typeof value !== 'object') > 0;
  return Object.fromEntries(Object.entries(asked.at(-1) ?? {}).filter(([, value]) => isSet(value)));
}

test('fuse: figures before and after, the decision in words, and an exit code that tells it', async () => {
  const options = '--margin 0.1 --metric mae --window 2000 --seed 5';
  const { stdout } = await accrete('fuse', 'mf', ...options.split(' '));
  assert.deepEqual(request(), {
    model: 'mf',
    options: { rank: 0, force: false, seed: 5 },
    guard: { metric: 'mae', margin: 0.1, windowEvents: 2000 },
  });
  assert.equal(
    stdout,
    'model\tmetric\tsegment\tvalue\tcount\nmf@2\trmse\tall\t0.9600 [0.9000, 1.0000]\t1,234\n' +
      'mf@3\trmse\tall\t0.9500 [0.9000, 1.0000]\t1,234\n\n' +
      'model\tagainst\tmetric\tsegment\tdifference\tcount\nmf@3\tmf@2\tmse\tall\t-0.0100 [-0.0200, 0.0000]\t1,234\n\n' +
      'The candidate is what it is\nversion 3 of mf serves; version 2 of mf is kept\n',
  );
  assert.match(
    (await accrete('fuse', 'mf', '--validate-only')).stdout,
    /nothing was promoted: version 2 of mf serves\n$/,
  );
  const declined = await run(['fuse', 'other'], address);
  assert.deepEqual([declined.code, declined.stdout.split('\n').at(-2)], [4, 'version 2 of other serves, as before']);
  const json = await run(['fuse', 'other', '--json'], address);
  const lines = json.stdout.trimEnd().split('\n');
  assert.deepEqual([json.code, lines.map((line) => Object.keys(JSON.parse(line)))], [4, [['progress'], ['result']]]);
  assert.equal((await run(['fuse', 'mf', '--window', '999'], address)).code, 2);
});

const DEFAULTS = { metric: '', margin: undefined, windowEvents: 0 };

test('fuse: of several models, by a strategy', async () => {
  const options = '--strategy concat --rank 8 --source north --source version:2 --source file:south.safetensors';
  await accrete('fuse', 'mf', ...options.split(' '));
  assert.deepEqual(request(), {
    model: 'mf',
    strategy: FuseStrategy.FUSE_STRATEGY_CONCAT,
    sources: [
      { source: { $case: 'model', value: 'north' } },
      { source: { $case: 'version', value: '2' } },
      { source: { $case: 'file', value: 'south.safetensors' } },
    ],
    options: { rank: 8, force: false, seed: 0 },
    guard: DEFAULTS,
  });
  await accrete('fuse', 'mf', '--strategy', 'average', '--force', '--source', 'model:north');
  assert.deepEqual(request(), {
    model: 'mf',
    strategy: FuseStrategy.FUSE_STRATEGY_AVERAGE,
    sources: [{ source: { $case: 'model', value: 'north' } }],
    options: { rank: 0, force: true, seed: 0 },
    guard: DEFAULTS,
  });
  for (const wrong of [
    ['--strategy', 'magic'],
    ['--source', 'file:'],
    ['--rank', '0'],
  ])
    assert.equal((await run(['fuse', 'mf', ...wrong], address)).code, 2);
});

test('models rollback: by name, also where none is given', async () => {
  assert.match(
    (await accrete('models', 'rollback', 'mf', '7')).stdout,
    /^version 7 of mf serves; version 3 is kept\n$/,
  );
  assert.deepEqual(request(), { name: 'mf', version: '7' });
  assert.match((await accrete('models', 'rollback', 'mf')).stdout, /^version 2 of mf serves/);
  assert.deepEqual(request(), { name: 'mf', version: '2' });
  assert.match((await accrete('models', 'rollback', 'mf', '--validate-only')).stdout, /^version 2 of mf can be/);
  const { stdout } = await accrete('models', 'mf');
  assert.match(stdout, /\n3\tfuse:refit\t1970-01-01T00:16:40.000Z\t9\t1.0 KiB\n2\t/);
  const told =
    '1970-01-01T00:33:20.000Z\tfuse procrustes file:south\tperiod\trefused\t3\t\t12,345\trmse\t0.9600\t0.9700\t' +
    'mse 0.0193 (0.0100 to 0.0300)\tIt is worse';
  assert.ok(stdout.includes(`\n${told}\n`), stdout);
});
