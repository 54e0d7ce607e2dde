import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { Server, ServerCredentials, type ServerInterceptor, type ServerOptions } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Rule } from '../access/role.ts';
import { AccreteError } from '../errors.ts';
import type { RawServerStream } from './calls.ts';
import { refuseMalformed } from './library-service.ts';
import type { RateStream } from './rate.ts';
import { addReflection } from './reflection.ts';
import type { ServedService } from './service.ts';
import { serviceError } from './status.ts';

/** The gRPC server of one thread: services, health, reflection; from listening to drained. */

/** The health service's name for "ratings can be made durable now". */
export const WRITE_HEALTH = 'accrete.write';

export interface ConnectionOptions {
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** 0: never. */
  readonly maxAgeMs: number;
  /** 0: as long as they take. */
  readonly maxAgeGraceMs: number;
  /** Of connections. */
  readonly max: number;
  /** 0: for ever. */
  readonly maxIdleMs: number;
  /** 0: no limit. */
  readonly maxConcurrentStreams: number;
}

export interface GrpcServerOptions {
  readonly messageBytes: number;
  readonly connection: ConnectionOptions;
  readonly reflection: boolean;
  /** The mode of the file of a Unix socket. */
  readonly socketMode: number;
  /** Without: nothing is encrypted. */
  readonly credentials?: ServerCredentials | undefined;
  /** Who may call what is asked by this, which is told the rules of all methods; without: everyone may do everything. */
  readonly admission?: ((rules: ReadonlyMap<string, Rule>) => ServerInterceptor) | undefined;
}

/** Probes have no credentials, and learn no more than whether it serves; who watches holds a stream. */
const HEALTH_RULE = (path: string): Rule => (path === '/grpc.health.v1.Health/Check' ? 'anyone' : 'read');
const REFLECTION_RULE = (): Rule => 'read';

type StreamHandler = (call: RawServerStream) => void;

export class GrpcServer {
  readonly #server: Server;
  readonly #health: HealthImplementation;
  readonly #services: readonly string[];
  readonly #streams: readonly ReadonlySet<RateStream>[];
  /** Open streams of health and reflection, which do not end by themselves. */
  readonly #watches = new Set<RawServerStream>();
  readonly #credentials: ServerCredentials;
  readonly #socketMode: number;
  readonly #connectionsMax: number;
  /** By the paths of methods. */
  readonly rules = new Map<string, Rule>();
  #draining = false;

