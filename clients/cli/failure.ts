import { type Metadata, status } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../../proto/gen/google/rpc/error_details.ts';
import { Status } from '../../proto/gen/google/rpc/status.ts';

/** What a command ends with; `accrete --help` lists them. */
export const EXIT = {
  /** All was done. */
  ok: 0,
  /** A call failed, or a file could not be read. */
  failed: 1,
  /** The command was written wrong; nothing was called. */
  usage: 2,
  /** An import is complete, less some lines that were left out. */
  incomplete: 3,
  /** A new version of a model was made, and did not pass its test. */
  declined: 4,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** One thing that is wrong: a field of the request (`ratings[17].value`) or a line of a file (`line 17`). */
export interface Fault {
  readonly field: string;
  readonly description: string;
}

/** Why a command failed, for people and programs. */
export class Failure extends Error {
  /** A word that programs can rely on: the server's reason (`MODEL_NOT_FOUND`), else gRPC's code. */
  readonly reason: string;
  readonly faults: readonly Fault[];

  constructor(reason: string, message: string, faults: readonly Fault[] = []) {
    super(message);
    this.reason = reason;
    this.faults = faults;
  }

  /** A line, and one for each fault that it does not tell itself. */
  override toString(): string {
    const faults = this.faults.map(({ field, description }) => `${field} ${description}`);
    const untold = faults.filter((fault) => !this.message.includes(fault));
    return [`${this.reason}: ${this.message}`, ...untold].join('\n  ');
  }

  toJSON(): object {
    return { reason: this.reason, message: this.message, faults: this.faults };
  }
}

/** The command was written wrong. */
export class UsageError extends Error {}

/** How gRPC says that a call failed. */
export interface CallStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** A failed call, with what its `google.rpc.Status` says; `address` is where the server was looked for. */
export function callFailure({ code, details, metadata }: CallStatus, address: string): Failure {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (bytes instanceof Buffer) return statusFailure(Status.decode(bytes));
  return new Failure(status[code], explain(code, details, address));
}

/** A refusal as the server describes it. */
export function statusFailure({ code, message, details }: Status): Failure {
  const find = (name: string) => details.find(({ typeUrl }) => typeUrl.endsWith(`/google.rpc.${name}`))?.value;
  const info = find('ErrorInfo');
  const badRequest = find('BadRequest');
  const reason = info ? ErrorInfo.decode(info).reason : status[code];
  const violations = badRequest ? BadRequest.decode(badRequest).fieldViolations : [];
  return new Failure(
    reason,
    message,
    violations.map(({ field, description }) => ({ field, description })),
  );
}

/** What to do about a failure that no server explained. */
function explain(code: status, details: string, address: string): string {
  switch (code) {
    case status.UNAVAILABLE:
      return `no server answers at ${address}: start one with \`accrete serve\`, or say where it is with --address (${connectionError(details)})`;
    case status.DEADLINE_EXCEEDED:
      return 'no answer in time: raise --timeout; what was asked may have been done';
    case status.UNIMPLEMENTED:
      return `the server at ${address} does not know this call: is it an Accrete server of this version? (${details})`;
    case status.RESOURCE_EXHAUSTED:
      return `${details}: send less at once`;
    default:
      return details;
  }
}

/** The system's error, out of what gRPC tells of all its tries. */
function connectionError(details: string): string {
  return /Last error: (?:Error: )?(.*?)\. Resolution note/.exec(details)?.[1] ?? details;
}
