import assert from 'node:assert/strict';
import { type ServiceError, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';

/** What a client reads of a failed call. */
export interface Failure {
  readonly code: keyof typeof status;
  readonly message: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Descriptions of bad fields by their path. */
  readonly fields: Readonly<Record<string, string>>;
  readonly retryMs: number | undefined;
}

const DETAIL = 'type.googleapis.com/google.rpc.';

/** Reads a status, and asserts what holds for every one: exactly one ErrorInfo, each type of detail at most once. */
export function readStatus({ code, message, details }: Status): Failure {
  const types = details.map(({ typeUrl }) => typeUrl);
  assert.equal(new Set(types).size, types.length, `a type of detail comes twice: ${types}`);
  const find = (type: string) => details.find(({ typeUrl }) => typeUrl === DETAIL + type)?.value;
  const info = find('ErrorInfo');
  assert(info, `"${message}" has no ErrorInfo, but ${types}`);
  const { reason, domain, metadata } = ErrorInfo.decode(info);
  assert.equal(domain, 'accrete');
  assert.match(reason, /^[A-Z][A-Z_]+[A-Z]$/);
  const badRequest = find('BadRequest');
  const violations = badRequest ? BadRequest.decode(badRequest).fieldViolations : [];
  const retry = find('RetryInfo');
  return {
    code: status[code] as keyof typeof status,
    message,
    reason,
    metadata,
    fields: Object.fromEntries(violations.map(({ field, description }) => [field, description])),
    retryMs: retry && millisecondsOf(RetryInfo.decode(retry)),
  };
}

/** Reads what a call failed with; the status in the details must say the same as that of the call. */
export function readFailure(error: unknown): Failure {
  const { code, details, metadata } = error as ServiceError;
  assert(metadata, String(error));
  const [bytes, ...more] = metadata.get('grpc-status-details-bin');
  assert(bytes instanceof Buffer && more.length === 0, `"${status[code]}: ${details}" has no details`);
  const rich = Status.decode(bytes);
  assert.deepEqual([rich.code, rich.message], [code, details]);
  return readStatus(rich);
}

/** The failure of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  return readFailure(await errorOf(call));
}

/** The error of a call that must fail, whoever made it: also one that the gRPC library refused by itself. */
export async function errorOf(call: Promise<unknown>): Promise<ServiceError> {
  const answer = await call.then(
    (value) => ({ value }),
    (error: ServiceError) => ({ error }),
  );
  assert('error' in answer, 'the call should have failed');
  return answer.error;
}

function millisecondsOf({ retryDelay }: RetryInfo): number {
  assert(retryDelay, 'RetryInfo without a delay');
  return Number(retryDelay.seconds) * 1000 + retryDelay.nanos / 1e6;
}
