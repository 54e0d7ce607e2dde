"""A connection to a server, for programs that block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

import grpc

from accrete._channel import Tls, Token, settings
from accrete._interceptor import Interceptor
from accrete._waiting import probe
from accrete.errors import AccreteError
from accrete.rating_stream import RatingStream
from accrete.v1.catalog_pb2_grpc import CatalogServiceStub
from accrete.v1.experiment_pb2_grpc import ExperimentServiceStub
from accrete.v1.import_pb2_grpc import ImportServiceStub
from accrete.v1.model_pb2 import ListModelsRequest
from accrete.v1.model_pb2_grpc import ModelServiceStub
from accrete.v1.rating_pb2 import Rating
from accrete.v1.recommender_pb2 import RateRequest, RateResponse
from accrete.v1.recommender_pb2_grpc import RecommenderServiceStub
from accrete.v1.user_pb2_grpc import UserServiceStub


def connect(
    address: str | None = None,
    *,
    tls: Tls | bool | None = None,
    token: Token | None = None,
    options: Sequence[tuple[str, Any]] = (),
    interceptors: Sequence[Any] = (),
) -> Client:
    """Connects to a server; the first call opens the connection.

    `address`: `host:port` or `unix:path`; by default `ACCRETE_ADDRESS`, or the server of this machine.
    `tls`: how the connection is secured; by default it is, unless the address is of this machine.
    `token`: the bearer token that says who calls, or what gives one for each call.
    `options`, `interceptors`: gRPC's own, added to those that are set here.
    """
    found = settings(address, tls, token, options)
    if found.credentials is None:
        channel = grpc.insecure_channel(found.address, options=found.options)
    else:
        channel = grpc.secure_channel(found.address, found.credentials, options=found.options)
    return Client(grpc.intercept_channel(channel, Interceptor(token, found.address), *interceptors))


class Client:
    """The services of a server; their calls have the names of the contract, and fail with an `AccreteError`.

    Calls that are safe to repeat are repeated while the server is UNAVAILABLE for a moment. It may be used by many
    threads at once.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.recommender = RecommenderServiceStub(channel)
        self.models = ModelServiceStub(channel)
        self.users = UserServiceStub(channel)
        self.catalog = CatalogServiceStub(channel)
        self.imports = ImportServiceStub(channel)
        self.experiments = ExperimentServiceStub(channel)

    def rate(
        self, ratings: Iterable[Rating], *, return_predictions: Iterable[str] = (), timeout: float | None = None
    ) -> RateResponse:
        """Learns a batch of ratings: all of it or none, and once, however often it has to be sent."""
        request = RateRequest(ratings=ratings, return_predictions=return_predictions)
        return self.recommender.Rate(request, timeout=timeout)

    def rating_stream(
        self,
        *,
        batch_size: int = 500,
        max_in_flight: int = 8,
        give_up_after: float = 60.0,
        on_refused: Callable[[AccreteError], None] | None = None,
    ) -> RatingStream:
        """Sends many ratings, in batches of at most `batch_size`, of which `max_in_flight` may wait for their answers.
        It gives up when the server is away for so many seconds."""
        return RatingStream(
            self.recommender,
            batch_size=batch_size,
            max_in_flight=max_in_flight,
            give_up_after=give_up_after,
            on_refused=on_refused,
        )

    def wait_for_revision(self, revision: str, timeout: float = 30.0) -> None:
        """Waits until what was answered with this revision, to anybody, is part of recommendations."""
        models = self.models.ListModels(ListModelsRequest(page_size=1000), timeout=timeout).models
        self.recommender.Recommend(probe(models, revision), timeout=timeout)

    def close(self) -> None:
        """Ends the connection, and with it the calls that are under way."""
        self.channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
