import type { Http2Session, ServerHttp2Stream } from 'node:http2';
import { TLSSocket } from 'node:tls';
import {
  type ServerInterceptingCallInterface as Call,
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { type Access, missing } from '../access/access.ts';
import { namesOf } from '../access/certificate-names.ts';
import type { Principal } from '../access/principal.ts';
import { covers, type Rule } from '../access/role.ts';
import type { Usage } from '../access/usage.ts';
import { AccreteError } from '../errors.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { serviceError } from './status.ts';

/**
 * Asks callers who they are before anything of a request is read, and holds them to their limits. It is there only where
 * authentication is configured; without, calls do not pass it.
 */

export interface AdmissionParts {
  readonly access: Access;
  /** What each method asks of its caller, by its path. What is not in it nobody may call. */
  readonly rules: ReadonlyMap<string, Rule>;
  readonly telemetry: CallTelemetry;
  /** How long the request of a call that has one may take to come. */
  readonly requestTimeoutMs: number;
}

const callers = new WeakMap<Metadata, Principal>();

/** Who calls; undefined where nobody is asked. */
export function callerOf(metadata: Metadata): Principal | undefined {
  return callers.get(metadata);
}

export function admission(parts: AdmissionParts): ServerInterceptor {
  return ({ path, requestStream }, call) => {
    const admitted = new AdmittedCall(parts, path, requestStream, call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, take) => admitted.begin(metadata, take),
          onReceiveMessage: (message: Buffer, take) => admitted.receive(message, take),
          onCancel: () => admitted.end(),
        }),
    });
  };
}

const AUTHORIZATION = 'authorization';
const BEARER = /^bearer +/i;

