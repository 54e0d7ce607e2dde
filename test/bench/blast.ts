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
}

export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  /** Of the generator. */
  readonly cpuSeconds: number;
  /** Of all answers. */
  readonly bytes: number;
  /** How many calls ended with each grpc-status; "0" is OK. */
  readonly status: Readonly<Record<string, number>>;
  readonly p50Us: number;
  readonly p99Us: number;
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
  async run(load: Load): Promise<LoadResult> {
    const file = join(CACHE, `messages-${process.pid}-${this.#files++}.bin`);
    writeFileSync(file, Buffer.concat(load.messages.map(withPrefix)));
    try {
      return await this.#send(load, file);
    } finally {
      rmSync(file);
    }
  }

  async #send({ address, path, calls, inFlight }: Load, messages: string): Promise<LoadResult> {
    const options = { address, path, messages, calls, inflight: inFlight };
    const [command, ...first] = this.#command;
    const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = spawn(command, [...first, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (code !== 0) throw new Error(`the load generator ended with code ${code}`);
    const result = JSON.parse(output) as LoadResult;
    if (result.status['0'] !== calls) throw new Error(`of ${calls} calls of ${path}: ${JSON.stringify(result.status)}`);
    return result;
  }
}

/** gRPC's: not compressed, length. */
function withPrefix(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
