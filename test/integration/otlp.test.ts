import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import packageJson from '../../package.json' with { type: 'json' };
import { createLog } from '../../server/telemetry/log.ts';
import { startOtlp } from '../../server/telemetry/otlp.ts';
import { ClientsFile } from '../support/clients-file.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { type Exit, ServerProcess } from '../support/server-process.ts';
import { makeFolder, type Scope } from '../support/temporary-folder.ts';

/** Traces and metrics on their way to a collector, and what happens when there is none. */

const RATE = 'accrete.v1.RecommenderService/Rate';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const ENDED: Exit = { code: 0, signal: null };
/** Longer than a server takes to end by itself, shorter than the SDK tries to reach a collector. */
const PATIENCE_MS = 8000;

const start = (scope: Scope, env: Record<string, string>) => ServerProcess.start(scope, {}, { env });

/** Does `meanwhile` until `reached`, for a while. */
async function until(reached: () => boolean, what: string, meanwhile: (ms: number) => Promise<unknown>): Promise<void> {
  const beganMs = performance.now();
  while (!reached()) {
    assert(performance.now() - beganMs < PATIENCE_MS, `${what} never came`);
    await meanwhile(20);
  }
}

function traceparent(): { metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${TRACE_ID}-${PARENT_ID}-01`);
  return { metadata };
}

/** The lines of its log that are about sending. */
const linesOf = (server: ServerProcess) => server.stderr.split('\n').filter((line) => line.includes('by OTLP'));

test('a collector gets the trace of a Rate and the metrics, at the latest when the server stops', async (t) => {
  const collector = await OtlpReceiver.start(t);
  const server = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    ACCRETE_LOG_CALLS: '1',
  });
  await server.client.rate([rating('ann', 'matrix', 4)], {}, traceparent());
  assert.deepEqual(await server.stop(), ENDED);

  const spans = collector.spans.filter(({ traceId }) => traceId === TRACE_ID);
  const call = spans.find(({ name }) => name === RATE);
  assert.equal(call?.parentId, PARENT_ID);
  const children = spans.filter(({ parentId }) => parentId === call?.spanId).map(({ name }) => name);
  assert.deepEqual(children, ['accrete.ring', 'accrete.append', 'accrete.learn']);
  for (const resource of [call?.resource, collector.metricResource]) {
    assert.equal(resource?.['service.name'], 'accrete');
    assert.equal(resource['service.version'], packageJson.version);
    assert.equal(resource['deployment.environment.name'], 'test');
    assert.equal(resource['service.instance.id'], collector.metricResource['service.instance.id']);
  }
  for (const name of ['rpc.server.call.duration', 'accrete_rate_events', 'accrete_table_bytes']) {
    assert(collector.metrics.has(name), `${name} is not among ${[...collector.metrics].join(', ')}`);
  }
  assert.equal(linesOf(server).length, 1, server.stderr);

  const [line, ...others] = collector.logs.filter(({ text }) => text === 'call');
  assert.deepEqual([line, others], [{ text: 'call', severity: 'INFO', traceId: TRACE_ID }, []]);
  const written = server.log.find(({ msg }) => msg === 'call') as unknown as Record<string, unknown>;
  assert.equal(written.trace_id, TRACE_ID);
  assert.equal(written.span_id, call?.spanId);
  assert.equal(written['rpc.method'], RATE);
  assert(collector.logs.some(({ text, traceId }) => text === 'ready' && traceId === ''));
});

test('metrics of all namespaces are sent, each with its name', async (t) => {
  const collector = await OtlpReceiver.start(t);
  const env = {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
    OTEL_METRIC_EXPORT_INTERVAL: '50',
  };
  const namespaces = { shop: { budgetMiB: 64 }, blog: { budgetMiB: 64 } };
  const { path: clients } = new ClientsFile(t, [{ name: 'keeper', role: 'admin', token: 'token-of-keeper' }]);
  const server = await ServerProcess.start(t, { namespaces, auth: { clients } }, { env });
  await until(() => collector.namespaces.size >= 3, 'the metrics', sleep);
  assert.deepEqual([...collector.namespaces].sort(), ['', 'blog', 'shop']);
  assert.deepEqual(await server.stop(), ENDED);
});

test('metrics come at their interval, and traces can be left out', async (t) => {
  const collector = await OtlpReceiver.start(t);
  const server = await start(t, {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
    OTEL_METRIC_EXPORT_INTERVAL: '50',
  });
  await server.client.rate([rating('ann', 'matrix', 4)], {}, traceparent());
  await until(() => collector.metrics.has('rpc.server.call.duration'), 'the metrics', sleep);
  assert.deepEqual(await server.stop(), ENDED);
  assert.deepEqual(collector.spans, []);
});

test('a share of the traces is taken; a client that takes its own gets it', async (t) => {
  const collector = await OtlpReceiver.start(t);
  const server = await start(t, {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  });
  for (let n = 0; n < 10; n++) await server.client.rate([rating('ann', `item-${n}`, 4)]);
  await server.client.rate([rating('ann', 'matrix', 4)], {}, traceparent());
  assert.deepEqual(await server.stop(), ENDED);
  assert.deepEqual(new Set(collector.spans.map(({ traceId }) => traceId)), new Set([TRACE_ID]));
  assert.deepEqual([...collector.metrics], []);
});

test('a collector that is away costs no call and one line; when it comes, that is told', async (t) => {
  const away = await OtlpReceiver.start(t);
  const { port, url } = away;
  await away.close();
  const server = await start(t, {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${url}/v1/metrics`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    OTEL_METRIC_EXPORT_INTERVAL: '100',
  });
  const call = () => server.client.rate([rating('ann', 'matrix', 4)]);
  const told = (count: number) => until(() => linesOf(server).length >= count, `line ${count}`, call);
  await told(2);
  const beganMs = performance.now();
  while (performance.now() - beganMs < 500) await call();
  assert.equal(linesOf(server).length, 2, server.stderr);
  assert.match(linesOf(server)[1], /"why":".*","msg":"metrics cannot be sent by OTLP; trying on"/);
  await OtlpReceiver.start(t, port);
  await told(3);
  assert.match(linesOf(server)[2], /metrics are sent by OTLP again/);
  assert.deepEqual(await server.stop(), ENDED);
});

