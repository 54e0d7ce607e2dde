"""What a call can fail with: one class for each gRPC status, filled from the details that the server sends along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from accrete.v1.rating_pb2 import Rating

_DETAILS = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class Violation:
    """A field that the server refused."""

    field: str
    """Its path in the request: `ratings[17].value`."""
    description: str


class AccreteError(Exception):
    """A call that failed. Catch a subclass, or look at `code` and `reason`."""

    code: grpc.StatusCode
    message: str
    """What failed and what to do about it, for people."""
    reason: str
    """What failed, for programs: `MODEL_NOT_FOUND`. Empty when the error comes from no server of Accrete."""
    metadata: dict[str, str]
    """What `reason` is about: the name of a model, a limit."""
    violations: tuple[Violation, ...]
    """The fields that are wrong, of an `InvalidArgumentError`."""
    retry_after: timedelta | None
    """When it is worth trying again. None: waiting does not help, or nobody knows."""
    ratings: Sequence[Rating] = ()
    """The batch that a `RatingStream` had refused."""

    def __init__(self, code: grpc.StatusCode, message: str, details: Status | None = None) -> None:
        info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
        for detail in details.details if details else ():
            for known in (info, bad, retry):
                if detail.Is(known.DESCRIPTOR):
                    detail.Unpack(known)
        self.code = code
        self.message = message
        self.reason = info.reason
        self.metadata = dict(info.metadata)
        self.violations = tuple(Violation(each.field, each.description) for each in bad.field_violations)
        self.retry_after = retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None
        super().__init__(" ".join(part for part in (self.reason or code.name, message) if part))

    @property
    def is_lost_connection(self) -> bool:
        """Whether the way to the server broke, so that nobody knows what became of the call."""
        # gRPC tells INTERNAL of a stream that breaks while it is written to; the server would give a reason.
        return self.code is grpc.StatusCode.UNAVAILABLE or (self.code is grpc.StatusCode.INTERNAL and not self.reason)

    @staticmethod
    def of(code: grpc.StatusCode, message: str, details: Status | None = None) -> AccreteError:
        """The error of the class that belongs to `code`."""
        return _CLASSES.get(code, AccreteError)(code, message, details)

    @staticmethod
    def of_status(status: Status) -> AccreteError:
        """The error that a `google.rpc.Status` in an answer stands for."""
        return AccreteError.of(_CODES.get(status.code, grpc.StatusCode.UNKNOWN), status.message, status)

    @staticmethod
    def of_call(error: grpc.RpcError, address: str) -> AccreteError:
        """The error that a call ended with; `address` is where the server was looked for."""
        if not isinstance(error, (grpc.Call, grpc.aio.AioRpcError)):
            return AccreteError.of(grpc.StatusCode.UNKNOWN, str(error))
        trailers = dict(error.trailing_metadata() or ())
        rich = trailers.get(_DETAILS)
        status = Status.FromString(rich) if isinstance(rich, bytes) else None
        message = error.details() or ""
        if error.code() is grpc.StatusCode.UNAVAILABLE and status is None:
            hint = "start one, or give its address as host:port or unix:path"
            message = f"no server answers at {address}: {hint} ({message})"
        return AccreteError.of(error.code(), message, status)


class CancelledError(AccreteError):
    """The call was cancelled, usually by the caller."""


class UnknownError(AccreteError):
    """Something between here and the server failed without saying what."""


class InvalidArgumentError(AccreteError):
    """The request is wrong in itself; `violations` names the fields."""


class DeadlineExceededError(AccreteError):
    """There was no answer in time. A write may have been taken."""


class NotFoundError(AccreteError):
    """What the request names is not there."""


class AlreadyExistsError(AccreteError):
    """What was to be made is there already, and is another."""


class PermissionDeniedError(AccreteError):
    """The caller is known, and may not do this."""


class ResourceExhaustedError(AccreteError):
    """Something is full; `retry_after` says when to try again, where that helps."""


class FailedPreconditionError(AccreteError):
    """The server's state is not such that it could be done."""


class AbortedError(AccreteError):
    """Somebody else is changing the same thing."""


class OutOfRangeError(AccreteError):
    """It is about a revision that does not exist yet, or no more."""


class UnimplementedError(AccreteError):
    """The server, or the model, cannot do this."""


class InternalError(AccreteError):
    """The server has a defect."""


class UnavailableError(AccreteError):
    """The server is not there, or stopping. A write may have been taken: repeat it with the same `request_id`."""


class DataLossError(AccreteError):
    """Something on the server's disk, or in a file that was sent, is damaged."""


class UnauthenticatedError(AccreteError):
    """The server does not know who calls: there is no token, or not a good one."""


_CLASSES: dict[grpc.StatusCode, type[AccreteError]] = {
    grpc.StatusCode.CANCELLED: CancelledError,
    grpc.StatusCode.UNKNOWN: UnknownError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPreconditionError,
    grpc.StatusCode.ABORTED: AbortedError,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRangeError,
    grpc.StatusCode.UNIMPLEMENTED: UnimplementedError,
    grpc.StatusCode.INTERNAL: InternalError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DATA_LOSS: DataLossError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
}


@contextmanager
def typed_errors(address: str) -> Iterator[None]:
    """Turns what gRPC raises inside, in a call of a server at `address`, into an `AccreteError`."""
    try:
        yield
    except grpc.RpcError as error:
        raise AccreteError.of_call(error, address) from error
    except grpc.FutureCancelledError as error:
        raise CancelledError(grpc.StatusCode.CANCELLED, "the call was cancelled") from error
