import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners, once } from 'node:events';
import { test } from 'node:test';
import { Metadata, type ServiceDefinition, type ServiceError, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { createNoopMeter } from '@opentelemetry/api';
import { readFailure } from '../../test/support/status.ts';
import { CallTelemetry } from './call-telemetry.ts';
import { serveMethods } from './service.ts';

const telemetry = new CallTelemetry(createNoopMeter(), () => {});

test('a stream that waits for its client again and again does not pile up listeners', async () => {
  const counts: number[] = [];
  const definition = { listen: { path: '/accrete/listen', requestDeserialize: () => ({}) } };
  const { implementation } = serveMethods(
    definition as unknown as ServiceDefinition,
    { listen: 'read' },
    {
      listen: {
        type: 'stream',
        async *answer(_request, { signal }) {
          for (let n = 0; n < 5; n++) {
            counts.push(getEventListeners(signal, 'abort').length);
            yield n;
          }
        },
        encode: () => Buffer.from(''),
      },
    },
    telemetry,
  );
  const call = Object.assign(new EventEmitter(), {
    cancelled: false,
    metadata: new Metadata(),
    request: Buffer.from(''),
    write: () => setImmediate(() => call.emit('drain')) === undefined,
    end: () => call.emit('end'),
  });
  const ended = once(call, 'end');
  (implementation as UntypedServiceImplementation).listen(call as never, () => {});
  await ended;
  assert.deepEqual(counts, [0, 0, 0, 0, 0]);
});

test('what is not implemented says so, whatever its shape', async () => {
  const definition = { guess: { path: '/accrete/guess' } } as unknown as ServiceDefinition;
  const implementation = serveMethods(definition, { guess: 'read' }, {}, telemetry)
    .implementation as UntypedServiceImplementation;
  const call = Object.assign(new EventEmitter(), { metadata: new Metadata() });
  const streamed = once(call, 'error');
  implementation.guess(call as never, undefined as never);
  const [ofStream] = (await streamed) as [ServiceError];
  const ofUnary = await new Promise<ServiceError>((resolve) => implementation.guess(call as never, resolve as never));
  for (const error of [ofStream, ofUnary]) {
    const { code, reason, metadata, message } = readFailure(error);
    assert.deepEqual([code, reason, metadata], ['UNIMPLEMENTED', 'NOT_IMPLEMENTED', { method: 'accrete/guess' }]);
    assert.match(message, /accrete\/guess/);
  }
});
