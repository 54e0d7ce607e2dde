import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AccreteError } from '../errors.ts';

/** Metrics and probes over HTTP: /metrics (of a namespace: /metrics/NAME), /livez (the process answers), /readyz (calls are answered). */

export interface EndpointSources {
  /** Of a namespace; false: there is none of that name, and nothing was answered. */
  readonly metrics: (namespace: string, request: IncomingMessage, response: ServerResponse) => boolean;
  /** Whether calls are answered now, and if not, why. */
  readonly readiness: () => { readonly ready: boolean; readonly detail: string };
}

export class Endpoint {
  readonly #server: Server;

  constructor(sources: EndpointSources) {
    this.#server = createServer((request, response) => answer(sources, request, response));
  }

  /** Listens on `host:port`; returns the same with the port that was given. */
  async listen(address: { readonly host: string; readonly port: number }): Promise<string> {
    const { host, port } = address;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const message = `Cannot listen on ${host}:${port} for metrics: ${cause.message}; set metrics.listen to another address, or to off`;
        reject(new AccreteError('CONFIG_INVALID', message, { cause }));
      });
      this.#server.listen(port, host, resolve);
    });
    return `${host.includes(':') ? `[${host}]` : host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What follows is the namespace. */
const METRICS = /^\/metrics(?:$|\/)/;

function answer({ metrics, readiness }: EndpointSources, request: IncomingMessage, response: ServerResponse): void {
  const [path] = (request.url ?? '/').split('?', 1);
  switch (path) {
    case '/livez':
      text(response, 200, 'ok\n');
      break;
    case '/readyz': {
      const { ready, detail } = readiness();
      text(response, ready ? 200 : 503, `${detail}\n`);
      break;
    }
    default:
      if (METRICS.test(path) && metrics(path.replace(METRICS, ''), request, response)) break;
      text(response, 404, 'Here are /metrics, /livez and /readyz.\n');
  }
}

function text(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
}
