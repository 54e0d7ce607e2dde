import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { ExperimentServiceService, GetExperimentRequest } from '../../proto/gen/accrete/v1/experiment.ts';
import { ModelServiceService, RollbackModelRequest } from '../../proto/gen/accrete/v1/model.ts';
import { RateRequest, RateResponse, RecommenderServiceService } from '../../proto/gen/accrete/v1/recommender.ts';
import { Connection } from './connection.ts';

/** A server that is away for the first `failures` calls. */
const server = new Server();
let failures = 0;
let requestIds: string[] = [];
let awayCalls = 0;
let address: string;

before(async () => {
  const rate = ({ request }: ServerUnaryCall<RateRequest, RateResponse>, callback: sendUnaryData<RateResponse>) => {
    requestIds.push(request.requestId);
    if (requestIds.length <= failures) callback({ code: status.UNAVAILABLE, details: 'away' });
    else callback(null, RateResponse.fromPartial({ revision: '7' }));
  };
  server.addService({ rate: RecommenderServiceService.rate }, { rate });
  const { getExperiment } = ExperimentServiceService;
  const { rollbackModel } = ModelServiceService;
  server.addService({ getExperiment, rollbackModel }, { getExperiment: away, rollbackModel: away });
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
  });
  address = `127.0.0.1:${port}`;
});
beforeEach(() => {
  requestIds = [];
  awayCalls = 0;
});
after(() => server.forceShutdown());

/** A call that nobody answers. */
function away(_call: unknown, callback: sendUnaryData<never>): void {
  awayCalls++;
  callback({ code: status.UNAVAILABLE, details: 'away' });
}

async function rate(connection: Connection): Promise<RateResponse> {
  try {
    return await connection.call(RecommenderServiceService.rate, RateRequest.fromPartial({ requestId: 'r' }));
  } finally {
    connection.close();
  }
}

test('a call is repeated as it was while the server is away', async () => {
  failures = 3;
  assert.equal((await rate(new Connection(address, 10_000))).revision, '7');
  assert.deepEqual(requestIds, ['r', 'r', 'r', 'r']);
});

test('after four tries it fails', async () => {
  failures = 9;
  await assert.rejects(rate(new Connection(address, 10_000)), { reason: 'UNAVAILABLE' });
  assert.equal(requestIds.length, 4);
});

test('what is safe to repeat is repeated, and nothing else', async () => {
  const connection = new Connection(address, 10_000);
  const away = { reason: 'UNAVAILABLE' };
  const { getExperiment } = ExperimentServiceService;
  await assert.rejects(connection.call(getExperiment, GetExperimentRequest.fromPartial({ name: 'home' })), away);
  assert.equal(awayCalls, 4);
  const { rollbackModel } = ModelServiceService;
  await assert.rejects(connection.call(rollbackModel, RollbackModelRequest.fromPartial({ name: 'mf' })), away);
  assert.equal(awayCalls, 5);
  connection.close();
});

test('a call without an answer fails after its time', async () => {
  const silent = createServer((socket) => socket.on('error', () => {}).unref()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  await assert.rejects(rate(new Connection(`127.0.0.1:${port}`, 200)), { reason: 'DEADLINE_EXCEEDED' });
  silent.close();
});
