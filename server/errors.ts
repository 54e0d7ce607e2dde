/** What a caller can do about a failure; every reason has one. */
export type ErrorKind =
  | 'invalid' // the request or the setting is wrong; change it
  | 'unauthenticated' // who asks is not known; show a token or a certificate that is
  | 'forbidden' // who asks may not do that
  | 'notFound' // what it names does not exist
  | 'exists' // what it would make is there already, and differs
  | 'outOfRange' // it asks for what has not happened yet, or is not kept any more
  | 'aborted' // something else is at it; try again when that is over
  | 'failedPrecondition' // the state of the system must change first
  | 'exhausted' // something is full; wait or make room
  | 'unavailable' // not now; try again
  | 'unsupported' // not by this server or this model
  | 'damaged' // stored bytes are wrong
  | 'internal'; // a fault of the program

/** The closed list of reasons: what went wrong, as a word that programs can rely on. */
const KIND_OF = {
  INVALID_FIELD: 'invalid',
  REQUEST_ID_REUSED: 'invalid',
  MALFORMED_MESSAGE: 'invalid',
  CREDENTIALS_MISSING: 'unauthenticated',
  CREDENTIALS_INVALID: 'unauthenticated',
  CREDENTIALS_EXPIRED: 'unauthenticated',
  ROLE_MISSING: 'forbidden',
  RATE_EXCEEDED: 'exhausted',
  MESSAGE_TOO_LARGE: 'exhausted',
  REQUEST_LATE: 'aborted',
  MODEL_NOT_FOUND: 'notFound',
  MODEL_EXISTS: 'exists',
  MODEL_IN_USE: 'failedPrecondition',
  MODEL_CHANGING: 'aborted',
  VERSION_NOT_FOUND: 'notFound',
  SCENARIO_NOT_FOUND: 'notFound',
  EXPERIMENT_NOT_FOUND: 'notFound',
  EXPERIMENT_EXISTS: 'exists',
  EXPERIMENT_FIXED: 'failedPrecondition',
  EXPERIMENT_ENDED: 'failedPrecondition',
  EXPERIMENTS_FULL: 'exhausted',
  LAYER_FULL: 'failedPrecondition',
  USER_NOT_FOUND: 'notFound',
  ITEM_NOT_FOUND: 'notFound',
  REVISION_BEYOND_LAST: 'outOfRange',
  REVISION_GONE: 'outOfRange',
  QUEUE_FULL: 'exhausted',
  MEMORY_FULL: 'exhausted',
  DISK_FULL: 'exhausted',
  JOBS_FULL: 'exhausted',
  MODELS_FULL: 'exhausted',
  DEVICE_FULL: 'exhausted',
  DEVICE_MISSING: 'failedPrecondition',
  APPEND_FAILED: 'unavailable',
  CHECKPOINT_FAILED: 'unavailable',
  CHECKPOINT_NOT_FOUND: 'notFound',
  DRAINING: 'unavailable',
  CAPABILITY_MISSING: 'unsupported',
  STORE_IN_USE: 'failedPrecondition',
  STORE_TOO_NEW: 'failedPrecondition',
  STORE_DAMAGED: 'damaged',
  STORE_EXISTS: 'exists',
  IMPORT_EXISTS: 'exists',
  IMPORT_NOT_FOUND: 'notFound',
  IMPORTS_FULL: 'exhausted',
  IMPORT_IDLE: 'aborted',
  PEER_FAILED: 'unavailable',
  FILE_DAMAGED: 'damaged',
  FILE_FOREIGN: 'invalid',
  USER_FORGOTTEN: 'failedPrecondition',
  CONFIG_INVALID: 'invalid',
  PLUGIN_INVALID: 'invalid',
  MODEL_FAILED: 'failedPrecondition',
  TOO_FEW_EVENTS: 'failedPrecondition',
  WINDOW_SEEN: 'failedPrecondition',
  ALREADY_FUSED: 'failedPrecondition',
  INTERNAL: 'internal',
} as const satisfies Record<string, ErrorKind>;

export type ErrorReason = keyof typeof KIND_OF;

/** One wrong field: its path (`ratings[17].value`, `rating.min`) and what is wrong with it. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

export interface ErrorDetails {
  readonly violations?: readonly FieldViolation[];
  /** How many violations there are, where only the first of them are listed. */
  readonly violationCount?: number;
  /** What the message names, for programs: ids, limits, names. Sent to the client. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** How long to wait before the next try, in milliseconds. Absent: the server has no advice. */
  readonly retryAfterMs?: number;
}

/** The form that crosses a thread: plain JSON, without the cause. */
export interface PlainError extends ErrorDetails {
  readonly reason: ErrorReason;
  readonly message: string;
}

/**
 * Every failure that is expected to happen. The message says what failed, for which id, and what to do; it is sent to
 * the client. The cause is not: it stays in the thread where it was caught, to be logged there.
 */
export class AccreteError extends Error {
  override readonly name = 'AccreteError';
  readonly reason: ErrorReason;
  readonly violations: readonly FieldViolation[];
  readonly violationCount: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  constructor(reason: ErrorReason, message: string, details: ErrorDetails & { readonly cause?: unknown } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.reason = reason;
    this.violations = details.violations ?? [];
    this.violationCount = details.violationCount ?? this.violations.length;
    this.metadata = details.metadata ?? {};
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Rebuilds the error on the other side of a thread. An unknown reason becomes INTERNAL and is named in the metadata. */
  static from(plain: PlainError): AccreteError {
    if (Object.hasOwn(KIND_OF, plain.reason)) return new AccreteError(plain.reason, plain.message, plain);
    return new AccreteError('INTERNAL', plain.message, { metadata: { ...plain.metadata, reason: plain.reason } });
  }

  /** An AccreteError as it is; anything else as INTERNAL with the original as its cause, which a client never sees. */
  static wrap(error: unknown): AccreteError {
    if (error instanceof AccreteError) return error;
    return new AccreteError('INTERNAL', 'internal error; the log of the server has its cause', { cause: error });
  }

  get kind(): ErrorKind {
    return KIND_OF[this.reason];
  }

  toJSON(): PlainError {
    return {
      reason: this.reason,
      message: this.message,
      violations: this.violations,
      violationCount: this.violationCount,
      metadata: this.metadata,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
    };
  }
}

/** INVALID_FIELD of one field; `description` continues its path. */
export function invalidField(field: string, description: string): AccreteError {
  return new AccreteError('INVALID_FIELD', `${field} ${description}`, { violations: [{ field, description }] });
}

/** Every reason, for tables that must cover them all. */
export const ERROR_REASONS = Object.keys(KIND_OF) as readonly ErrorReason[];
