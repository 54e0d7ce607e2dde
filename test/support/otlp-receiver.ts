import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Scope } from './temporary-folder.ts';

/** A span as it came over the wire: as much of opentelemetry/proto/trace/v1/trace.proto as tests ask for. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** "" of one that has no parent. */
  readonly parentId: string;
  readonly name: string;
  readonly resource: Readonly<Record<string, string>>;
}

/** A line of a log, as much of opentelemetry/proto/logs/v1/logs.proto as tests ask for. */
export interface ReceivedLog {
  readonly text: string;
  readonly severity: string;
  /** "" of one that belongs to no call. */
  readonly traceId: string;
}

/** A collector that takes OTLP over HTTP with protobuf, in this process. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Names of the metrics that were sent. */
  readonly metrics = new Set<string>();
  /** Namespaces of which `accrete_memory_bytes` was sent; "" where it named none. */
  readonly namespaces = new Set<string>();
  readonly logs: ReceivedLog[] = [];
  /** Attributes of what sent the metrics last. */
  metricResource: Readonly<Record<string, string>> = {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await buffer(request);
      if (request.url === '/v1/traces') this.#takeTraces(body);
      else if (request.url === '/v1/metrics') this.#takeMetrics(body);
      else if (request.url === '/v1/logs') this.#takeLogs(body);
      else response.statusCode = 404;
      response.setHeader('content-type', 'application/x-protobuf').end();
    });
  }

  /** Listens on `port`, or any free one. */
  static async start(scope: Scope, port = 0): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(port, '127.0.0.1', resolve));
    scope.after(() => receiver.close());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #takeTraces(body: Uint8Array): void {
    for (const group of fieldsOf(body).messages(1)) {
      const resource = attributesOf(group);
      for (const scope of group.messages(2)) {
        for (const span of scope.messages(2)) {
          const [traceId, spanId, parentId] = [1, 2, 4].map((field) => Buffer.from(span.bytes(field)).toString('hex'));
          this.spans.push({ traceId, spanId, parentId, name: span.text(5), resource });
        }
      }
    }
  }

  #takeLogs(body: Uint8Array): void {
    for (const group of fieldsOf(body).messages(1)) {
      for (const scope of group.messages(2)) {
        for (const log of scope.messages(2)) {
          const traceId = Buffer.from(log.bytes(9)).toString('hex');
          this.logs.push({ text: log.messages(5)[0]?.text(1) ?? '', severity: log.text(3), traceId });
        }
      }
    }
  }

  #takeMetric(metric: Fields): void {
    this.metrics.add(metric.text(1));
    if (metric.text(1) !== 'accrete_memory_bytes') return;
    // Of a gauge (5) the points (1), of a point the attributes (7).
    for (const point of metric.messages(5).flatMap((gauge) => gauge.messages(1)))
      this.namespaces.add(pairsOf(point.messages(7)).namespace ?? '');
  }

  #takeMetrics(body: Uint8Array): void {
    for (const group of fieldsOf(body).messages(1)) {
      this.metricResource = attributesOf(group);
      for (const scope of group.messages(2)) for (const metric of scope.messages(2)) this.#takeMetric(metric);
    }
  }
}

/** Field 1 of ResourceSpans and of ResourceMetrics is the resource, whose field 1 are pairs of a key and a value. */
function attributesOf(group: Fields): Record<string, string> {
  return pairsOf(group.messages(1).flatMap((resource) => resource.messages(1)));
}

function pairsOf(pairs: readonly Fields[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [pair.text(1), pair.messages(2)[0].text(1)]));
}

/** The length-delimited fields of a message. */
class Fields {
  readonly #byNumber: ReadonlyMap<number, readonly Uint8Array[]>;

  constructor(byNumber: ReadonlyMap<number, readonly Uint8Array[]>) {
    this.#byNumber = byNumber;
  }

  messages(field: number): Fields[] {
    return (this.#byNumber.get(field) ?? []).map(fieldsOf);
  }

  bytes(field: number): Uint8Array {
    return this.#byNumber.get(field)?.[0] ?? new Uint8Array();
  }

  text(field: number): string {
    return Buffer.from(this.bytes(field)).toString();
  }
}

function fieldsOf(message: Uint8Array): Fields {
  const byNumber = new Map<number, Uint8Array[]>();
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited) byNumber.set(field, [...(byNumber.get(field) ?? []), reader.bytes()]);
    else reader.skip(type, field);
  }
  return new Fields(byNumber);
}
