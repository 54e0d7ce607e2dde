"""What both kinds of channel are made with: the address, how it is secured, and what every call carries."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from accrete.v1.recommender_pb2 import RateRequest

try:
    from opentelemetry import propagate
except ImportError:  # then there is no trace to go on with
    propagate = None  # type: ignore[assignment]

DEFAULT_ADDRESS = "127.0.0.1:50051"
_LOOPBACK = re.compile(r"(unix(-abstract)?:|(dns:/*)?(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$))")
_OPTIONS = {
    # A dead connection is noticed within half a minute while calls are under way.
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
    # A server that was restarted is found again at once.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 1000,
    "grpc.max_reconnect_backoff_ms": 5000,
    "grpc.enable_retries": 1,
    "grpc.service_config": json.dumps(json.loads(files("accrete").joinpath("service-config.json").read_text("utf-8"))),
}

Token = str | Callable[[], str]


@dataclass(frozen=True)
class Tls:
    """How a connection is secured; the defaults trust whom the system trusts, and tell the server nothing."""

    ca: bytes | Path | None = None
    """Who signed the server's certificate, as PEM or the path of a file of it."""
    certificate: bytes | Path | None = None
    """The caller's own certificate, with its `key`, where the server asks for one (mTLS)."""
    key: bytes | Path | None = None
    server_name: str | None = None
    """The name in the server's certificate, where that is not the name in the address."""

    def credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(_read(self.ca), _read(self.key), _read(self.certificate))


class Settings(NamedTuple):
    """What a channel is made with."""

    address: str
    credentials: grpc.ChannelCredentials | None
    options: list[tuple[str, Any]]


def settings(
    address: str | None, tls: Tls | bool | None, token: Token | None, options: Sequence[tuple[str, Any]]
) -> Settings:
    """Checks what a caller of `connect` wants, and fills in what it left open."""
    address = address or os.environ.get("ACCRETE_ADDRESS") or DEFAULT_ADDRESS
    is_local = _LOOPBACK.match(address) is not None
    secured = (Tls() if not is_local else None) if tls is None else Tls() if tls is True else tls or None
    if token is not None and secured is None and not is_local:
        raise ValueError(f"a token would cross the network in the clear to {address}: leave tls as it is, or set it")
    merged = {**_OPTIONS, **dict(options)}
    if secured is not None and secured.server_name is not None:
        merged["grpc.ssl_target_name_override"] = secured.server_name
    return Settings(address, secured.credentials() if secured else None, list(merged.items()))


def headers(token: Token | None) -> list[tuple[str, str]]:
    """What every call carries: who calls, and the trace that it belongs to."""
    carried: dict[str, str] = {}
    if propagate is not None:
        propagate.inject(carried)
    if token is not None:
        carried["authorization"] = f"Bearer {token if isinstance(token, str) else token()}"
    return list(carried.items())


def with_request_id(request: Any) -> Any:
    """The request, with an id if it is a Rate without one: it is repeated when the server is away for a moment."""
    if not isinstance(request, RateRequest) or request.request_id:
        return request
    copy = RateRequest(request_id=str(uuid.uuid4()))
    copy.MergeFrom(request)
    return copy


def _read(pem: bytes | Path | None) -> bytes | None:
    return pem.read_bytes() if isinstance(pem, Path) else pem
