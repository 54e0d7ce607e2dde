import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../server/config/schema.ts';
import { Client } from './client.ts';
import { TEST_CONFIG } from './server.ts';
import { makeFolder, type Scope } from './temporary-folder.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The command and its first arguments, instead of `node server/main.ts`; it leads a process group of its own. */
  readonly command?: readonly string[];
}

/** One line of the server's log. */
export interface LogLine {
  readonly msg: string;
  readonly grpc?: string;
  readonly metrics?: string;
  /** Of the message "phase". */
  readonly phase?: string;
  /** Of a promotion, when it goes on. */
  readonly step?: string;
  /** Of the message "ready". */
  readonly replayedMs?: number;
}

/** A server in a process of its own, which can be killed; its store ends with the scope. */
export class ServerProcess {
  readonly folder: string;
  readonly data: string;
  /** All that it wrote to standard error so far. */
  stderr = '';
  readonly #clients: Client[] = [];
  readonly #options: ProcessOptions;
  #child!: ChildProcess;
  #exited!: Promise<Exit>;
  #address = '';
  #metrics = '';
  #client: Client | undefined;
  readonly #lines: LogLine[] = [];
  #wake = () => {};

  private constructor(scope: Scope, options: ProcessOptions) {
    this.#options = options;
    // Here and not where a client is made: that may be inside a test, and `after` would mean its end.
    scope.after(async () => {
      await this.kill();
      for (const client of this.#clients) client.close();
    });
    this.folder = makeFolder(scope);
    this.data = join(this.folder, 'data');
  }

  /** Runs until it is ready. */
  static async start(scope: Scope, config: ConfigInput = {}, options: ProcessOptions = {}): Promise<ServerProcess> {
    const process = ServerProcess.begin(scope, config, options);
    await process.ready();
    return process;
  }

  /** Runs, without waiting for anything. */
  static begin(scope: Scope, config: ConfigInput = {}, options: ProcessOptions = {}): ServerProcess {
    const process = new ServerProcess(scope, options);
    process.configure(config);
    process.spawn();
    return process;
  }

  /** Runs again, on the same store, until it is ready. */
  async start(): Promise<void> {
    this.spawn();
    await this.ready();
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get address(): string {
    return this.#address;
  }

  /** A URL of the endpoint for metrics and probes. */
  url(path: string): string {
    return `http://${this.#metrics}${path}`;
  }

  get client(): Client {
    this.#client ??= this.connect();
    return this.#client;
  }

  connect(token?: string): Client {
    const client = new Client(this.#address, token === undefined ? {} : { token });
    this.#clients.push(client);
    return client;
  }

  /** What it has logged since it was started last. */
  get log(): readonly LogLine[] {
    return this.#lines;
  }

  get exited(): Promise<Exit> {
    return this.#exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** To a command and all that it has started. */
  signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // all have ended
    }
  }

  /** Ends it at once, as SIGKILL does, and with it what it may have started. */
  async kill(): Promise<void> {
    if (this.#options.command) this.signalGroup('SIGKILL');
    else this.signal('SIGKILL');
    await this.#exited;
  }

  /** Asks it to stop, as SIGTERM does, and waits for its end. */
  stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.#exited;
  }

  /** Waits until it listens. */
  async listening(): Promise<void> {
    const { grpc = '', metrics = '' } = await this.said('listening');
    this.#address = grpc;
    this.#metrics = metrics;
    this.#client = undefined;
  }

  async ready(): Promise<void> {
    await this.listening();
    await this.said('ready');
  }

  /** Waits for a line of the log with that message; throws when the process ends without it. */
  said(msg: string): Promise<LogLine> {
    return this.logged(msg, (line) => line.msg === msg);
  }

  /** Waits for a line of the log that `is` says yes to; `what` names it when the process ends without it. */
  async logged(what: string, is: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const line = this.#lines.find(is);
      if (line) return line;
      const ended = await Promise.race([this.#exited, new Promise<void>((resolve) => (this.#wake = resolve))]);
      if (ended) throw new Error(`the server ended (${JSON.stringify(ended)}) and never said ${what}:\n${this.stderr}`);
    }
  }

  /** What it is configured with from its next start on. */
  configure(config: ConfigInput): void {
    mkdirSync(this.folder, { recursive: true });
    const all = { ...TEST_CONFIG, data: this.data, ...config, log: { level: 'debug' } };
    writeFileSync(join(this.folder, 'accrete.yaml'), JSON.stringify(all));
  }

  /** Runs again, without waiting for anything. */
  spawn(): void {
    const { command, args = [], env = {} } = this.#options;
    const [program, ...first] = command ?? [process.execPath, join(ROOT, 'server/main.ts')];
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ACCRETE|OTEL)_/.test(name)));
    this.#lines.length = 0;
    this.stderr = '';
    const child = spawn(program, [...first, '--config', join(this.folder, 'accrete.yaml'), ...args], {
      cwd: ROOT,
      env: { ...clean, ...env },
      detached: command !== undefined,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (text) => this.#hear(text));
    this.#exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  #hear(text: string): void {
    this.stderr += `${text}\n`;
    if (text.startsWith('{')) this.#lines.push(JSON.parse(text) as LogLine);
    this.#wake();
  }
}
