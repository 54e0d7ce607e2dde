"""Many ratings over one stream, which outlives its connection; for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING

import grpc

from accrete._window import Backoff, StreamSummary, Window
from accrete.errors import AccreteError, UnavailableError
from accrete.v1.rating_pb2 import Rating
from accrete.v1.recommender_pb2 import RateStreamRequest

if TYPE_CHECKING:
    from accrete.v1.recommender_pb2_grpc import RecommenderServiceAsyncStub


class RatingStream:
    """As `accrete.RatingStream`; its methods are awaited."""

    def __init__(
        self,
        recommender: RecommenderServiceAsyncStub,
        *,
        batch_size: int = 500,
        max_in_flight: int = 8,
        give_up_after: float = 60.0,
        on_refused: Callable[[AccreteError], None] | None = None,
    ) -> None:
        self._recommender = recommender
        self._window = Window(batch_size, max_in_flight)
        self._backoff = Backoff(give_up_after)
        self._on_refused = on_refused
        self._changed = asyncio.Condition()
        self._error: AccreteError | None = None
        self._closing = False
        self._task = asyncio.create_task(self._run())

    @property
    def summary(self) -> StreamSummary:
        """What became of the ratings so far."""
        return self._window.summary

    async def send(self, rating: Rating) -> None:
        """Takes a rating; waits while too much is under way.

        Raises what ended the stream. That is also the first refusal of a batch, unless `on_refused` is told of them
        (with the error and its `ratings`): then the stream goes on.
        """
        async with self._changed:
            if self._closing:
                raise ValueError("the stream is closed")
            await self._wait_until(lambda: not self._window.is_full)
            self._window.add(rating)
            self._changed.notify_all()

    async def flush(self) -> StreamSummary:
        """Waits until everything that was sent is answered."""
        async with self._changed:
            await self._wait_until(lambda: self._window.is_empty)
            return self.summary

    async def close(self) -> StreamSummary:
        """Waits until everything is answered, and ends the stream."""
        try:
            return await self.flush()
        finally:
            await self.cancel()

    async def cancel(self) -> None:
        """Ends the stream; what was not answered may be learned or not."""
        async with self._changed:
            self._closing = True
            self._changed.notify_all()
            if not self._window.is_empty:
                self._task.cancel()
        await asyncio.wait([self._task])

    async def __aenter__(self) -> RatingStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await (self.close() if kind is None else self.cancel())

    async def _wait_until(self, is_true: Callable[[], bool]) -> None:
        await self._changed.wait_for(lambda: self._must_stop or is_true())
        if self._error is not None:
            raise self._error
        if not is_true():
            raise ValueError("the stream is closed")

    @property
    def _must_stop(self) -> bool:
        return self._closing or self._error is not None

    async def _run(self) -> None:
        while not self._must_stop:
            try:
                await self._follow_one_connection()
                lost: AccreteError = UnavailableError(grpc.StatusCode.UNAVAILABLE, "the server ended the stream")
            except AccreteError as error:
                if not error.is_lost_connection:
                    await self._fail(error)
                    return
                lost = error
            wait = self._backoff.next(time.monotonic(), self._window.is_empty)
            if wait is None:
                await self._fail(lost)
            elif not self._must_stop:
                await asyncio.sleep(wait)

    async def _follow_one_connection(self) -> None:
        self._window.connect()
        ended = asyncio.Event()
        try:
            async for response in self._recommender.RateStream(self._requests(ended)):
                async with self._changed:
                    refusal = self._window.answered(response)
                    self._backoff.progress()
                    self._changed.notify_all()
                if refusal is not None and self._on_refused is not None:
                    self._on_refused(refusal)
                elif refusal is not None:
                    await self._fail(refusal)
        finally:
            ended.set()
            async with self._changed:
                self._changed.notify_all()

    async def _requests(self, ended: asyncio.Event) -> AsyncIterator[RateStreamRequest]:
        """What one connection sends, for as long as it lasts."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: ended.is_set() or self._must_stop or self._window.is_due)
                if ended.is_set() or not self._window.is_due:
                    return
                request = self._window.next()
            yield request

    async def _fail(self, error: AccreteError) -> None:
        async with self._changed:
            self._error = self._error or error
            self._changed.notify_all()
