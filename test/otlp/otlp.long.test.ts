import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { rating } from '../support/ratings.ts';
import { ServerProcess } from '../support/server-process.ts';
import { errorOf } from '../support/status.ts';
import { makeFolder } from '../support/temporary-folder.ts';
import { buildReceiver, Receiver, type Span, textsOf } from './receiver.ts';

/** Traces and metrics at a receiver that is not ours to interpret: OpenTelemetry's definitions of OTLP, in Go. */

const RATE = 'accrete.v1.RecommenderService/Rate';
const CALLS = 50;
const STEPS = ['accrete.append', 'accrete.learn', 'accrete.ring'];

const { path, skip } = buildReceiver(makeFolder({ after }));

const VARIANTS = [
  { protocol: 'grpc', compression: 'none' },
  { protocol: 'grpc', compression: 'gzip' },
  { protocol: 'http/protobuf', compression: 'none' },
];

for (const { protocol, compression } of VARIANTS) {
  test(`${protocol}, compression ${compression}: every call's trace and the metrics arrive`, { skip }, async (t) => {
    const { receiver, addresses } = await Receiver.start(t, path);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${addresses[protocol]}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_COMPRESSION: compression,
      OTEL_SERVICE_NAME: 'films',
    };
    const server = await ServerProcess.start(t, {}, { env });
    for (let n = 0; n < CALLS; n++) await server.client.rate([rating('ann', `item-${n}`, 4)]);
    await server.client.recommend('ann');
    assert.equal((await errorOf(server.client.rate([rating('ann', 'matrix', 99)]))).code, status.INVALID_ARGUMENT);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    await receiver.stop();

    assert.deepEqual(receiver.protocols, [protocol]);
    const [resource, ...others] = receiver.resources;
    assert.deepEqual(others, [], 'traces and metrics come from one resource');
    assert.equal(resource['service.name'], 'films');
    checkTraces(receiver.spans);
    checkMetrics(receiver);
  });
}

function checkTraces(spans: readonly Span[]): void {
  const calls = spans.filter(({ name }) => name === RATE);
  assert.equal(calls.length, CALLS + 1);
  for (const call of calls) {
    assert.equal(call.kind, 'SPAN_KIND_SERVER');
    assert.equal(call.parentSpanId, undefined);
    assert(BigInt(call.endTimeUnixNano) >= BigInt(call.startTimeUnixNano));
    if (call.status.code === 'STATUS_CODE_ERROR') continue;
    const steps = spans.filter(({ parentSpanId }) => parentSpanId === call.spanId);
    assert.deepEqual(steps.map(({ name }) => name).sort(), STEPS);
    for (const step of steps) assert.equal(step.traceId, call.traceId);
  }
  assert.equal(calls.filter(({ status }) => status.code === 'STATUS_CODE_ERROR').length, 1);
  assert(spans.some(({ name }) => name === 'accrete.v1.RecommenderService/Recommend'));
}

function checkMetrics({ metrics }: Receiver): void {
  const durations = metrics.get('rpc.server.call.duration');
  assert.equal(durations?.unit, 's');
  assert.equal(durations.histogram?.aggregationTemporality, 'AGGREGATION_TEMPORALITY_CUMULATIVE');
  const counts = durations.histogram.dataPoints.flatMap(({ attributes, count }) => {
    const { 'rpc.method': method, 'rpc.status_code': code } = textsOf(attributes);
    return method === RATE ? [[code, Number(count)]] : [];
  });
  assert.deepEqual(Object.fromEntries(counts), { OK: CALLS, INVALID_ARGUMENT: 1 });

  const events = metrics.get('accrete_rate_events')?.sum;
  assert.equal(events?.isMonotonic, true);
  const learned = events.dataPoints.find(({ attributes }) => textsOf(attributes).model === 'mean');
  assert.equal(learned?.asDouble, CALLS);
  assert((metrics.get('accrete_memory_bytes')?.gauge?.dataPoints.length ?? 0) > 0);
}
