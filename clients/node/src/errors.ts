import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Rating } from './gen/accrete/v1/rating.ts';
import { BadRequest, ErrorInfo, RetryInfo } from './gen/google/rpc/error_details.ts';
import { Status } from './gen/google/rpc/status.ts';

/** What a call can fail with: one class for each gRPC status, filled from the details that the server sends along. */

/** The name of a gRPC status: `NOT_FOUND`. */
export type Code = keyof typeof status;

/** A field that the server refused. */
export interface Violation {
  /** Its path in the request: `ratings[17].value`. */
  readonly field: string;
  readonly description: string;
}

/** What a failed call says of itself. */
interface Failure {
  readonly code: Code;
  readonly message: string;
  readonly details?: Status | undefined;
  readonly cause?: unknown;
}

/** A call that failed: look at its class, its `code` or its `reason`. */
export class AccreteError extends Error {
  readonly code: Code;
  /** What failed, for programs: `MODEL_NOT_FOUND`. Empty when the error comes from no server of Accrete. */
  readonly reason: string;
  /** What `reason` is about: the name of a model, a limit. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that are wrong, of an `InvalidArgumentError`. */
  readonly violations: readonly Violation[];
  /** When it is worth trying again. Undefined: waiting does not help, or nobody knows. */
  readonly retryAfterMs: number | undefined;
  /** The batch that a `RatingStream` had refused. */
  readonly ratings: readonly Rating[];

  constructor({ code, message, details, cause }: Failure, ratings: readonly Rating[] = []) {
    const info = find(details, 'ErrorInfo', ErrorInfo);
    super(`${info?.reason ?? code}: ${message}`, { cause });
    this.name = new.target.name;
    this.code = code;
    this.reason = info?.reason ?? '';
    this.metadata = info?.metadata ?? {};
    this.violations = find(details, 'BadRequest', BadRequest)?.fieldViolations ?? [];
    const delay = find(details, 'RetryInfo', RetryInfo)?.retryDelay;
    this.retryAfterMs = delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    this.ratings = ratings;
  }

  /** Whether the way to the server broke, so that nobody knows what became of the call. */
  get isLostConnection(): boolean {
    return this.code === 'UNAVAILABLE' || (this.code === 'INTERNAL' && this.reason === '');
  }
}

/** The call was cancelled, usually by the caller. */
export class CancelledError extends AccreteError {}
/** Something between here and the server failed without saying what. */
export class UnknownError extends AccreteError {}
/** The request is wrong in itself; `violations` names the fields. */
export class InvalidArgumentError extends AccreteError {}
/** There was no answer in time. A write may have been taken. */
export class DeadlineExceededError extends AccreteError {}
/** What the request names is not there. */
export class NotFoundError extends AccreteError {}
/** What was to be made is there already, and is another. */
export class AlreadyExistsError extends AccreteError {}
/** The caller is known, and may not do this. */
export class PermissionDeniedError extends AccreteError {}
/** Something is full; `retryAfterMs` says when to try again, where that helps. */
export class ResourceExhaustedError extends AccreteError {}
/** The server's state is not such that it could be done. */
export class FailedPreconditionError extends AccreteError {}
/** Somebody else is changing the same thing. */
export class AbortedError extends AccreteError {}
/** It is about a revision that does not exist yet, or no more. */
export class OutOfRangeError extends AccreteError {}
/** The server, or the model, cannot do this. */
export class UnimplementedError extends AccreteError {}
/** The server has a defect. */
export class InternalError extends AccreteError {}
/** The server is not there, or stopping. A write may have been taken: repeat it with the same `requestId`. */
export class UnavailableError extends AccreteError {}
/** Something on the server's disk, or in a file that was sent, is damaged. */
export class DataLossError extends AccreteError {}
/** The server does not know who calls: there is no token, or not a good one. */
export class UnauthenticatedError extends AccreteError {}

const CLASSES: Readonly<Partial<Record<Code, typeof AccreteError>>> = {
  CANCELLED: CancelledError,
  UNKNOWN: UnknownError,
  INVALID_ARGUMENT: InvalidArgumentError,
  DEADLINE_EXCEEDED: DeadlineExceededError,
  NOT_FOUND: NotFoundError,
  ALREADY_EXISTS: AlreadyExistsError,
  PERMISSION_DENIED: PermissionDeniedError,
  RESOURCE_EXHAUSTED: ResourceExhaustedError,
  FAILED_PRECONDITION: FailedPreconditionError,
  ABORTED: AbortedError,
  OUT_OF_RANGE: OutOfRangeError,
  UNIMPLEMENTED: UnimplementedError,
  INTERNAL: InternalError,
  UNAVAILABLE: UnavailableError,
  DATA_LOSS: DataLossError,
  UNAUTHENTICATED: UnauthenticatedError,
};

/** The error that a call of gRPC ended with; `address` is where the server was looked for. */
export function toError(error: ServiceError, address: string): unknown {
  if (!(error.metadata && typeof error.code === 'number')) return error;
  const details = detailsOf(error.metadata);
  const isUnanswered = error.code === status.UNAVAILABLE && !details;
  const message = isUnanswered ? unanswered(address, error.details) : error.details;
  return make({ code: codeOf(error.code), message, details, cause: error });
}

/** What to do where gRPC found no server, or lost it. */
function unanswered(address: string, details: string): string {
  return `no server answers at ${address}: start one, or give its address as host:port or unix:path (${details})`;
}

/** The error that a status in an answer stands for. */
export function ofStatus(details: Status, ratings: readonly Rating[]): AccreteError {
  return make({ code: codeOf(details.code), message: details.message, details }, ratings);
}

/** The error for a stream that ended too early without one. */
export function lostConnection(message: string): AccreteError {
  return make({ code: 'UNAVAILABLE', message });
}

function make(failure: Failure, ratings?: readonly Rating[]): AccreteError {
  const Class = CLASSES[failure.code] ?? AccreteError;
  return new Class(failure, ratings);
}

function codeOf(code: number): Code {
  return (status[code] ?? 'UNKNOWN') as Code;
}

function detailsOf(metadata: Metadata): Status | undefined {
  const [bytes] = metadata.get('grpc-status-details-bin');
  return bytes instanceof Uint8Array ? Status.decode(bytes) : undefined;
}

function find<T>(status: Status | undefined, name: string, type: { decode(bytes: Uint8Array): T }): T | undefined {
  const detail = status?.details.find(({ typeUrl }) => typeUrl.endsWith(`/google.rpc.${name}`));
  return detail && type.decode(detail.value);
}
