import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Scope } from '../support/temporary-folder.ts';

/** The collector of `receiver/main.go`, which knows OTLP by OpenTelemetry's own definitions. */

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Point {
  readonly attributes?: readonly Attribute[];
  /** 64-bit integers are texts in protobuf's JSON. */
  readonly count?: string;
  readonly asDouble?: number;
}

export interface Span {
  readonly name: string;
  readonly kind: string;
  /** Ids are in base64. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: string };
}

export interface Metric {
  readonly name: string;
  readonly unit?: string;
  readonly histogram?: { readonly dataPoints: readonly Point[]; readonly aggregationTemporality: string };
  readonly sum?: { readonly dataPoints: readonly Point[]; readonly isMonotonic?: boolean };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
}

interface Group {
  readonly resource: { readonly attributes: readonly Attribute[] };
  readonly scopeSpans?: readonly { readonly spans: readonly Span[] }[];
  readonly scopeMetrics?: readonly { readonly metrics: readonly Metric[] }[];
}

interface Line {
  readonly protocol: string;
  readonly request: { readonly resourceSpans?: readonly Group[]; readonly resourceMetrics?: readonly Group[] };
}

export class Receiver {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #received: Line[] = [];

  private constructor(scope: Scope, path: string) {
    const child = spawn(path, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
    scope.after(() => child.kill());
  }

  static async start(scope: Scope, path: string): Promise<{ receiver: Receiver; addresses: Record<string, string> }> {
    const receiver = new Receiver(scope, path);
    const [first] = await once(receiver.#lines, 'line');
    receiver.#lines.on('line', (line) => receiver.#received.push(JSON.parse(line)));
    return { receiver, addresses: JSON.parse(first) };
  }

  /** Ends it, so that all that it said has been heard. */
  async stop(): Promise<void> {
    this.#child.kill();
    await once(this.#lines, 'close');
  }

  get protocols(): string[] {
    return [...new Set(this.#received.map(({ protocol }) => protocol))];
  }

  get spans(): Span[] {
    return this.#groups.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans }) => spans));
  }

  /** The metrics that came last. */
  get metrics(): Map<string, Metric> {
    const all = this.#groups.flatMap(({ scopeMetrics = [] }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    return new Map(all.map((metric) => [metric.name, metric]));
  }

  /** What sent, one for each of its attributes that differs. */
  get resources(): Record<string, string | undefined>[] {
    const all = this.#groups.map(({ resource }) => JSON.stringify(textsOf(resource.attributes)));
    return [...new Set(all)].map((text) => JSON.parse(text));
  }

  get #groups(): Group[] {
    return this.#received.flatMap(({ request }) => [
      ...(request.resourceSpans ?? []),
      ...(request.resourceMetrics ?? []),
    ]);
  }
}

/** The attributes that are texts. */
export function textsOf(attributes: readonly Attribute[] = []): Record<string, string | undefined> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}

/** The receiver, built by Go into a folder, or the reason why it is not there. */
export function buildReceiver(folder: string): { path: string; skip: string | false } {
  const path = join(folder, 'receiver');
  const cwd = fileURLToPath(new URL('./receiver', import.meta.url));
  const { error, status, stderr } = spawnSync('go', ['build', '-o', path, '.'], { cwd, encoding: 'utf8' });
  if (error) return { path, skip: `the receiver is built by Go: ${error.message}` };
  return { path, skip: status !== 0 && `Go cannot build the receiver: ${stderr.trim().split('\n').at(-1)}` };
}
