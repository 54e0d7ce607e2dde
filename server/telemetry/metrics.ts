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
import type { DeviceMeter } from '../tensor/device-meter.ts';

/** What is measured, for Prometheus and others. Most of it is read from the shared memory when someone looks. */

export interface MetricSources {
  readonly arena: Arena;
  readonly counters: Counters;
  readonly revisions: Revisions;
  /** The data folder. */
  readonly data: string;
  /** Undefined until it is opened. */
  readonly device: () => DeviceSource | undefined;
  /** Empty until the journal is replayed. */
  readonly models: () => readonly Model[];
}

/** Who reads the metrics besides Prometheus, and what they are to know of this process. */
export interface MetricExport {
  readonly resource?: Resource;
  /** Those that read one namespace, asked for once of each. */
  readersOf(namespace: string): readonly IMetricReader[];
}

/** The device that computes whole matrices; nothing is chosen where that is `cpu`. */
export interface DeviceSource {
  readonly chosen: { readonly name: string; readonly adapter?: string } | undefined;
  readonly budgetBytes: number;
  readonly traits: { readonly crossover: number };
  readonly meter: DeviceMeter;
}

export class Metrics {
  readonly meter: Meter;
  readonly #exporter: Prometheus;

  /** Those of a namespace with a name carry it as a label. */
  constructor(sources: MetricSources, { resource, readersOf }: MetricExport, namespace: string) {
    this.#exporter = new Prometheus({ preventServerStart: true, withoutScopeInfo: true, withoutTargetInfo: true });
    const label = { process: (attributes: Attributes) => ({ ...attributes, namespace }) };
    const views = namespace === '' ? [] : [{ instrumentName: '*', attributesProcessors: [label] }];
    const readers = [this.#exporter, ...readersOf(namespace)];
    this.meter = new MeterProvider({ resource, readers, views }).getMeter('accrete');
    observeLearning(this.meter, sources);
    observeModels(this.meter, sources);
    observeDrift(this.meter, sources);
    observeDisk(this.meter, sources);
    observeDevice(this.meter, sources);
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

function observeDevice(meter: Meter, { device }: MetricSources): void {
  meter
    .createObservableGauge('accrete_device_usable', {
      description: 'The device that computes whole matrices: 1, and 0 from when it fails to the next start.',
    })
    .addCallback((result) => {
      const source = device();
      if (!source) return;
      const { name: chosen, adapter = '' } = source.chosen ?? { name: 'cpu' };
      result.observe(source.meter.hasFailed ? 0 : 1, { device: chosen, adapter });
    });
  meter
    .createObservableGauge('accrete_device_crossover_multiplications', {
      description: 'From so large a product on the device was faster than cpu at the start; absent where it never was.',
    })
    .addCallback((result) => {
      const crossover = device()?.traits.crossover;
      if (crossover !== undefined && Number.isFinite(crossover)) result.observe(crossover);
    });
  meter
    .createObservableGauge('accrete_device_bytes', {
      description: 'The budget of the device, and how much of it is taken.',
    })
    .addCallback((result) => {
      const source = device();
      if (!source) return;
      result.observe(source.budgetBytes, { state: 'budget' });
      result.observe(source.meter.get('bytes'), { state: 'used' });
    });
  const counts = {
    accrete_device_uploads: ['Matrices that were copied to the device.', 'uploads', 1],
    accrete_device_upload_bytes: ['Bytes that were copied to the device.', 'uploadedBytes', 1],
    accrete_device_busy_seconds: ['Time that the device has worked.', 'microseconds', 1e-6],
    accrete_device_fallbacks: ['Work that the device failed at, and that was done again on cpu.', 'fallbacks', 1],
  } as const;
  for (const [name, [description, figure, unit]] of Object.entries(counts)) {
    meter.createObservableCounter(name, { description }).addCallback((result) => {
      const source = device();
      if (source) result.observe(source.meter.get(figure) * unit);
    });
  }
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

function observeDrift(meter: Meter, { models }: MetricSources): void {
  meter
    .createObservableCounter('accrete_model_drifts', { description: 'How often a model found drift in its errors.' })
    .addCallback((result) => {
      for (const { name, scorer } of models())
        if (scorer.drifts) result.observe(scorer.drifts()[0]?.number ?? 0, { model: name });
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