  /** `streams`: the open rating streams, which a drain ends. */
  constructor(
    services: readonly ServedService[],
    streams: readonly ReadonlySet<RateStream>[],
    options: GrpcServerOptions,
  ) {
    const interceptors = options.admission ? [options.admission(this.rules)] : [];
    this.#server = new Server({ ...channelOptions(options), interceptors });
    this.#connectionsMax = options.connection.max;
    this.#credentials = options.credentials ?? ServerCredentials.createInsecure();
    this.#socketMode = options.socketMode;
    this.#streams = streams;
    for (const { definition, implementation, rules } of services) {
      this.#server.addService(definition, implementation);
      for (const [name, { path }] of Object.entries(definition)) this.rules.set(path, rules[name]);
    }
    this.#services = ['', ...services.map(({ definition }) => serviceName(definition))];
    this.#health = new HealthImplementation(
      Object.fromEntries([...this.#services, WRITE_HEALTH].map((name) => [name, 'NOT_SERVING'])),
    );
    this.#health.addToServer(this.#watched(HEALTH_RULE));
    if (options.reflection) addReflection(this.#watched(REFLECTION_RULE));
  }

  /** Listens on `host:port` or `unix:/path`; returns the same with the port that was given. */
  async listen(address: string): Promise<string> {
    if (address.startsWith('unix:')) await removeStaleSocket(address.slice('unix:'.length));
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, this.#credentials, (cause, bound) => {
        if (!cause) return resolve(bound);
        const message = `Cannot listen on ${address}: ${cause.message}; stop what uses it, or set listen to another address`;
        reject(new AccreteError('CONFIG_INVALID', message, { cause }));
      });
    });
    limitConnections(this.#server, this.#connectionsMax);
    if (address.startsWith('unix:')) chmodSync(address.slice('unix:'.length), this.#socketMode);
    return address.startsWith('unix:') ? address : address.replace(/:\d+$/, `:${port}`);
  }

  /** Whether calls are answered, and whether ratings can be made durable. */
  setHealth(serving: boolean, writable: boolean): void {
    const word = (yes: boolean) => (yes && !this.#draining ? 'SERVING' : 'NOT_SERVING');
    for (const name of this.#services) this.#health.setStatus(name, word(serving));
    this.#health.setStatus(WRITE_HEALTH, word(serving && writable));
  }

  /** The server as libraries see it that add services of their own: their streams are known here. */
  #watched(ruleOf: (path: string) => Rule): Pick<Server, 'addService'> {
    const watch = (handler: StreamHandler) => (call: RawServerStream) => {
      this.#watches.add(call);
      call.on('cancelled', () => {
        this.#watches.delete(call);
        setImmediate(() => forgetNames(this.#health));
      });
      handler(call);
    };
    return {
      addService: (definition, implementation) => {
        const service = refuseMalformed(definition, implementation);
        for (const { path } of Object.values(definition)) this.rules.set(path, ruleOf(path));
        const handlers = Object.entries(definition).map(([name, { responseStream }]) => {
          const handler = service.implementation[name];
          return [name, responseStream ? watch(handler as StreamHandler) : handler];
        });
        this.#server.addService(service.definition, Object.fromEntries(handlers));
      },
    };
  }

  /** Takes no more calls and resolves when those that run are done; after `timeoutMs` they are cut off. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    this.setHealth(false, false);
    const done = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    for (const streams of this.#streams) for (const stream of streams) stream.drain();
    for (const watch of this.#watches) watch.emit('error', serviceError(draining()));
    const forced = setTimeout(() => this.#server.forceShutdown(), timeoutMs);
    await done;
    clearTimeout(forced);
  }
}

function draining(): AccreteError {
  return new AccreteError('DRAINING', 'The server is stopping: ask the next one');
}

/** The library keeps every name that was ever watched, and clients may make up names. */
function forgetNames(health: HealthImplementation): void {
  const { watchers } = health as unknown as { readonly watchers: Map<string, ReadonlySet<unknown>> };
  for (const [name, watching] of watchers) if (watching.size === 0) watchers.delete(name);
}

/** The library keeps its listening servers to itself, and sets no such limit. */
function limitConnections(server: Server, max: number): void {
  const { http2Servers } = server as unknown as {
    readonly http2Servers: ReadonlyMap<{ maxConnections: number }, unknown>;
  };
  for (const listening of http2Servers.keys()) listening.maxConnections = max;
}

function channelOptions({ messageBytes, connection }: GrpcServerOptions): ServerOptions {
  return {
    'grpc.max_receive_message_length': messageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': connection.keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': connection.keepaliveTimeoutMs,
    ...(connection.maxAgeMs > 0 && { 'grpc.max_connection_age_ms': connection.maxAgeMs }),
    ...(connection.maxAgeGraceMs > 0 && { 'grpc.max_connection_age_grace_ms': connection.maxAgeGraceMs }),
    ...(connection.maxIdleMs > 0 && { 'grpc.max_connection_idle_ms': connection.maxIdleMs }),
    ...(connection.maxConcurrentStreams > 0 && { 'grpc.max_concurrent_streams': connection.maxConcurrentStreams }),
  };
}

function serviceName(definition: ServedService['definition']): string {
  const [method] = Object.values(definition);
  return method.path.split('/')[1];
}

/** A socket file that nobody listens on was left behind by a killed server. Of what is no socket nothing is removed. */
function removeStaleSocket(path: string): Promise<void> {
  return new Promise((resolve) => {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return resolve();
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve();
    });
    probe.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true });
      resolve();
    });
  });
}
