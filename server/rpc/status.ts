import { Metadata, status } from '@grpc/grpc-js';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';
import type { AccreteError, ErrorKind, ErrorReason } from '../errors.ts';

/** The one place that knows gRPC's codes: what went wrong, as google.rpc.Status with its details (AIP-193). */

export const ERROR_DOMAIN = 'accrete';

const CODE_OF_KIND: Readonly<Record<ErrorKind, status>> = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  notFound: status.NOT_FOUND,
  exists: status.ALREADY_EXISTS,
  outOfRange: status.OUT_OF_RANGE,
  aborted: status.ABORTED,
  failedPrecondition: status.FAILED_PRECONDITION,
  exhausted: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  unsupported: status.UNIMPLEMENTED,
  damaged: status.DATA_LOSS,
  internal: status.INTERNAL,
};

/** Details travel in a header: of many wrong fields only so many are named, as many as surely fit into 8 KiB. */
const DETAIL_BYTES_MAX = 6 * 1024;
/** The longest message, and value of a detail: what a request named may be of any length. */
export const TEXT_MAX = { message: 1024, metadata: 256 } as const;
/** The advice to those who are told to wait without a time. */
const RETRY_MS: Readonly<Partial<Record<ErrorReason, number>>> = {
  QUEUE_FULL: 100,
  APPEND_FAILED: 1000,
  MEMORY_FULL: 60_000,
  DISK_FULL: 10_000,
  JOBS_FULL: 5000,
};

/** An error as the status message of the wire. */
export function statusOf(error: AccreteError): Status {
  const details: Any[] = [any('ErrorInfo', ErrorInfo.encode(errorInfo(error)).finish())];
  if (error.violations.length > 0) details.push(any('BadRequest', badRequest(error)));
  const retryMs = error.retryAfterMs ?? RETRY_MS[error.reason];
  if (retryMs !== undefined) {
    const retryDelay = { seconds: BigInt(Math.floor(retryMs / 1000)), nanos: (retryMs % 1000) * 1e6 };
    details.push(any('RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
  }
  return { code: CODE_OF_KIND[error.kind], message: cut(error.message, TEXT_MAX.message), details };
}

/** An error as grpc-js ends a call with it: the status and, in its trailers, the details. */
export function serviceError(error: AccreteError): { code: status; details: string; metadata: Metadata } {
  const rich = statusOf(error);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(rich).finish()));
  return { code: rich.code, details: rich.message, metadata };
}

function errorInfo(error: AccreteError): ErrorInfo {
  const metadata = Object.entries(error.metadata).map(([key, value]) => [key, cut(value, TEXT_MAX.metadata)]);
  return { reason: error.reason, domain: ERROR_DOMAIN, metadata: Object.fromEntries(metadata) };
}

/** `lengthMax` characters at most, and never half of one: the library ends the process when it sends such a text. */
export function cut(text: string, lengthMax: number): string {
  return (text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text).toWellFormed();
}

/** As many violations as fit; the last one says how many more there are. */
function badRequest({ violations, violationCount }: AccreteError): Uint8Array {
  const fieldViolations: BadRequest['fieldViolations'] = [];
  let bytes = 0;
  for (const { field, description } of violations) {
    bytes += field.length + 3 * description.length + 8;
    if (bytes > DETAIL_BYTES_MAX) break;
    fieldViolations.push({ field, description, reason: '', localizedMessage: undefined });
  }
  const more = violationCount - fieldViolations.length;
  if (more > 0) {
    const [field] = violations[0].field.split('[');
    const description = `and ${more} more violations`;
    fieldViolations.push({ field, description, reason: '', localizedMessage: undefined });
  }
  return BadRequest.encode({ fieldViolations }).finish();
}

function any(name: string, value: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/google.rpc.${name}`, value: Buffer.from(value) };
}
