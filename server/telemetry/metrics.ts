import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Attributes, Meter, ObservableResult } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import { type CollectionResult, type IMetricReader, MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Arena } from '../memory/arena.ts';
import type { Counters } from '../memory/counters.ts';
import type { Revisions } from '../memory/revisions.ts';
import type { Model } from '../models/model.ts';
import { diskBytes } from '../store/durable-files.ts';

/** What is measured, for Prometheus and others. Most of it is read from the shared memory when someone looks. */

export interface MetricSources {
  readonly arena: Arena;
  readonly counters: Counters;
  readonly revisions: Revisions;
  /** The data folder. */
  readonly data: string;
  /** Empty until the journal is replayed. */
  readonly models: () => readonly Model[];
}

/** Who reads the metrics besides Prometheus, and what they are to know of this process. */
export interface MetricExport {
  readonly resource?: Resource;
  readonly readers: readonly IMetricReader[];
}

export class Metrics {
  readonly meter: Meter;
  readonly #exporter = new Prometheus({ preventServerStart: true, withoutScopeInfo: true, withoutTargetInfo: true });

  constructor(sources: MetricSources, { resource, readers }: MetricExport) {
    this.meter = new MeterProvider({ resource, readers: [this.#exporter, ...readers] }).getMeter('accrete');
    observeLearning(this.meter, sources);
    observeModels(this.meter, sources);
    observeDisk(this.meter, sources);
  }

  /** Answers a scrape. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    this.#exporter.getMetricsRequestHandler(request, response);
  }
}

/** Prometheus wants the unit in the name, which OpenTelemetry's convention leaves out. */
class Prometheus extends PrometheusExporter {
  override async collect(): Promise<CollectionResult> {
    const result = await super.collect();
    for (const { metrics } of result.resourceMetrics.scopeMetrics) {
      for (const [n, metric] of metrics.entries()) {
        const { name, unit } = metric.descriptor;
        if (unit === 's') metrics[n] = { ...metric, descriptor: { ...metric.descriptor, name: `${name}.seconds` } };
      }
    }
    return result;
  }
}

function observeLearning(meter: Meter, { arena, counters, revisions, models }: MetricSources): void {
  meter
    .createObservableCounter('accrete_rate_events', {
      description: 'Ratings by model and by what became of them; model "" is the server.',
    })
    .addCallback((result) => {
      result.observe(counters.get('ratingsAccepted'), { model: '', result: 'accepted' });
      result.observe(counters.get('ratingsRefused'), { model: '', result: 'refused' });
      for (const model of models()) result.observe(model.prequential.events, { model: model.name, result: 'learned' });
    });
  meter
    .createObservableCounter('accrete_rate_requests', { description: 'Rating requests by what became of them.' })
    .addCallback((result) => {
      result.observe(counters.get('requestsAccepted'), { result: 'accepted' });
      result.observe(counters.get('requestsRefused'), { result: 'refused' });
      result.observe(counters.get('requestsDuplicate'), { result: 'duplicate' });
    });
  meter
    .createObservableGauge('accrete_update_lag_seconds', {
      description: 'From receipt to learned, of the last rating request.',
    })
    .addCallback((result) => result.observe(counters.get('lagSeconds')));
  meter
    .createObservableGauge('accrete_model_revision', { description: 'The last revision that a model has learned.' })
    .addCallback((result) => {
      for (const model of models())
        result.observe(model.prequential.quarantinedAt || revisions.learned, { model: model.name });
    });
  meter
    .createObservableGauge('accrete_memory_bytes', { description: 'The memory budget, and how much of it is taken.' })
    .addCallback((result) => {
      result.observe(arena.budgetBytes, { state: 'budget' });
      result.observe(arena.usedBytes, { state: 'used' });
    });
}

function observeDisk(meter: Meter, { data }: MetricSources): void {
  meter
    .createObservableGauge('accrete_disk_bytes', {
      description: 'The disk of the data folder, and how much of it is free; absent where the system does not say.',
    })
    .addCallback(async (result) => {
      const disk = await diskBytes(data);
      if (!disk) return;
      result.observe(disk.total, { state: 'total' });
      result.observe(disk.free, { state: 'free' });
    });
}

/** The prequential figures, in total and over the sliding window, and the sizes of the tables. */
function observeModels(meter: Meter, { models }: MetricSources): void {
  const gauges = { rmse: 'rmse', mae: 'mae', 'hit_rate@10': 'hit_rate', 'ndcg@10': 'ndcg' } as const;
  for (const [metric, name] of Object.entries(gauges)) {
    const observe = (result: ObservableResult<Attributes>) => {
      for (const model of models()) {
        for (const figure of model.prequential.figures()) {
          if (figure.metric === metric) result.observe(figure.value, { model: model.name, window: figure.window });
        }
      }
    };
    meter
      .createObservableGauge(`accrete_prequential_${name}`, {
        description: `Live ${metric}: every rating is predicted before it is learned.`,
      })
      .addCallback(observe);
  }
  meter
    .createObservableGauge('accrete_table_bytes', { description: 'Memory of each table of each model.' })
    .addCallback((result) => {
      for (const model of models())
        for (const { name, bytes } of model.sizes) result.observe(bytes, { model: model.name, table: name });
    });
}
