import { type EventEmitter, once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { connect, createServer as createRelay, type Server as Relay, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  credentials,
  Client as GrpcClient,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { RateRequest } from '../../proto/gen/accrete/v1/recommender.ts';
import { ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import { SERVICES } from '../support/services.ts';
import type { Scope } from '../support/temporary-folder.ts';

/** What goes wrong with the next calls of a method. */
interface Fault {
  readonly method: string;
  readonly code?: keyof typeof status;
  /** How many calls it happens to; 1 by default. */
  readonly times?: number;
  /** `before` (the server never hears of the call) or `after` (it answers, and the answer is lost). */
  readonly when?: 'before' | 'after';
  /** How long the call is held before it goes on. */
  readonly delayMs?: number;
  readonly reason?: string;
  readonly retryMs?: number;
}

/** A call as it came: its metadata that are texts and, of a Rate, its request id. */
interface SeenCall {
  readonly method: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly requestId?: string;
}

type Call = ServerDuplexStream<Buffer, Buffer>;
type Command = (body: Record<string, unknown>) => unknown;

const AS_IT_IS = (bytes: Buffer) => bytes;
/** What gRPC itself says to the relay. */
const OF_GRPC = /^(grpc-|user-agent$|te$|content-type$|accept-encoding$)/;

/** Whoever waits longer for quiet is told so. */
const QUIET_WITHIN_MS = 30_000;

/**
 * Stands between clients and a server, on both sides of gRPC: connections can be cut, and calls can fail as they would
 * on a bad day. What shall go wrong is told over HTTP, so that a client in any language can be tried.
 */
export class FaultRelay {
  readonly #grpc = new Server({ 'grpc.max_receive_message_length': -1 });
  readonly #relay: Relay;
  readonly #http: HttpServer;
  readonly #sockets = new Set<Socket>();
  readonly #faults: { -readonly [K in keyof Fault]: Fault[K] }[] = [];
  readonly #seen: SeenCall[] = [];
  #upstream: GrpcClient | undefined;
  /** When anything was last on its way. */
  #movedMs = 0;
  /** Requests of rating streams whose answers have not come. */
  #unanswered = 0;

  private constructor(scope: Scope, commands: Readonly<Record<string, Command>>) {
    for (const service of SERVICES)
      for (const { path } of Object.values(service))
        this.#grpc.register(path, (call: Call) => void this.#serve(path, call), AS_IT_IS, AS_IT_IS, 'bidi');
    this.#relay = createRelay((near) => this.#forward(near));
    const all: Record<string, Command> = {
      '/fault': (fault) => this.#faults.push({ times: 1, when: 'before', ...(fault as unknown as Fault) }) && {},
      '/cut': ({ quietMs }) => (quietMs === undefined ? this.#cut() : this.#cutWhenQuiet(Number(quietMs))),
      '/calls': ({ method }) => ({ calls: this.#seen.splice(0).filter((call) => call.method === method) }),
      ...commands,
    };
    this.#http = createServer(async (request, response) => {
      try {
        const command = all[request.url ?? ''];
        if (!command) throw new Error(`no command ${request.url}`);
        response.end(JSON.stringify((await command(await read(request))) ?? {}));
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    });
    scope.after(() => this.#close());
  }

  /** Relays to where `target` is called; `commands` are what else is done on demand, by their paths. */
  static async start(scope: Scope, commands: Readonly<Record<string, Command>> = {}): Promise<FaultRelay> {
    const relay = new FaultRelay(scope, commands);
    relay.#port = await promisify(relay.#grpc.bindAsync).call(
      relay.#grpc,
      '127.0.0.1:0',
      ServerCredentials.createInsecure(),
    );
    for (const server of [relay.#relay, relay.#http])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  #port = 0;

  /** Where clients connect. */
  get address(): string {
    return `127.0.0.1:${(this.#relay.address() as { port: number }).port}`;
  }

  /** Where it is told what to do. */
  get control(): string {
    return `http://127.0.0.1:${(this.#http.address() as { port: number }).port}`;
  }

  /** The server's address, from now on. */
  set target(address: string) {
    this.#upstream?.close();
    this.#upstream = new GrpcClient(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
    });
  }

  async #serve(path: string, call: Call): Promise<void> {
    const method = path.slice(path.lastIndexOf('/') + 1);
    call.on('error', () => {});
    const first = await this.#note(method, call);
    const fault = this.#take(method, 'before');
    if (fault?.delayMs) await sleep(fault.delayMs);
    if (fault?.code) return fail(call, fault);
    if (call.cancelled || !this.#upstream) return;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(call.metadata.getMap())) {
      if (!OF_GRPC.test(name)) metadata.set(name, value);
    }
    const options = { deadline: call.getDeadline() };
    const upstream = this.#upstream.makeBidiStreamRequest(path, AS_IT_IS, AS_IT_IS, metadata, options);
    call.on('cancelled', () => upstream.cancel());
    if (first) upstream.write(first);
    call.on('data', (request: Buffer) => upstream.write(request)).on('end', () => upstream.end());
    if (method === 'RateStream') this.#count(call, upstream);
    call.resume();
    // Sent with the first answer: after that, a call that fails is not repeated.
    let headers: Metadata | undefined;
    upstream.on('metadata', (sent: Metadata) => (headers = sent));
    upstream.on('data', (answer: Buffer) => {
      const lost = this.#take(method, 'after');
      if (!lost) {
        if (headers) call.sendMetadata(headers);
        headers = undefined;
        if (!call.write(answer)) {
          upstream.pause();
          call.once('drain', () => upstream.resume());
        }
        return;
      }
      upstream
        .removeAllListeners('data')
        .removeAllListeners('error')
        .on('error', () => {});
      upstream.resume(); // the server's answers are lost, its work is not
      fail(call, lost);
    });
    upstream.on('error', ({ code, details, metadata }: ServiceError) =>
      call.emit('error', { code, details, metadata }),
    );
    upstream.on('status', ({ code, metadata }: StatusObject) => code === status.OK && call.end(metadata));
  }

  /** Each request of a rating stream has one answer. */
  #count(call: Call, upstream: EventEmitter): void {
    let unanswered = 0;
    let isOver = false;
    const add = (count: number) => {
      // What still comes of one that is over is never answered, or was not asked for any more.
      if (isOver) return;
      unanswered += count;
      this.#unanswered += count;
    };
    const end = () => {
      add(-unanswered);
      isOver = true;
    };
    call.on('data', () => add(1)).on('cancelled', end);
    upstream.on('data', () => add(-1)).on('status', end);
  }

  /** Remembers a call; of a Rate, whose id is told, what it brings. */
  async #note(method: string, call: Call): Promise<Buffer | undefined> {
    const texts = Object.entries(call.metadata.getMap()).filter(([, value]) => typeof value === 'string');
    const seen = { method, metadata: Object.fromEntries(texts) as Record<string, string> };
    const [first]: Buffer[] = method === 'Rate' ? await once(call, 'data') : [];
    if (first) call.pause();
    this.#seen.push(first ? { ...seen, requestId: RateRequest.decode(first).requestId } : seen);
    return first;
  }

  #take(method: string, when: Fault['when']): Fault | undefined {
    const index = this.#faults.findIndex((fault) => fault.method === method && fault.when === when);
    const fault = this.#faults[index];
    if (fault?.times && --fault.times === 0) this.#faults.splice(index, 1);
    return fault;
  }

  #forward(near: Socket): void {
    const far = connect(this.#port, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
      socket.on('data', () => {
        this.#movedMs = performance.now();
      });
    }
    near.pipe(far).pipe(near);
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Cuts when all is answered and nothing was on its way for so long, and leaves those who were idle as long to notice it. */
  async #cutWhenQuiet(quietMs: number): Promise<void> {
    const lateMs = performance.now() + QUIET_WITHIN_MS;
    do {
      if (performance.now() > lateMs) throw new Error(`${this.#unanswered} requests are never answered`);
      await sleep(50);
    } while (this.#unanswered > 0 || performance.now() < this.#movedMs + quietMs);
    this.#cut();
    await sleep(quietMs);
  }

  #close(): void {
    this.#cut();
    this.#relay.close();
    this.#http.close();
    this.#http.closeAllConnections();
    this.#upstream?.close();
    this.#grpc.forceShutdown();
  }
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks = await request.toArray();
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : JSON.parse(text);
}

function fail(call: Call, { code: name = 'UNAVAILABLE', reason, retryMs }: Fault): void {
  const code = status[name];
  const metadata = new Metadata();
  const message = `as the test wants: ${name}`;
  if (reason !== undefined) {
    const details = [any('ErrorInfo', ErrorInfo.encode({ reason, domain: 'accrete', metadata: {} }).finish())];
    if (retryMs !== undefined) {
      const retryDelay = { seconds: BigInt(Math.floor(retryMs / 1000)), nanos: (retryMs % 1000) * 1e6 };
      details.push(any('RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
    }
    metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code, message, details }).finish()));
  }
  call.emit('error', { code, details: message, metadata });
}

function any(name: string, value: Uint8Array) {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value: Buffer.from(value) };
}
