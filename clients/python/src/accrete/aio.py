"""The same as `accrete`, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc

from accrete._channel import Tls, Token, settings, with_request_id
from accrete._interceptor import with_headers
from accrete._waiting import probe
from accrete.aio_rating_stream import RatingStream
from accrete.errors import AccreteError, typed_errors
from accrete.paging import async_pages as pages
from accrete.v1.catalog_pb2_grpc import CatalogServiceStub
from accrete.v1.experiment_pb2_grpc import ExperimentServiceStub
from accrete.v1.import_pb2_grpc import ImportServiceStub
from accrete.v1.model_pb2 import ListModelsRequest
from accrete.v1.model_pb2_grpc import ModelServiceStub
from accrete.v1.rating_pb2 import Rating
from accrete.v1.recommender_pb2 import RateRequest, RateResponse
from accrete.v1.recommender_pb2_grpc import RecommenderServiceStub
from accrete.v1.user_pb2_grpc import UserServiceStub

if TYPE_CHECKING:
    from accrete.v1.catalog_pb2_grpc import CatalogServiceAsyncStub
    from accrete.v1.experiment_pb2_grpc import ExperimentServiceAsyncStub
    from accrete.v1.import_pb2_grpc import ImportServiceAsyncStub
    from accrete.v1.model_pb2_grpc import ModelServiceAsyncStub
    from accrete.v1.recommender_pb2_grpc import RecommenderServiceAsyncStub
    from accrete.v1.user_pb2_grpc import UserServiceAsyncStub

__all__ = ["Client", "RatingStream", "connect", "pages"]


def connect(
    address: str | None = None,
    *,
    tls: Tls | bool | None = None,
    token: Token | None = None,
    options: Sequence[tuple[str, Any]] = (),
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
) -> Client:
    """As `accrete.connect`; to be called where an event loop runs."""
    found = settings(address, tls, token, options)
    # One kind of interceptor each: gRPC takes the first kind that an object is.
    ours = [kind(token, found.address) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]
    chain = [*interceptors, *ours]
    if found.credentials is None:
        return Client(grpc.aio.insecure_channel(found.address, options=found.options, interceptors=chain))
    return Client(grpc.aio.secure_channel(found.address, found.credentials, options=found.options, interceptors=chain))


class Client:
    """The services of a server; their calls have the names of the contract, and fail with an `AccreteError`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.recommender: RecommenderServiceAsyncStub = RecommenderServiceStub(channel)
        self.models: ModelServiceAsyncStub = ModelServiceStub(channel)
        self.users: UserServiceAsyncStub = UserServiceStub(channel)
        self.catalog: CatalogServiceAsyncStub = CatalogServiceStub(channel)
        self.imports: ImportServiceAsyncStub = ImportServiceStub(channel)
        self.experiments: ExperimentServiceAsyncStub = ExperimentServiceStub(channel)

    async def rate(
        self, ratings: Iterable[Rating], *, return_predictions: Iterable[str] = (), timeout: float | None = None
    ) -> RateResponse:
        """Learns a batch of ratings: all of it or none, and once, however often it has to be sent."""
        request = RateRequest(ratings=ratings, return_predictions=return_predictions)
        return await self.recommender.Rate(request, timeout=timeout)

    def rating_stream(
        self,
        *,
        batch_size: int = 500,
        max_in_flight: int = 8,
        give_up_after: float = 60.0,
        on_refused: Callable[[AccreteError], None] | None = None,
    ) -> RatingStream:
        """As that of a blocking client: `async with client.rating_stream() as stream: await stream.send(rating)`."""
        return RatingStream(
            self.recommender,
            batch_size=batch_size,
            max_in_flight=max_in_flight,
            give_up_after=give_up_after,
            on_refused=on_refused,
        )

    async def wait_for_revision(self, revision: str, timeout: float = 30.0) -> None:
        """Waits until what was answered with this revision, to anybody, is part of recommendations."""
        models = (await self.models.ListModels(ListModelsRequest(page_size=1000), timeout=timeout)).models
        await self.recommender.Recommend(probe(models, revision), timeout=timeout)

    async def close(self) -> None:
        """Ends the connection, and with it the calls that are under way."""
        await self.channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Interceptor:
    def __init__(self, token: Token | None, address: str) -> None:
        self._token = token
        self._address = address

    async def _answer(self, continuation: Any, details: Any, request: Any) -> Any:
        with typed_errors(self._address):
            call = await continuation(with_headers(details, self._token), with_request_id(request))
            return await call

    async def _answers(self, continuation: Any, details: Any, request: Any) -> Any:
        call = await continuation(with_headers(details, self._token), request)
        return _typed(call, self._address)


class _TypedCall:
    """A call of gRPC's that fails with errors of ours; of this kind it takes no plain answer."""

    def __init__(self, call: Any, address: str) -> None:
        self._call = call
        self._address = address

    def __await__(self) -> Generator[Any, None, Any]:
        with typed_errors(self._address):
            return (yield from self._call.__await__())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


async def _typed(answers: AsyncIterator[Any], address: str) -> AsyncIterator[Any]:
    with typed_errors(address):
        async for answer in answers:
            yield answer


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._answer(continuation, client_call_details, request)


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._answers(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        call = await continuation(with_headers(client_call_details, self._token), request_iterator)
        return _TypedCall(call, self._address)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._answers(continuation, client_call_details, request_iterator)
