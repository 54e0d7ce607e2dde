import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { hrTimeToMilliseconds, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { RateStreamRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { createExperiment, stopExperiment, twoArms } from '../support/experiments.ts';
import { rating } from '../support/ratings.ts';
import { TestServer } from '../support/server.ts';
import { failureOf } from '../support/status.ts';

/** One trace from the client's call through the ring to the disk and the models, for whoever has an OpenTelemetry SDK. */

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const RATE = 'accrete.v1.RecommenderService/Rate';
/** Spans begin at whole milliseconds. */
const CLOCK_MS = 2;

const { client } = await TestServer.start({ after });
const exporter = new InMemorySpanExporter();

/** Metadata that continues the client's trace; `flags` 01: it is sampled. */
function traceparent(flags = '01'): { metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${TRACE_ID}-${PARENT_ID}-${flags}`);
  return { metadata };
}

test('without an SDK calls work as ever, and nothing is recorded', async () => {
  assert.equal((await client.rate([rating('ann', 'matrix', 4)], {}, traceparent())).acceptedCount, 1);
  assert.deepEqual(exporter.getFinishedSpans(), []);
});

test('with an SDK', async (t) => {
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  t.after(() => provider.shutdown());
  beforeEach(() => exporter.reset());

  await t.test('a Rate is one trace: server, ring, append, learn', async () => {
    await client.rate([rating('ann', 'alien', 4), rating('bob', 'alien', 3)], {}, traceparent());
    const [server, ...others] = inOrder(exporter.getFinishedSpans());
    const [children, models] = byParent(others, server);
    assert.equal(server.name, RATE);
    assert.equal(server.kind, SpanKind.SERVER);
    assert.equal(server.parentSpanContext?.spanId, PARENT_ID);
    assert.deepEqual(server.attributes, { 'rpc.system.name': 'grpc', 'rpc.method': RATE, 'rpc.status_code': 'OK' });
    assert.deepEqual(
      children.map(({ name }) => name),
      ['accrete.ring', 'accrete.append', 'accrete.learn'],
    );
    const [, , learned] = children;
    assert.deepEqual(learned.attributes['accrete.models'], ['mean', 'popularity']);
    assert.equal(models.length, 2);
    for (const model of models) {
      assert.equal(model.name, 'accrete.learn.model');
      assert.equal(model.parentSpanContext?.spanId, learned.spanContext().spanId);
      assert(Number(model.attributes['accrete.busy_ms']) >= 0);
    }
    assert.deepEqual(models.map(({ attributes }) => attributes['accrete.model']).sort(), ['mean', 'popularity']);
    for (const span of [server, ...children]) assert.equal(span.spanContext().traceId, TRACE_ID);
    for (const child of children) {
      assert.equal(child.parentSpanContext?.spanId, server.spanContext().spanId);
      assert(startOf(child) >= startOf(server) - CLOCK_MS && endOf(child) <= endOf(server) + CLOCK_MS, child.name);
    }
    for (const [n, child] of children.entries()) {
      assert(startOf(child) <= endOf(child), `${child.name} ends before it begins`);
      if (n > 0) assert(startOf(child) >= endOf(children[n - 1]) - CLOCK_MS, `${child.name} begins too early`);
    }
    const [, append, learn] = children;
    assert(endOf(append) > startOf(append), 'a durable append takes time');
    assert.deepEqual(learn.attributes, { 'accrete.models': ['mean', 'popularity'] });
  });

  await t.test('every request of a RateStream has its parts', async () => {
    const stream = client.rateStream(traceparent());
    for (let n = 0; n < 3; n++)
      stream.send(RateStreamRequest.fromPartial({ ratings: [rating('ann', `item-${n}`, 4)] }));
    await stream.finish();
    const [server, ...others] = inOrder(exporter.getFinishedSpans());
    const [children] = byParent(others, server);
    assert.equal(server.name, 'accrete.v1.RecommenderService/RateStream');
    for (const part of ['accrete.ring', 'accrete.append', 'accrete.learn']) {
      assert.equal(children.filter(({ name }) => name === part).length, 3, part);
    }
    for (const child of children) assert.equal(child.parentSpanContext?.spanId, server.spanContext().spanId);
  });

  await t.test('a Recommend is in the trace of its client', async () => {
    await client.recommend('ann', {}, traceparent());
    const [server] = exporter.getFinishedSpans();
    assert.equal(server.spanContext().traceId, TRACE_ID);
    assert.equal(server.parentSpanContext?.spanId, PARENT_ID);
    assert.equal(server.attributes['rpc.method'], 'accrete.v1.RecommenderService/Recommend');
    assert.equal(server.attributes['rpc.status_code'], 'OK');
  });

  await t.test('an arm that answers is an event of the span', async () => {
    await createExperiment(client, { name: 'traced', arms: twoArms('popularity', 'mean') });
    exporter.reset();
    const { arm } = await client.recommend('ann', {}, traceparent());
    await stopExperiment(client, 'traced');
    const span = exporter.getFinishedSpans().find(({ name }) => name.endsWith('/Recommend'));
    assert.deepEqual(
      span?.events.map(({ name, attributes }) => [name, attributes]),
      [
        [
          'feature_flag.evaluation',
          {
            'feature_flag.key': 'traced',
            'feature_flag.result.variant': arm.split('/')[1],
            'feature_flag.provider.name': 'accrete',
            'feature_flag.result.reason': 'split',
          },
        ],
      ],
    );
  });

  await t.test('a refused call is marked, and nothing was appended or learned', async () => {
    await failureOf(client.rate([rating('ann', 'alien', 9)], {}, traceparent()));
    const [server, ...children] = exporter.getFinishedSpans();
    assert.equal(server.attributes['rpc.status_code'], 'INVALID_ARGUMENT');
    assert.equal(server.status.code, SpanStatusCode.ERROR);
    assert.deepEqual(children, []);
  });

  await t.test('a call without a trace begins one', async () => {
    await client.rate([rating('ann', 'alien', 4)]);
    const spans = exporter.getFinishedSpans();
    assert.equal(new Set(spans.map((span) => span.spanContext().traceId)).size, 1);
    assert.notEqual(spans[0].spanContext().traceId, TRACE_ID);
    assert.equal(spans.length, 6, 'the call, its three steps, and two models that learn');
  });

  await t.test('what the client does not sample is not recorded', async () => {
    await client.rate([rating('ann', 'alien', 4)], {}, traceparent('00'));
    assert.deepEqual(exporter.getFinishedSpans(), []);
  });

  await t.test('no span names a user or an item', async () => {
    await client.rate([rating('secret-user', 'secret-item', 4)]);
    await client.recommend('secret-user', { excludeItemIds: ['secret-item'] });
    const said = exporter.getFinishedSpans().map(({ name, attributes, events }) => ({ name, attributes, events }));
    assert(said.length >= 5 && !JSON.stringify(said).includes('secret'));
  });
});

/** Those below the server's own span, and those below them. */
function byParent(spans: readonly ReadableSpan[], server: ReadableSpan): [ReadableSpan[], ReadableSpan[]] {
  const isChild = ({ parentSpanContext }: ReadableSpan) => parentSpanContext?.spanId === server.spanContext().spanId;
  return [spans.filter(isChild), spans.filter((span) => !isChild(span))];
}

/** The server's span, then its parts as they began. */
function inOrder(spans: readonly ReadableSpan[]): ReadableSpan[] {
  const isServer = ({ kind }: ReadableSpan) => Number(kind === SpanKind.SERVER);
  return [...spans].sort((a, b) => isServer(b) - isServer(a) || startOf(a) - startOf(b));
}

const startOf = ({ startTime }: ReadableSpan) => hrTimeToMilliseconds(startTime);
const endOf = ({ endTime }: ReadableSpan) => hrTimeToMilliseconds(endTime);
