import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../deploy/tools.ts';
import { PythonPackages } from '../support/python.ts';
import { ROOT, ServerProcess } from '../support/server-process.ts';
import { Collector, getCollector, type SpanLine } from './collector.ts';

/** One trace from a client in Python to the append and to each model, as OpenTelemetry's Collector has it. */

const RATE = 'accrete.v1.RecommenderService/Rate';
const PATIENCE = { timeout: 600_000 };

const collector = getCollector();
const python = new PythonPackages(
  [
    'opentelemetry-sdk==1.45.2',
    'opentelemetry-exporter-otlp-proto-http==1.45.2',
    'opentelemetry-instrumentation-grpc==0.66b2',
    'grpcio-tools==1.85.1',
    'setuptools==80.9.0',
  ],
  'opentelemetry.instrumentation.grpc',
);

test('the configuration of deploy/ is one that the collector takes', { skip: collector.skip }, () => {
  run(collector.path, ['validate', '--config', join(ROOT, 'deploy/observability/collector.yaml')]);
});

const skip = collector.skip || python.findMissing();

test('a call from Python is one trace, to the append and to each model; its log line names it', {
  skip,
  ...PATIENCE,
}, async (t) => {
  const receiver = await Collector.start(t, collector.path);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'films', ACCRETE_LOG_CALLS: '1' };
  const server = await ServerProcess.start(t, {}, { env });
  const program = join(ROOT, 'test/otlp/traced_client.py');
  const args = [program, join(ROOT, 'proto'), server.address, receiver.url];
  const { traceId } = (await python.runBeside(args)) as { traceId: string };
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.doesNotMatch(server.stderr, /cannot be sent/);
  await receiver.stop();

  const spans = receiver.spans.filter((span) => span.traceId === traceId);
  const below = (parent: SpanLine | undefined) => spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId);
  const checkout = spans.find(({ name }) => name === 'checkout');
  assert.equal(checkout?.service, 'shop');
  const [call, ...otherCalls] = below(checkout);
  assert.deepEqual([call.service, otherCalls], ['shop', []], 'what gRPC in Python makes of the call');
  const [served, ...others] = below(call);
  assert.deepEqual([served.service, served.name, others], ['films', RATE, []]);
  const steps = below(served);
  assert.deepEqual(steps.map(({ name }) => name).sort(), ['accrete.append', 'accrete.learn', 'accrete.ring']);
  const models = below(steps.find(({ name }) => name === 'accrete.learn'));
  const named = models.map(
    ({ attributes }) => attributes?.find(({ key }) => key === 'accrete.model')?.value.stringValue,
  );
  assert.deepEqual(named.sort(), ['mean', 'popularity']);
  assert.equal(spans.length, 8, 'and no more');

  const lines = receiver.logs.filter((line) => line.traceId === traceId);
  assert.deepEqual(
    lines.map(({ severityText, body }) => [severityText, body.stringValue]),
    [['INFO', 'call']],
  );
  for (const name of ['rpc.server.call.duration', 'accrete_rate_events']) assert(receiver.metrics.has(name), name);
});