test('a collector that never answers delays no call and the end only by its limit', async (t) => {
  const sockets = new Set<{ destroy(): void }>();
  const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const address = silent.address() as { port: number };
  const server = await start(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${address.port}`,
    ACCRETE_DRAIN_TIMEOUT_MS: '1000',
  });
  await server.client.rate([rating('ann', 'matrix', 4)], {}, traceparent());
  const beganMs = performance.now();
  assert.deepEqual(await server.stop(), ENDED);
  assert(performance.now() - beganMs < PATIENCE_MS, `it took ${performance.now() - beganMs} ms`);
  assert(sockets.size > 0, 'it was asked');
});

test('mistakes in the variables are told at the start, all at once', async (t) => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRIC_EXPORT_INTERVAL: 'often',
    OTEL_TRACES_EXPORTER: 'jaeger',
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_TRACES_SAMPLER_ARG: '2',
  };
  const server = ServerProcess.begin(t, {}, { env });
  assert.deepEqual(await server.exited, { code: 1, signal: null });
  const fields = [...server.stderr.matchAll(/^ {2}(\w+): it takes /gm)].map(([, field]) => field);
  assert.deepEqual(fields.sort(), Object.keys(env));
});

test('without an endpoint nothing of it is loaded', async (t) => {
  const folder = makeFolder(t);
  const server = await start(t, { NODE_V8_COVERAGE: folder, OTEL_TRACES_EXPORTER: 'otlp' });
  assert.deepEqual(await server.stop(), ENDED);
  const loaded = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
  assert(loaded.includes('server/telemetry/otlp.ts'), 'what is loaded is known');
  for (const part of [
    'otlp-export.ts',
    'otlp-logs.ts',
    'sdk-logs',
    'sdk-trace',
    'exporter-trace-otlp',
    'exporter-metrics-otlp',
  ]) {
    assert(!loaded.includes(part), part);
  }
});

test('a program that has an SDK keeps it', async (t) => {
  const collector = await OtlpReceiver.start(t);
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
  t.after(() => delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT);
  const { client } = await TestServer.start(t);
  const exporter = new InMemorySpanExporter();
  const own = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  t.after(() => own.shutdown());
  assert(trace.setGlobalTracerProvider(own), 'createServer registers nothing');
  const otlp = await startOtlp(process.env, createLog('silent'));
  await client.rate([rating('ann', 'matrix', 4)]);
  await otlp?.stop(1000);
  assert(exporter.getFinishedSpans().some(({ name }) => name === RATE));
  assert.deepEqual(collector.spans, []);
});
