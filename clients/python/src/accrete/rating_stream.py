"""Many ratings over one stream, which outlives its connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import grpc

from accrete._window import Backoff, StreamSummary, Window
from accrete.errors import AccreteError, UnavailableError
from accrete.v1.rating_pb2 import Rating
from accrete.v1.recommender_pb2 import RateStreamRequest
from accrete.v1.recommender_pb2_grpc import RecommenderServiceStub


class RatingStream:
    """Sends ratings in batches. `send` waits while as much as allowed is under way, so that a fast producer does not
    outrun the server. When the connection breaks, what was not answered is sent again with the same request ids, so
    that nothing is lost and nothing is learned twice.

    Leaving the `with` block waits until all is learned; leaving it by an exception gives up what is not.
    """

    def __init__(
        self,
        recommender: RecommenderServiceStub,
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
        self._changed = threading.Condition()
        self._error: AccreteError | None = None
        self._closing = False
        self._call: Any = None
        self._thread = threading.Thread(target=self._run, name="accrete-rating-stream", daemon=True)
        self._thread.start()

    @property
    def summary(self) -> StreamSummary:
        """What became of the ratings so far."""
        return self._window.summary

    def send(self, rating: Rating) -> None:
        """Takes a rating; waits while too much is under way.

        Raises what ended the stream. That is also the first refusal of a batch, unless `on_refused` is told of them:
        it is called in another thread, with the error and its `ratings`, and the stream goes on.
        """
        with self._changed:
            if self._closing:
                raise ValueError("the stream is closed")
            self._wait_until(lambda: not self._window.is_full)
            self._window.add(rating)
            self._changed.notify_all()

    def flush(self) -> StreamSummary:
        """Waits until everything that was sent is answered."""
        with self._changed:
            self._wait_until(lambda: self._window.is_empty)
            return self.summary

    def close(self) -> StreamSummary:
        """Waits until everything is answered, and ends the stream."""
        try:
            return self.flush()
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Ends the stream; what was not answered may be learned or not."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if self._call is not None and not self._window.is_empty:
                self._call.cancel()
        self._thread.join()

    def __enter__(self) -> RatingStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.cancel()

    def _wait_until(self, is_true: Callable[[], bool]) -> None:
        self._changed.wait_for(lambda: self._must_stop or is_true())
        if self._error is not None:
            raise self._error
        if not is_true():
            raise ValueError("the stream is closed")

    @property
    def _must_stop(self) -> bool:
        return self._closing or self._error is not None

    def _run(self) -> None:
        while not self._must_stop:
            try:
                self._follow_one_connection()
                lost: AccreteError = UnavailableError(grpc.StatusCode.UNAVAILABLE, "the server ended the stream")
            except AccreteError as error:
                if not error.is_lost_connection:
                    self._fail(error)
                    return
                lost = error
            with self._changed:
                wait = self._backoff.next(time.monotonic(), self._window.is_empty)
                if wait is None:
                    self._fail(lost)
                else:
                    self._changed.wait_for(lambda: self._must_stop, timeout=wait)

    def _follow_one_connection(self) -> None:
        ended = threading.Event()
        with self._changed:
            self._window.connect()
            call = self._call = self._recommender.RateStream(self._requests(ended))
        try:
            for response in call:
                with self._changed:
                    refusal = self._window.answered(response)
                    self._backoff.progress()
                    self._changed.notify_all()
                if refusal is not None and self._on_refused is not None:
                    self._on_refused(refusal)
                elif refusal is not None:
                    self._fail(refusal)
        finally:
            with self._changed:
                ended.set()
                self._changed.notify_all()

    def _requests(self, ended: threading.Event) -> Iterator[RateStreamRequest]:
        """What one connection sends, for as long as it lasts; gRPC reads it in a thread of its own."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: ended.is_set() or self._must_stop or self._window.is_due)
                if ended.is_set() or not self._window.is_due:
                    return
                request = self._window.next()
            yield request

    def _fail(self, error: AccreteError) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()