class AdmittedCall {
  readonly #parts: AdmissionParts;
  readonly #path: string;
  readonly #isStream: boolean;
  readonly #call: Call;
  #principal: Principal | undefined;
  #usage: Usage | undefined;
  #token: string | undefined;
  #generation = 0;
  #messages = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(parts: AdmissionParts, path: string, isStream: boolean, call: Call) {
    this.#parts = parts;
    this.#path = path;
    this.#isStream = isStream;
    this.#call = call;
  }

  begin(metadata: Metadata, take: (metadata: Metadata) => void): void {
    const rule = this.#parts.rules.get(this.#path);
    const [header] = metadata.get(AUTHORIZATION);
    // Whatever comes after does not see it: no log, no span, no error.
    metadata.remove(AUTHORIZATION);
    if (rule === 'anyone') {
      take(metadata);
      return;
    }
    this.#token = typeof header === 'string' ? header.replace(BEARER, '') : undefined;
    const admit = (principal: Principal) => {
      if (this.#ended) return;
      this.#admit(principal, rule);
      callers.set(metadata, principal);
      take(metadata);
    };
    this.#identify(admit);
  }

  /** A request, or one of a stream: the first of them counts as the call. */
  receive(message: Buffer, take: (message: Buffer) => void): void {
    clearTimeout(this.#timer);
    const principal = this.#principal;
    const max = principal?.limits.messageBytes ?? 0;
    if (max > 0 && message.length > max) {
      this.#refuse(tooLarge(message.length, max));
      return;
    }
    if (!principal || this.#messages++ === 0) {
      take(message);
      return;
    }
    if (this.#generation !== this.#parts.access.generation) {
      // The files were read anew: whoever is not in them any more has no more to say.
      this.#identify((found) => {
        if (this.#ended) return;
        // The stream is that namespace's which it began in.
        if (found.namespace !== principal.namespace) throw movedNamespace();
        this.#admit(found, this.#parts.rules.get(this.#path), false);
        this.#pass(message, take);
      });
      return;
    }
    this.#attempt(() => {
      this.#parts.access.requireLasting(principal);
      this.#pass(message, take);
    });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    if (this.#usage) this.#usage.running--;
  }

  /** A stream is not read faster than its client may ask; nothing of it is refused for that. */
  #pass(message: Buffer, take: (message: Buffer) => void): void {
    if (this.#ended || !this.#principal || !this.#usage) return;
    const waitMs = this.#usage.take(this.#principal.limits.callsPerSecond, performance.now());
    if (waitMs === 0) take(message);
    else this.#timer = setTimeout(() => this.#pass(message, take), waitMs);
  }

  #identify(then: (principal: Principal) => void): void {
    this.#attempt(() => {
      const found = this.#find();
      if (!(found instanceof Promise)) {
        then(found);
        return;
      }
      found.then(
        (principal) => this.#attempt(() => then(principal)),
        (error) => this.#refuse(error),
      );
    });
  }

  #find(): Principal | Promise<Principal> {
    const { access } = this.#parts;
    this.#generation = access.generation;
    if (this.#token !== undefined && this.#token !== '') return access.admitToken(this.#token);
    const certificate = certificateOf(streamOf(this.#call)?.session);
    const principal = certificate && access.admitCertificate(certificate.names, certificate.expiresMs);
    if (!principal) throw certificate ? unknownCertificate() : missing();
    return principal;
  }

  /** Throws ROLE_MISSING, RATE_EXCEEDED. `counts`: as a call. */
  #admit(principal: Principal, rule: Rule | undefined, counts = true): void {
    if (rule === undefined || !covers(principal.role, rule)) throw roleMissing(this.#path.slice(1), principal, rule);
    this.#principal = principal;
    if (!counts) return;
    const usage = this.#parts.access.usageOf(principal);
    const { concurrentCalls, callsPerSecond } = principal.limits;
    if (concurrentCalls > 0 && usage.running >= concurrentCalls)
      throw exceeded(`runs ${usage.running} calls, as many as it may at once`, RETRY_MS, principal);
    const waitMs = usage.take(callsPerSecond, performance.now());
    if (waitMs > 0) throw exceeded(`may ask ${callsPerSecond} calls a second`, waitMs, principal);
    usage.running++;
    this.#usage = usage;
    if (!this.#isStream)
      this.#timer = setTimeout(() => this.#refuse(late(this.#parts.requestTimeoutMs)), this.#parts.requestTimeoutMs);
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(thrown: unknown): void {
    if (this.#ended) return;
    const { telemetry } = this.#parts;
    const error = serviceError(telemetry.describe(thrown, false));
    telemetry.refused(this.#path, error.code);
    const stream = streamOf(this.#call);
    // After an answer the status follows by itself, when that is sent.
    const isAnswered = stream?.headersSent;
    this.#call.sendStatus(error);
    this.end();
    // What is still to come of the request is not waited for.
    const close = () => stream?.close();
    if (isAnswered) setTimeout(close, LAST_WORDS_MS).unref();
    else setImmediate(close);
  }
}

const RETRY_MS = 100;
const LAST_WORDS_MS = 1000;

/** The stream of a call, which the library keeps to itself. */
function streamOf(call: Call): ServerHttp2Stream | undefined {
  return (call as unknown as { readonly stream?: ServerHttp2Stream }).stream;
}

interface KnownCertificate {
  readonly names: readonly string[];
  readonly expiresMs: number;
}

/** Looked at once a connection: taking one apart costs more than a call. */
const certificates = new WeakMap<object, KnownCertificate | { readonly names: undefined }>();

/** The certificate that a client has shown and that its authority has signed. */
function certificateOf(session: Http2Session | undefined): KnownCertificate | undefined {
  if (!session || session.destroyed) return undefined;
  let known = certificates.get(session);
  if (!known) {
    known = readCertificate(session);
    certificates.set(session, known);
  }
  return known.names ? known : undefined;
}

function readCertificate(session: Http2Session): KnownCertificate | { readonly names: undefined } {
  const { socket } = session;
  // The session hands out a proxy of its socket, which is an instance of the same class.
  if (!(socket instanceof TLSSocket) || !socket.authorized) return { names: undefined };
  const certificate = socket.getPeerCertificate();
  if (!certificate?.raw) return { names: undefined };
  return { names: namesOf(certificate), expiresMs: Date.parse(certificate.valid_to) };
}

function roleMissing(method: string, { name, role }: Principal, rule: Rule | undefined): AccreteError {
  const message = `${method} takes the role ${rule ?? 'of nobody'}, and ${name} has ${role}: ask whoever keeps the file of the clients`;
  return new AccreteError('ROLE_MISSING', message, { metadata: { method, role, needed: String(rule) } });
}

function exceeded(what: string, retryAfterMs: number, { name }: Principal): AccreteError {
  return new AccreteError('RATE_EXCEEDED', `${name} ${what}: try again later`, {
    metadata: { client: name },
    retryAfterMs,
  });
}

function tooLarge(bytes: number, max: number): AccreteError {
  const message = `The message has ${bytes} bytes, and this client may send ${max}: send less at once`;
  return new AccreteError('MESSAGE_TOO_LARGE', message, { metadata: { bytes: String(bytes), max: String(max) } });
}

function late(ms: number): AccreteError {
  return new AccreteError(
    'REQUEST_LATE',
    `The request did not come within ${ms} ms (auth.requestTimeoutMs): send it again`,
  );
}

function movedNamespace(): AccreteError {
  const message = 'The client has another namespace since the stream began: begin a new one';
  return new AccreteError('CREDENTIALS_INVALID', message);
}

function unknownCertificate(): AccreteError {
  const message = 'The certificate is good, and no client of the file has its names: add one of them to auth.clients';
  return new AccreteError('CREDENTIALS_INVALID', message);
}
