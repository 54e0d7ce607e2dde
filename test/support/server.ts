import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../server/config/load.ts';
import type { ConfigInput } from '../../server/config/schema.ts';
import { type AccreteServer, createServer } from '../../server/server.ts';
import { Client, type Identity } from './client.ts';
import { makeFolder, type Scope } from './temporary-folder.ts';

/** The module specifier of a plugin of this folder. */
export function pluginPath(name: string): string {
  return fileURLToPath(new URL(`./plugins/${name}.ts`, import.meta.url));
}

/** What tests run with where they do not care: any free port, little memory, a quiet log. */
export const TEST_CONFIG = {
  listen: '127.0.0.1:0',
  metrics: { listen: 'off' },
  memory: { budgetMiB: 256 },
  // Whatever is installed: others are tested where they are named.
  device: 'cpu',
  log: { level: 'silent' },
  models: [
    { name: 'mean', plugin: pluginPath('mean') },
    { name: 'popularity', plugin: 'popularity' },
  ],
} as const satisfies ConfigInput;

/** A server in this process, with a store of its own that ends with the scope. */
export class TestServer {
  readonly data: string;
  readonly #clients: Client[] = [];
  #config: ConfigInput;
  #server: AccreteServer;
  #address = '';
  #metrics: string | undefined;
  #client: Client | undefined;

  private constructor(scope: Scope, config: ConfigInput) {
    // Here and not where a client is made: that may be inside a test, and `after` would mean its end.
    scope.after(async () => {
      await this.stop();
      for (const client of this.#clients) client.close();
    });
    this.data = join(makeFolder(scope), 'data');
    this.#config = { ...TEST_CONFIG, data: this.data, ...config };
    this.#server = createServer(this.#config);
  }

  /** Listens and is ready; `prepare` may put something into its data folder first. */
  static async start(
    scope: Scope,
    config: ConfigInput = {},
    prepare: (data: string) => unknown = () => {},
  ): Promise<TestServer> {
    const server = new TestServer(scope, config);
    await prepare(server.data);
    await server.#start();
    return server;
  }

  get address(): string {
    return this.#address;
  }

  /** Where metrics and probes answer; undefined when they are off. */
  get metrics(): string | undefined {
    return this.#metrics;
  }

  /** A URL of the endpoint for metrics and probes. */
  url(path: string): string {
    return `http://${this.#metrics}${path}`;
  }

  /** The client of those who need only one. */
  get client(): Client {
    this.#client ??= this.connect();
    return this.#client;
  }

  /** Another client with another connection. */
  connect(identity?: Identity): Client {
    const client = new Client(this.#address, identity);
    this.#clients.push(client);
    return client;
  }

  /** Resolves when it can no longer work. */
  get failed(): AccreteServer['failed'] {
    return this.#server.failed;
  }

  /** Reads its files anew, with some of the configuration changed. */
  reload(changes: ConfigInput = {}): void {
    this.#config = { ...this.#config, ...changes };
    this.#server.reload(parseConfig(this.#config));
  }

  /** Drains and stops. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** Stops, and starts on the same store, with some of the configuration changed. */
  async restart(changes: ConfigInput = {}): Promise<void> {
    await this.stop();
    this.#config = { ...this.#config, ...changes };
    this.#server = createServer(this.#config);
    await this.#start();
  }

  async #start(): Promise<void> {
    this.#client = undefined;
    const { grpc, metrics } = await this.#server.start();
    this.#address = grpc;
    this.#metrics = metrics;
    await this.#server.ready;
  }
}
