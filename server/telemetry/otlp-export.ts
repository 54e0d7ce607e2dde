import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPLogExporter as GrpcLogExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as HttpLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as HttpMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { type IMetricReader, MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import accrete from '../../package.json' with { type: 'json' };
import type { Logger } from './log.ts';
import type { MetricExport } from './metrics.ts';
import { OtlpLogs } from './otlp-logs.ts';
import type { Env, OtlpPlan, Protocol } from './otlp-plan.ts';

/** How long the last spans and numbers may take at a stop; a collector that is away is not waited for. */
const FLUSH_MS = { min: 500, max: 3000 };
/** OpenTelemetry's defaults. */
const INTERVAL_MS = 60_000;
const TIMEOUT_MS = 30_000;

/**
 * Sends traces, metrics and the log to a collector. The exporters read OpenTelemetry's environment variables by themselves:
 * endpoint, headers, certificates, compression, sampler, batches.
 */
export class OtlpExport implements MetricExport {
  readonly resource: Resource;
  /** Undefined where metrics are not sent. */
  readonly #reader: PeriodicExportingMetricReader | undefined;
  /** Of the namespaces besides "": what they have is sent with it. */
  readonly #others: OtherNamespace[] = [];
  readonly #tracing: BasicTracerProvider | undefined;
  readonly #logs: OtlpLogs | undefined;
  #stopping: Promise<void> | undefined;

  constructor(plan: OtlpPlan, env: Env, log: Logger) {
    this.resource = describeProcess();
    this.#reader = plan.metrics && createReader(plan.metrics, this.#others, env, log);
    this.#tracing = plan.traces && registerTracing(plan.traces, this.resource, log);
    this.#logs = plan.logs && createLogs(plan.logs, this.resource, log);
  }

  readonly readersOf = (namespace: string): readonly IMetricReader[] => {
    if (!this.#reader || namespace === '') return this.#reader ? [this.#reader] : [];
    const other = new OtherNamespace(this.#reader);
    this.#others.push(other);
    return [other];
  };

  /** Takes a line of the log. */
  logLine(line: string): void {
    this.#logs?.emit(line);
  }

  /** Sends what waits to be sent, for at most `withinMs` or a few seconds, and then no more. Never rejects. */
  stop(withinMs: number): Promise<void> {
    const limitMs = Math.min(Math.max(withinMs, FLUSH_MS.min), FLUSH_MS.max);
    const parts = [this.#reader, this.#tracing, this.#logs].filter((part) => part !== undefined);
    this.#stopping ??= Promise.race([
      Promise.allSettled(parts.map((part) => part.shutdown())).then(() => {}),
      sleep(limitMs, undefined, { ref: false }),
    ]);
    return this.#stopping;
  }
}

/** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win. */
function describeProcess(): Resource {
  const own = { 'service.name': accrete.name, 'service.version': accrete.version, 'service.instance.id': randomUUID() };
  return defaultResource()
    .merge(resourceFromAttributes(own))
    .merge(detectResources({ detectors: [envDetector] }));
}

/** Reads when it is asked to, as numbers are sent by `sender`. */
class OtherNamespace extends MetricReader {
  constructor(sender: PeriodicExportingMetricReader) {
    super({
      aggregationSelector: (type) => sender.selectAggregation(type),
      aggregationTemporalitySelector: (type) => sender.selectAggregationTemporality(type),
    });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

/** `others` may grow later. */
function createReader(
  protocol: Protocol,
  others: OtherNamespace[],
  env: Env,
  log: Logger,
): PeriodicExportingMetricReader {
  const exportIntervalMillis = Number(env.OTEL_METRIC_EXPORT_INTERVAL) || INTERVAL_MS;
  const timeoutMs = Number(env.OTEL_METRIC_EXPORT_TIMEOUT) || TIMEOUT_MS;
  return new PeriodicExportingMetricReader({
    exporter: watch(protocol === 'grpc' ? new GrpcMetricExporter() : new HttpMetricExporter(), 'metrics', log),
    metricProducers: others,
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(timeoutMs, exportIntervalMillis),
  });
}

function createLogs(protocol: Protocol, resource: Resource, log: Logger): OtlpLogs {
  const exporter = protocol === 'grpc' ? new GrpcLogExporter() : new HttpLogExporter();
  return new OtlpLogs(resource, watch(exporter, 'logs', log));
}

/** Undefined where the process has an SDK already, which a preloaded module may have registered: it keeps that one. */
function registerTracing(protocol: Protocol, resource: Resource, log: Logger): BasicTracerProvider | undefined {
  const exporter = watch(protocol === 'grpc' ? new GrpcTraceExporter() : new HttpTraceExporter(), 'traces', log);
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  if (!trace.setGlobalTracerProvider(provider)) {
    log.info('this process has an OpenTelemetry SDK of its own, which traces go to');
    return undefined;
  }
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return provider;
}

interface Exporter<Items> {
  export(items: Items, done: (result: ExportResult) => void): void;
}

/** Says when sending begins to fail and when it works again, not how often: a collector may be away for days. */
function watch<Items, Watched extends Exporter<Items>>(
  exporter: Watched & Exporter<Items>,
  what: string,
  log: Logger,
): Watched {
  const send = exporter.export.bind(exporter);
  let failing = false;
  exporter.export = (items, done) =>
    send(items, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      // Whichever call began the batch: what becomes of it is not a matter of that call.
      context.with(ROOT_CONTEXT, () => {
        if (failed && !failing) log.warn({ why: result.error?.message }, `${what} cannot be sent by OTLP; trying on`);
        if (!failed && failing) log.info(`${what} are sent by OTLP again`);
      });
      failing = failed;
      done(result);
    });
  return exporter;
}
