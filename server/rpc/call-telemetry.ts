import { type Metadata, status } from '@grpc/grpc-js';
import {
  type Attributes,
  type Context,
  type Counter,
  context,
  type Histogram,
  type Meter,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AccreteError, type ErrorReason } from '../errors.ts';
import type { Timings } from '../exchange/messages.ts';

/** Upper bounds of the histograms, in seconds. */
const BUCKETS = [
  2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** What the log has the cause of: the message, which a client is sent, says so. */
const UNEXPECTED: ReadonlySet<ErrorReason> = new Set(['INTERNAL', 'CHECKPOINT_FAILED']);

/** The span and the duration of every call, by OpenTelemetry's conventions for RPC. Without an SDK spans cost nothing. */
export class CallTelemetry {
  readonly tracer: Tracer = trace.getTracer('accrete');
  readonly duration: Histogram;
  /** By the model that answered. */
  readonly recommendDuration: Histogram;
  /** By strategy, by what became of it (promoted, refused by the guard, validated, cancelled, failed) and by who asked. */
  readonly fuses: Counter;
  /** What a failed call is told. */
  errorDetail: 'full' | 'reason' = 'full';
  readonly #calls = { begun: 0, open: 0 };
  readonly #sample: CallSample;
  readonly #onFailure: (error: AccreteError) => void;

  /** `onFailure` hears of every failure that was not expected, with its cause, inside of its call's span. */
  constructor(meter: Meter, onFailure: (error: AccreteError) => void, sample: CallSample = NO_CALLS) {
    this.#sample = sample;
    this.#onFailure = onFailure;
    this.duration = meter.createHistogram('rpc.server.call.duration', {
      description: 'How long calls took, from the request to the end of the answer.',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS },
    });
    this.fuses = meter.createCounter('accrete_fuse', {
      description:
        'Candidates for the place of a model that were to be made, by strategy, by what became of them and by who asked: a call or a period.',
    });
    this.recommendDuration = meter.createHistogram('accrete_recommend_duration_seconds', {
      description: 'How long choosing and scoring took, without the wire, by the model that answered.',
      advice: { explicitBucketBoundaries: BUCKETS },
    });
  }

  /** How many calls have begun so far, and how many run now. */
  get calls(): { readonly begun: number; readonly open: number } {
    return this.#calls;
  }

  /** `path` as on the wire: `/accrete.v1.RecommenderService/Rate`. */
  start(path: string, metadata: Metadata): ObservedCall {
    const method = path.slice(1);
    this.#calls.begun++;
    this.#calls.open++;
    const parent = propagation.extract(ROOT_CONTEXT, metadata, METADATA);
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
    const span = this.tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
    return new ObservedCall(this, span, span.isRecording() ? trace.setSpan(parent, span) : parent, attributes);
  }

  /** Of a call that nobody may make: it counts, and has no span, since anyone can send any number. */
  refused(path: string, code: status): void {
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': path.slice(1), 'rpc.status_code': status[code] };
    this.duration.record(0, attributes);
  }

  /** A call is over. */
  ended(seconds: number, attributes: Attributes, call: ObservedCall): void {
    this.#calls.open--;
    this.duration.record(seconds, attributes);
    const { share, onCall } = this.#sample;
    if (share > 0 && Math.random() < share) call.run(() => onCall({ ...attributes, seconds }));
  }

  /** What a client is told of whatever was thrown. Nobody is told once the call is cancelled. */
  describe(thrown: unknown, cancelled: boolean): AccreteError {
    const error = AccreteError.wrap(thrown);
    if (UNEXPECTED.has(error.reason) && !cancelled) this.#onFailure(error);
    return this.withhold(error);
  }

  /** Without what `errorDetail` keeps from clients. */
  withhold(error: AccreteError): AccreteError {
    if (this.errorDetail === 'full') return error;
    const { reason, retryAfterMs } = error;
    return new AccreteError(
      reason,
      `${reason}: this server tells no more of it`,
      retryAfterMs === undefined ? {} : { retryAfterMs },
    );
  }
}

/** Of which calls somebody hears when they are over, inside of their span. */
export interface CallSample {
  /** From 0 to 1, drawn for each call. */
  readonly share: number;
  readonly onCall: (call: Attributes) => void;
}

const NO_CALLS: CallSample = { share: 0, onCall: () => {} };

/** One call under observation. */
export class ObservedCall {
  readonly span: Span;
  readonly #telemetry: CallTelemetry;
  readonly #context: Context;
  readonly #attributes: Attributes;
  readonly #startMs = performance.now();
  #ended = false;

  constructor(telemetry: CallTelemetry, span: Span, spanContext: Context, attributes: Attributes) {
    this.span = span;
    this.#telemetry = telemetry;
    this.#context = spanContext;
    this.#attributes = attributes;
  }

  /** Whether someone will see the span, so that its parts are worth collecting. */
  get traced(): boolean {
    return this.span.isRecording();
  }

  /** What a client is told of a failure that was expected. */
  withhold(error: AccreteError): AccreteError {
    return this.#telemetry.withhold(error);
  }

  /** Runs `step` with the call's span as the active one. */
  run<T>(step: () => T): T {
    return this.traced ? context.with(this.#context, step) : step();
  }

  /** Spans of what happened to a rating call in other threads. */
  addTimings(timings: Timings, askedMs: number): void {
    this.#child('accrete.ring', askedMs, timings.taken);
    this.#child('accrete.append', timings.appendStart, timings.appendEnd);
    const { learnStart, learnEnd, models } = timings;
    const learned = { 'accrete.models': models.map(({ model }) => model) };
    const learn = this.#child('accrete.learn', learnStart, learnEnd, learned);
    const within = trace.setSpan(this.#context, learn);
    for (const { model, start, end, busyMs } of models)
      this.#child('accrete.learn.model', start, end, { 'accrete.model': model, 'accrete.busy_ms': busyMs }, within);
  }

  end(code: status): void {
    if (this.#ended) return;
    this.#ended = true;
    const attributes = { ...this.#attributes, 'rpc.status_code': status[code] };
    this.#telemetry.ended((performance.now() - this.#startMs) / 1000, attributes, this);
    if (!this.traced) return;
    this.span.setAttribute('rpc.status_code', status[code]);
    if (code !== status.OK) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }

  #child(
    name: string,
    startMs: number,
    endMs: number,
    attributes: Attributes = {},
    parent: Context = this.#context,
  ): Span {
    const span = this.#telemetry.tracer.startSpan(name, { startTime: startMs, attributes }, parent);
    span.end(Math.max(startMs, endMs));
    return span;
  }
}

const METADATA: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get: (metadata, key) => metadata.get(key)[0]?.toString(),
};
