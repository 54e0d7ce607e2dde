import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { getTool, run, TOOLS, type Tool } from '../deploy/tools.ts';
import { ROOT } from '../support/server-process.ts';
import { makeFolder, type Scope } from '../support/temporary-folder.ts';

/** OpenTelemetry's Collector, built by its own builder, which sends on what comes, as JSON. */

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

/** A span in OTLP's own JSON. */
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
  readonly #lines: Line[] = [];
  readonly #child: ChildProcess;
  readonly #backend: Server;

  private constructor(scope: Scope, path: string, folder: string, port: number, backend: Server) {
    this.url = `http://127.0.0.1:${port}`;
    this.#backend = backend;
    backend.on('request', async (request, response) => {
      this.#lines.push((await json(request)) as Line);
      response.setHeader('content-type', 'application/json').end('{}');
    });
    const config = join(folder, 'config.yaml');
    const pipeline = { receivers: ['otlp'], exporters: ['otlp_http'] };
    const endpoint = `http://127.0.0.1:${portOf(backend)}`;
    const onward = { endpoint, encoding: 'json', compression: 'none' };
    writeFileSync(
      config,
      stringify({
        receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
        exporters: { otlp_http: { ...onward, sending_queue: { enabled: false } } },
        service: {
          pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
          telemetry: { metrics: { level: 'none' } },
        },
      }),
    );
    this.#child = spawn(path, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    scope.after(() => {
      this.#child.kill('SIGKILL');
      this.#backend.closeAllConnections();
      this.#backend.close();
    });
  }

  /** Resolves when it takes what is sent. */
  static async start(scope: Scope, path: string): Promise<Collector> {
    const backend = createServer();
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
    const collector = new Collector(scope, path, makeFolder(scope), await freePort(), backend);
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

  /** Ends it, so that all that came has been sent on. */
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
    return this.#lines.flatMap((line) => line[kind] ?? []);
  }
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
