import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { test } from 'node:test';
import { ClientsFile } from '../support/clients-file.ts';
import { ServerProcess } from '../support/server-process.ts';

/** What the gRPC library writes by itself. */

const SECRET = 'a-secret-token';

test('of a token that no header can have nothing is written', async (t) => {
  const { path } = new ClientsFile(t, [{ name: 'reader', role: 'read', token: SECRET }]);
  const server = await ServerProcess.start(t, { auth: { clients: path } });
  const session = connect(`http://${server.address}`);
  const call = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/accrete.v1.RecommenderService/Recommend',
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    authorization: `Bearer ${SECRET}\u00a0`,
  });
  call.resume().end();
  const [headers] = await once(call, 'response');
  assert.equal(headers['grpc-status'], '16');
  session.destroy();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.ok(!server.stderr.includes(SECRET), server.stderr);
});
