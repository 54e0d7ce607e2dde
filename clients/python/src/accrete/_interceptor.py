"""What is done to every call of a blocking channel: headers, request ids, errors of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc

from accrete._channel import Token, headers, with_request_id
from accrete.errors import AccreteError, typed_errors


@dataclass(frozen=True)
class Details(grpc.ClientCallDetails):
    """A call as gRPC wants it described."""

    method: Any
    timeout: Any
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any = None


def with_headers(details: Any, token: Token | None) -> Details:
    """The call with what every call carries."""
    metadata = [*(details.metadata or ()), *headers(token)]
    compression = getattr(details, "compression", None)
    return Details(details.method, details.timeout, metadata, details.credentials, details.wait_for_ready, compression)


class Interceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    def __init__(self, token: Token | None, address: str) -> None:
        self._token = token
        self._address = address

    def _intercept(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:
        call = continuation(with_headers(details, self._token), with_request_id(request))
        return TypedCall(call, self._address)

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._intercept(continuation, client_call_details, request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._intercept(continuation, client_call_details, request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._intercept(continuation, client_call_details, request_iterator)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._intercept(continuation, client_call_details, request_iterator)


class TypedCall:
    """A call of gRPC's that fails with errors of ours."""

    def __init__(self, call: Any, address: str) -> None:
        self._call = call
        self._address = address

    def result(self, timeout: float | None = None) -> Any:
        with typed_errors(self._address):
            return self._call.result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        error = self._call.exception(timeout)
        return AccreteError.of_call(error, self._address) if isinstance(error, grpc.RpcError) else error

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with typed_errors(self._address):
            return next(self._call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
