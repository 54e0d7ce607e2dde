import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { CACHE, makeCache } from './cache.ts';

/** The load generator: many unary calls of one method, with messages encoded beforehand, from a process of its own. */

export interface Load {
  readonly address: string;
  /** As on the wire: `/accrete.v1.RecommenderService/Recommend`. */
  readonly path: string;
  /** Sent in turn. */
  readonly messages: readonly Uint8Array[];
  readonly calls: number;
  readonly inFlight: number;
  /** What is shown with each. */
  readonly token?: string;
  /** TLS, by the authority of this file. */
  readonly ca?: string;
}

/** Calls that come at a rate, whether or not the ones before were answered. */
export interface OpenLoad extends Omit<Load, 'calls' | 'token' | 'ca'> {
  /** Calls a second. */
  readonly rate: number;
  readonly seconds: number;
  /** As many as `inFlight` go on each. */
  readonly connections: number;
}

export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  /** Of the generator. */
  readonly cpuSeconds: number;
  /** Of all answers. */
  readonly bytes: number;
  /** How many calls ended with each grpc-status; "0" is OK. Of an open load also "unsent" and "unanswered" ones. */
  readonly status: Readonly<Record<string, number>>;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface OpenLoadResult extends LoadResult {
  /** Of the calls that ended with OK. */
  readonly acceptedP50Us: number;
  readonly acceptedP99Us: number;
  /** How many of them were answered while calls were still coming. */
  readonly acceptedInTime: number;
}

const SOURCE = fileURLToPath(new URL('./blast', import.meta.url));
const BINARY = join(CACHE, 'blast');
const IN_NODE = fileURLToPath(new URL('./blast-in-node.ts', import.meta.url));

export class Blast {
  readonly #command: readonly string[];
  #files = 0;
  /** Why the generator is the slow one in Node, or "". */
  readonly handicap: string;

  private constructor(command: readonly string[], handicap: string) {
    this.#command = command;
    this.handicap = handicap;
  }

  /** Builds the generator with Go. Without Go it is one in Node, which takes as much of the machine as the server. */
  static build(): Blast {
    makeCache();
    const { error, status, stderr } = spawnSync('go', ['build', '-o', BINARY, '.'], { cwd: SOURCE, encoding: 'utf8' });
    if (!error && status === 0) return new Blast([BINARY], '');
    const why = error ? error.message : stderr.trim().split('\n').at(-1);
    const handicap = `the load comes from Node, which slows the server down, since go cannot build its generator: ${why}`;
    return new Blast([process.execPath, IN_NODE], handicap);
  }

  /** Throws when a call did not end with OK. */
  async run({ calls, inFlight, token, ca, ...load }: Load): Promise<LoadResult> {
    const result = await this.#send<LoadResult>(load, {
      calls,
      inflight: inFlight,
      ...(token && { token }),
      ...(ca && { ca }),
    });
    if (result.status['0'] === calls) return result;
    throw new Error(`of ${calls} calls of ${load.path}: ${JSON.stringify(result.status)}`);
  }

  /** Needs the generator in Go. */
  offer({ rate, seconds, connections, inFlight, ...load }: OpenLoad): Promise<OpenLoadResult> {
    if (this.handicap) throw new Error(this.handicap);
    return this.#send(load, { rate, seconds, connections, inflight: inFlight });
  }

  async #send<Result>(
    { address, path, messages }: Pick<Load, 'address' | 'path' | 'messages'>,
    options: Readonly<Record<string, number | string>>,
  ): Promise<Result> {
    const file = join(CACHE, `messages-${process.pid}-${this.#files++}.bin`);
    writeFileSync(file, Buffer.concat(messages.map(withPrefix)));
    try {
      const [command, ...first] = this.#command;
      const all = { address, path, messages: file, ...options };
      const flags = Object.entries(all).map(([name, value]) => `--${name}=${value}`);
      const child = spawn(command, [...first, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      if (code !== 0) throw new Error(`the load generator ended with code ${code}`);
      return JSON.parse(output) as Result;
    } finally {
      rmSync(file);
    }
  }
}

/** gRPC's: not compressed, length. */
function withPrefix(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
