import { once } from 'node:events';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { Metadata, type ServiceDefinition, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Rule } from '../access/role.ts';
import { AccreteError } from '../errors.ts';
import type { CallTelemetry, ObservedCall } from './call-telemetry.ts';
import { type RawClientStream, type RawDuplex, type RawServerStream, type RawUnary, signalOf } from './calls.ts';
import { type Encodable, encodeMessage } from './encoding.ts';
import { serviceError } from './status.ts';

/**
 * Turns methods, written as functions over messages, into what grpc-js serves. Messages are decoded here and not by
 * grpc-js, so that malformed protobuf gets its details too; every failure becomes a status in one place.
 */

export interface CallContext {
  /** Aborted when the client goes away or its deadline passes. */
  readonly signal: AbortSignal;
  readonly observed: ObservedCall;
  /** Puts an entry into the metadata that precedes the answer. */
  readonly tell: (key: string, value: string) => void;
}

/** One request, one answer. */
export interface UnaryMethod {
  readonly type: 'unary';
  readonly answer: (request: never, call: CallContext) => unknown;
  readonly encode: (answer: never) => Buffer;
}

/** One request, a stream of answers. */
export interface StreamMethod {
  readonly type: 'stream';
  readonly answer: (request: never, call: CallContext) => AsyncIterable<unknown>;
  readonly encode: (answer: never) => Buffer;
}

/** A stream of requests, one answer. It is not read faster than the method takes what comes. */
export interface ClientStreamMethod {
  readonly type: 'clientStream';
  readonly answer: (requests: AsyncIterable<never>, call: CallContext) => Promise<unknown>;
  readonly encode: (answer: never) => Buffer;
}

/** Bytes in, bytes out: for the calls whose messages other threads decode. */
export interface RawUnaryMethod {
  readonly type: 'rawUnary';
  readonly answer: (request: Buffer, call: CallContext) => Promise<Buffer>;
}

export interface RawDuplexMethod {
  readonly type: 'rawDuplex';
  readonly serve: (call: RawDuplex, observed: ObservedCall) => void;
}

export type Method = UnaryMethod | StreamMethod | ClientStreamMethod | RawUnaryMethod | RawDuplexMethod;

/** `response` is the generated type of the answer. */
export const unary = <Request, Response>(
  response: Encodable<Response>,
  answer: (request: Request, call: CallContext) => Response | Promise<Response>,
): UnaryMethod => ({ type: 'unary', answer, encode: (message) => encodeMessage(response, message) });

/** `response` is the generated type of each answer. */
export const stream = <Request, Response>(
  response: Encodable<Response>,
  answer: (request: Request, call: CallContext) => AsyncIterable<Response>,
): StreamMethod => ({ type: 'stream', answer, encode: (message) => encodeMessage(response, message) });

/** `response` is the generated type of the answer. */
export const clientStream = <Request, Response>(
  response: Encodable<Response>,
  answer: (requests: AsyncIterable<Request>, call: CallContext) => Promise<Response>,
): ClientStreamMethod => ({ type: 'clientStream', answer, encode: (message) => encodeMessage(response, message) });

type Definition = ServiceDefinition[string];
type Handler = UntypedServiceImplementation[string];

export interface ServedService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  readonly rules: Readonly<Record<string, Rule>>;
}

/** What each method of a generated service asks of its caller. */
export type Rules<Service> = Readonly<Record<keyof Service, Rule>>;

/** All methods of a generated service. */
export function serveMethods<Service extends ServiceDefinition>(
  definition: Service,
  rules: Rules<Service>,
  methods: Readonly<Record<keyof Service, Method>>,
  telemetry: CallTelemetry,
): ServedService {
  const raw: Record<string, Definition> = {};
  const implementation: Record<string, Handler> = {};
  for (const [name, method] of Object.entries(definition)) {
    raw[name] = { ...method, requestDeserialize: asItIs, responseSerialize: asItIs };
    implementation[name] = handlerOf(method, methods[name], telemetry);
  }
  return { definition: raw, implementation, rules };
}

const asItIs = (bytes: Buffer): Buffer => bytes;

