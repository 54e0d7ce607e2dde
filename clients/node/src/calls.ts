import type { Client as GrpcClient, CallOptions as GrpcOptions, ServiceError } from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import { context, propagation } from '@opentelemetry/api';
import { toError } from './errors.ts';

/** The calls of a service as methods: promises and async iterables, with errors of our own. */

/** A message of the contract, as the generated code defines it. */
interface MessageType {
  encode(message: never): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  fromPartial(object: never): unknown;
}

export interface MethodDefinition {
  readonly name: string;
  readonly requestType: MessageType;
  readonly requestStream: boolean;
  readonly responseType: MessageType;
  readonly responseStream: boolean;
}

export interface ServiceDefinition {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, MethodDefinition>>;
}

/** What one call may be told. */
export interface CallOptions {
  /** How long it may take; quick calls have 30 s anyway. */
  readonly timeoutMs?: number;
  /** Cancels it. */
  readonly signal?: AbortSignal;
  /** Headers of its own. */
  readonly metadata?: Readonly<Record<string, string>>;
}

type RequestOf<M extends MethodDefinition> = Parameters<M['requestType']['fromPartial']>[0];
type ResponseOf<M extends MethodDefinition> = ReturnType<M['responseType']['decode']>;
/** Requests that are made as they are sent. */
export type Requests<Request> = Iterable<Request> | AsyncIterable<Request>;

type InputOf<M extends MethodDefinition> = M['requestStream'] extends true ? Requests<RequestOf<M>> : RequestOf<M>;
type OutputOf<M extends MethodDefinition> = M['responseStream'] extends true
  ? AsyncIterable<ResponseOf<M>>
  : Promise<ResponseOf<M>>;

/** The calls of a service. Fields that a request leaves out have their defaults. */
export type ServiceClient<Service extends ServiceDefinition> = {
  readonly [Name in keyof Service['methods']]: (
    request: InputOf<Service['methods'][Name]>,
    options?: CallOptions,
  ) => OutputOf<Service['methods'][Name]>;
};

/** What the calls of one connection have in common. */
export interface Connection {
  readonly grpc: GrpcClient;
  readonly address: string;
  readonly token: string | (() => string | Promise<string>) | undefined;
  /** Completes a request before it is sent. */
  complete(method: string, request: unknown): unknown;
}

export function serviceClient<Service extends ServiceDefinition>(
  connection: Connection,
  { fullName, methods }: Service,
): ServiceClient<Service> {
  const calls = Object.entries(methods).map(([name, method]) => {
    const path = `/${fullName}/${method.name}`;
    const invoke = (input: unknown, options: CallOptions = {}) =>
      method.responseStream
        ? receive(connection, method, path, input, options)
        : answer(connection, method, path, input, options);
    return [name, invoke];
  });
  return Object.fromEntries(calls) as ServiceClient<Service>;
}

async function answer(
  connection: Connection,
  method: MethodDefinition,
  path: string,
  input: unknown,
  options: CallOptions,
) {
  const { encode, decode } = codec(method, connection);
  const [metadata, grpcOptions] = await prepare(connection, options);
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, response?: unknown) => {
      options.signal?.removeEventListener('abort', cancel);
      if (error) reject(toError(error, connection.address));
      else resolve(response);
    };
    const { grpc } = connection;
    const call = method.requestStream
      ? grpc.makeClientStreamRequest(path, encode, decode, metadata, grpcOptions, done)
      : grpc.makeUnaryRequest(path, encode, decode, input, metadata, grpcOptions, done);
    const cancel = () => call.cancel();
    onAbort(options.signal, cancel);
    if (method.requestStream) void send(call as unknown as Sink, input as Requests<unknown>);
  });
}

async function* receive(
  connection: Connection,
  method: MethodDefinition,
  path: string,
  input: unknown,
  options: CallOptions,
) {
  const { encode, decode } = codec(method, connection);
  const [metadata, grpcOptions] = await prepare(connection, options);
  const { grpc } = connection;
  const call = method.requestStream
    ? grpc.makeBidiStreamRequest(path, encode, decode, metadata, grpcOptions)
    : grpc.makeServerStreamRequest(path, encode, decode, input, metadata, grpcOptions);
  const cancel = () => call.cancel();
  onAbort(options.signal, cancel);
  if (method.requestStream) void send(call as unknown as Sink, input as Requests<unknown>);
  try {
    yield* call;
  } catch (error) {
    throw toError(error as ServiceError, connection.address);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    // One that reads no further ends the work of the server too.
    call.on('error', () => {}).cancel();
  }
}

/** The side of a call that takes requests. */
interface Sink {
  write(request: unknown): boolean;
  end(): unknown;
  cancel(): void;
  once(event: 'drain' | 'close' | 'error' | 'status', listener: () => void): unknown;
}

/** Sends requests no faster than they are taken. */
async function send(call: Sink, requests: Requests<unknown>): Promise<void> {
  let ended = false;
  const end = new Promise<void>((resolve) => {
    const over = () => {
      ended = true;
      resolve();
    };
    call.once('status', over);
    call.once('error', over);
  });
  try {
    for await (const request of requests) {
      if (ended) return;
      if (!call.write(request)) await Promise.race([end, new Promise<void>((resolve) => call.once('drain', resolve))]);
    }
    call.end();
  } catch {
    call.cancel();
  }
}

function codec({ name, requestType, responseType }: MethodDefinition, { complete }: Connection) {
  const encode = (request: unknown) =>
    Buffer.from(requestType.encode(complete(name, requestType.fromPartial(request as never)) as never).finish());
  const decode = (bytes: Buffer) => responseType.decode(bytes);
  return { encode, decode };
}

/** What is sent along: who calls, and the trace that the call belongs to. */
async function prepare({ token }: Connection, options: CallOptions): Promise<[Metadata, GrpcOptions]> {
  const { timeoutMs, metadata: own = {}, signal } = options;
  const metadata = new Metadata();
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  if (token !== undefined) headers.authorization = `Bearer ${typeof token === 'string' ? token : await token()}`;
  for (const [name, value] of Object.entries({ ...headers, ...own })) metadata.set(name, value);
  signal?.throwIfAborted();
  return [metadata, timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }];
}

function onAbort(signal: AbortSignal | undefined, cancel: () => void): void {
  signal?.addEventListener('abort', cancel, { once: true });
}
