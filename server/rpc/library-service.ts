import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { malformedRequest, type ServedService } from './service.ts';
import { cut, serviceError, TEXT_MAX } from './status.ts';

/**
 * A service of a library (health, reflection) with its requests decoded here: grpc-js answers INTERNAL to bytes that are
 * no message, and all of this server's methods MALFORMED_MESSAGE. What it says of a failure is kept short: it travels in a
 * header, and one that is too large ends the client's connection.
 */
export function refuseMalformed(
  definition: ServiceDefinition,
  implementation: UntypedServiceImplementation,
): Omit<ServedService, 'rules'> {
  const raw: Record<string, Definition> = {};
  const handlers: Record<string, Handler> = {};
  for (const [name, method] of Object.entries(definition)) {
    raw[name] = { ...method, requestDeserialize: (bytes: Buffer) => bytes };
    handlers[name] = decoding(method, implementation[name] ?? implementation[method.originalName ?? name]);
  }
  return { definition: raw, implementation: handlers };
}

type Definition = ServiceDefinition[string];
type Handler = UntypedServiceImplementation[string];

/** What such a handler gets, as far as it matters here: `request` where there is one, `data` events otherwise. */
interface Call {
  request: unknown;
  emit(event: string, ...values: unknown[]): boolean;
}

type Callback = (error: object | null, answer: unknown) => void;

function shorten(error: { readonly details?: unknown }): object {
  return typeof error.details === 'string' ? { ...error, details: cut(error.details, TEXT_MAX.message) } : error;
}

function decoding({ path, requestStream, requestDeserialize }: Definition, handler: Handler): Handler {
  const serve = handler as unknown as (call: Call, callback?: Callback) => void;
  return (call: Call, callback?: Callback) => {
    const refuse = (cause: unknown) => {
      const error = serviceError(malformedRequest(path, cause));
      if (callback) callback(error, undefined);
      else call.emit('error', error);
    };
    if (requestStream) decodeEvents(call, requestDeserialize, refuse);
    else {
      try {
        call.request = requestDeserialize(call.request as Buffer);
      } catch (cause) {
        refuse(cause);
        return;
      }
    }
    serve(call, callback && ((error, answer) => callback(error && shorten(error), answer)));
  };
}

function decodeEvents(call: Call, decode: (bytes: Buffer) => unknown, refuse: (cause: unknown) => void): void {
  const emit = call.emit.bind(call);
  call.emit = (event, ...values) => {
    if (event !== 'data') return emit(event, ...values);
    let request: unknown;
    try {
      request = decode(values[0] as Buffer);
    } catch (cause) {
      refuse(cause);
      return false;
    }
    return emit(event, request);
  };
}
