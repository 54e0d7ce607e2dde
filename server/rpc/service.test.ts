import assert from 'node:assert/strict';
import { EventEmitter, getEventListeners, once } from 'node:events';
import { test } from 'node:test';
import { Metadata, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { createNoopMeter } from '@opentelemetry/api';
import { CallTelemetry } from './call-telemetry.ts';
import { serveMethods } from './service.ts';

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
    new CallTelemetry(createNoopMeter(), () => {}),
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
