import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import { callFailure } from './failure.ts';

const any = (name: string, value: Uint8Array) => ({
  typeUrl: `type.googleapis.com/google.rpc.${name}`,
  value: Buffer.from(value),
});

test('a failure has the reason of the server, and every bad field', () => {
  const info = ErrorInfo.encode(ErrorInfo.fromPartial({ reason: 'INVALID_FIELD', domain: 'accrete' })).finish();
  const fieldViolations = [
    { field: 'ratings[0].value', description: 'is 9' },
    { field: 'ratings[1].user_id', description: 'is empty' },
  ];
  const badRequest = BadRequest.encode(BadRequest.fromPartial({ fieldViolations })).finish();
  const rich = {
    code: status.INVALID_ARGUMENT,
    message: 'ratings[0].value is 9 (and 1 more)',
    details: [any('ErrorInfo', info), any('BadRequest', badRequest)],
  };
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(rich).finish()));
  const failure = callFailure({ code: rich.code, details: rich.message, metadata }, 'here:1');
  assert.equal(String(failure), 'INVALID_FIELD: ratings[0].value is 9 (and 1 more)\n  ratings[1].user_id is empty');
  assert.deepEqual(failure.toJSON(), { reason: 'INVALID_FIELD', message: rich.message, faults: fieldViolations });
});

const bare: { code: status; details: string; text: RegExp }[] = [
  {
    code: status.UNAVAILABLE,
    details: 'No connection established. Last error: Error: connect ECONNREFUSED here:1. Resolution note: ',
    text: /^UNAVAILABLE: no server answers at here:1: start one with `accrete serve`, .* --address \(connect ECONNREFUSED here:1\)$/,
  },
  { code: status.UNAVAILABLE, details: 'Connection dropped', text: /\(Connection dropped\)$/ },
  {
    code: status.DEADLINE_EXCEEDED,
    details: 'whatever',
    text: /^DEADLINE_EXCEEDED: no answer in time: raise --timeout/,
  },
  {
    code: status.UNIMPLEMENTED,
    details: 'unknown method',
    text: /^UNIMPLEMENTED: .*is it an Accrete server.*\(unknown method\)$/,
  },
  {
    code: status.RESOURCE_EXHAUSTED,
    details: 'Received message larger than max',
    text: /larger than max.*: send less at once$/,
  },
  { code: status.INTERNAL, details: 'broken', text: /^INTERNAL: broken$/ },
];

for (const { code, details, text } of bare) {
  test(`a failure that no server explained says what to do: ${status[code]} ${details}`, () => {
    assert.match(String(callFailure({ code, details, metadata: new Metadata() }, 'here:1')), text);
  });
}