function handlerOf(definition: Definition, method: Method, telemetry: CallTelemetry): Handler {
  const { path } = definition;
  const decode = (bytes: Buffer) => decodeMessage(definition, bytes);
  switch (method.type) {
    case 'unary':
      return unaryHandler(telemetry, path, async ({ request }, call) =>
        method.encode((await method.answer(decode(request) as never, call)) as never),
      );
    case 'rawUnary':
      return unaryHandler(telemetry, path, ({ request }, call) => method.answer(request, call));
    case 'clientStream':
      return unaryHandler<RawClientStream>(telemetry, path, async (incoming, call) => {
        const requests = requestsOf(incoming, call.signal, decode);
        return method.encode((await method.answer(requests as AsyncIterable<never>, call)) as never);
      });
    case 'stream':
      return streamHandler(telemetry, path, async function* (bytes, call) {
        for await (const answer of method.answer(decode(bytes) as never, call)) yield method.encode(answer as never);
      });
    case 'rawDuplex':
      return (call: RawDuplex) => method.serve(call, telemetry.start(path, call.metadata));
  }
}

/** Of one answer, whatever comes: one request, or a stream. */
function unaryHandler<Call extends RawUnary | RawClientStream = RawUnary>(
  telemetry: CallTelemetry,
  path: string,
  answer: (incoming: Call, call: CallContext) => Promise<Buffer>,
): Handler {
  const handler = (call: Call, callback: (error: object | null, answer?: Buffer) => void) => {
    const observed = telemetry.start(path, call.metadata);
    const done = (code: status, error: object | null, bytes?: Buffer) => {
      observed.end(call.cancelled ? status.CANCELLED : code);
      callback(error, bytes);
    };
    observed
      .run(() => answer(call, contextOf(call, observed)))
      .then(
        (bytes) => done(status.OK, null, bytes),
        (thrown) => {
          const error = serviceError(observed.run(() => telemetry.describe(thrown, call.cancelled)));
          done(error.code, error);
        },
      );
  };
  return handler as Handler;
}

/** Ends with the signal's reason when that is aborted first: the library tells of it in no other way. */
async function* requestsOf(
  call: RawClientStream,
  signal: AbortSignal,
  decode: (bytes: Buffer) => unknown,
): AsyncGenerator<unknown> {
  const onAbort = () => call.destroy(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const bytes of call) yield decode(bytes as Buffer);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function streamHandler(
  telemetry: CallTelemetry,
  path: string,
  answer: (bytes: Buffer, call: CallContext) => AsyncIterable<Buffer>,
): Handler {
  return async (call: RawServerStream) => {
    const observed = telemetry.start(path, call.metadata);
    const context = contextOf(call, observed);
    const { signal } = context;
    try {
      for await (const bytes of observed.run(() => answer(call.request, context))) {
        if (signal.aborted) break;
        if (!call.write(bytes)) await drained(call, signal);
      }
      observed.end(signal.aborted ? status.CANCELLED : status.OK);
      call.end();
    } catch (thrown) {
      const error = serviceError(observed.run(() => telemetry.describe(thrown, call.cancelled)));
      observed.end(signal.aborted ? status.CANCELLED : error.code);
      call.emit('error', error);
    }
  };
}

/** The signal is made when a method first looks at it: most do not wait for anything. */
function contextOf(call: RawUnary | RawClientStream | RawServerStream, observed: ObservedCall): CallContext {
  let signal: AbortSignal | undefined;
  return {
    observed,
    tell: (key, value) => {
      const metadata = new Metadata();
      metadata.set(key, value);
      call.sendMetadata(metadata);
    },
    get signal() {
      signal ??= signalOf(call);
      return signal;
    },
  };
}

/** Resolves when the call takes more, and when the signal is aborted. It leaves no listeners: a stream may be long. */
async function drained(call: RawServerStream, signal: AbortSignal): Promise<void> {
  await once(call, 'drain', { signal }).catch(() => {});
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text of a message is UTF-8: by itself the reader puts other characters in the place of what is not. */
const decodeText = (bytes: Uint8Array) => utf8.decode(bytes);

function decodeMessage(definition: Definition, bytes: Buffer): unknown {
  try {
    // Generated decoders take either.
    return definition.requestDeserialize(new BinaryReader(bytes, decodeText) as unknown as Buffer);
  } catch (cause) {
    throw malformedRequest(definition.path, cause);
  }
}

export function malformedRequest(path: string, cause: unknown): AccreteError {
  const message = `The request is not a message of ${path}: ${(cause as Error).message}; build it from the published .proto files`;
  return new AccreteError('MALFORMED_MESSAGE', message, { cause });
}
