import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { getTool, run, TOOLS, type Tool } from '../deploy/tools.ts';
import { ROOT } from '../support/server-process.ts';
import { makeFolder, type Scope } from '../support/temporary-folder.ts';

/** OpenTelemetry's Collector, built by its own builder, which writes what comes into a file. */

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.165.0';

/** Compiled by Go: minutes, the first time. */
export function getCollector(): Tool {
  const folder = join(TOOLS, 'collector');
  return getTool('the collector', join(folder, 'collector'), {}, () => {
    mkdirSync(folder, { recursive: true });
    if (!existsSync(join(TOOLS, 'builder'))) run('go', ['install', BUILDER], { GOBIN: TOOLS, GOFLAGS: '-mod=mod' });
    const manifest = join(folder, 'manifest.yaml');
    copyFileSync(join(ROOT, 'test/otlp/collector.yaml'), manifest);
    const text = readFileSync(manifest, 'utf8').replace('dist:', `dist:\n  output_path: ${folder}`);
    writeFileSync(manifest, text);
    run(join(TOOLS, 'builder'), ['--config', manifest], { GOFLAGS: '-mod=mod' });
  });
}

/** A span as the file has it: OTLP's own JSON. */
export interface SpanLine {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes?: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
  /** `service.name` of what sent it. */
  readonly service: string;
}

export interface LogRecordLine {
  readonly traceId?: string;
  readonly severityText: string;
  readonly body: { readonly stringValue: string };
}

interface Group {
  readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
  readonly scopeSpans?: readonly { readonly spans: readonly Omit<SpanLine, 'service'>[] }[];
  readonly scopeLogs?: readonly { readonly logRecords: readonly LogRecordLine[] }[];
  readonly scopeMetrics?: readonly { readonly metrics: readonly { readonly name: string }[] }[];
}

interface Line {
  readonly resourceSpans?: readonly Group[];
  readonly resourceLogs?: readonly Group[];
  readonly resourceMetrics?: readonly Group[];
}

export class Collector {
  /** Where it takes OTLP over HTTP. */
  readonly url: string;
  readonly #file: string;
  readonly #child: ChildProcess;

  private constructor(scope: Scope, path: string, folder: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#file = join(folder, 'received.jsonl');
    const config = join(folder, 'config.yaml');
    const pipeline = { receivers: ['otlp'], exporters: ['file'] };
    writeFileSync(
      config,
      stringify({
        receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
        exporters: { file: { path: this.#file, flush_interval: '100ms' } },
        service: {
          pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
          telemetry: { metrics: { level: 'none' } },
        },
      }),
    );
    this.#child = spawn(path, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    scope.after(() => this.#child.kill('SIGKILL'));
  }

  /** Resolves when it takes what is sent. */
  static async start(scope: Scope, path: string): Promise<Collector> {
    const collector = new Collector(scope, path, makeFolder(scope), await freePort());
    const said: string[] = [];
    const lines = createInterface({ input: collector.#child.stderr as NonNullable<ChildProcess['stderr']> });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        said.push(line);
        if (line.includes('Everything is ready')) resolve();
      });
      collector.#child.once('exit', () => reject(new Error(`the collector ended:\n${said.join('\n')}`)));
    });
    return collector;
  }

  /** Ends it, so that all that came is in the file. */
  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  get spans(): SpanLine[] {
    return this.#groups('resourceSpans').flatMap(({ resource, scopeSpans = [] }) => {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
      return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })));
    });
  }

  get logs(): LogRecordLine[] {
    return this.#groups('resourceLogs').flatMap(({ scopeLogs = [] }) => scopeLogs.flatMap((each) => each.logRecords));
  }

  get metrics(): Set<string> {
    const groups = this.#groups('resourceMetrics').flatMap(({ scopeMetrics = [] }) => scopeMetrics);
    return new Set(groups.flatMap(({ metrics }) => metrics.map(({ name }) => name)));
  }

  #groups(kind: keyof Line): readonly Group[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean);
    return lines.flatMap((line) => (JSON.parse(line) as Line)[kind] ?? []);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
