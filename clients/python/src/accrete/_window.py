"""The batches of a rating stream: those to be sent, and those that wait for an answer. No threads, no network."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass

from accrete.errors import AccreteError
from accrete.v1.rating_pb2 import Rating
from accrete.v1.recommender_pb2 import RateStreamRequest, RateStreamResponse


@dataclass
class StreamSummary:
    """What became of the ratings so far."""

    accepted: int = 0
    """Ratings that were learned."""
    refused: int = 0
    """Ratings of batches that the server refused."""
    batches: int = 0
    """Batches that were answered."""
    duplicates: int = 0
    """Batches among them that had been learned before their connection broke, and were not learned again."""
    resumes: int = 0
    """How often the stream was taken up again."""
    revision: str = ""
    """The latest revision: `min_revision` of a Recommend that shall see all of it."""


class Window:
    """Ratings become a batch when there are enough of them, or nothing else is under way: one batch gathers while
    another is learned. At most `size` batches wait for their answers, which come in order."""

    def __init__(self, batch_size: int, size: int) -> None:
        if batch_size < 1 or size < 1:
            raise ValueError("batch_size and max_in_flight must be at least 1")
        self.summary = StreamSummary()
        self._batch_size = batch_size
        self._size = size
        self._gathering: list[Rating] = []
        self._unanswered: deque[RateStreamRequest] = deque()
        self._sent = 0
        self._connections = 0

    @property
    def is_full(self) -> bool:
        return len(self._gathering) >= self._batch_size

    @property
    def is_empty(self) -> bool:
        return not self._gathering and not self._unanswered

    def add(self, rating: Rating) -> None:
        self._gathering.append(rating)

    @property
    def is_due(self) -> bool:
        """Whether there is something to send now."""
        if self._sent < len(self._unanswered):
            return True
        return bool(self._gathering) and self._sent < self._size and (self._sent == 0 or self.is_full)

    def next(self) -> RateStreamRequest:
        """What to send now, when something is due."""
        if self._sent == len(self._unanswered):
            self._unanswered.append(RateStreamRequest(request_id=str(uuid.uuid4()), ratings=self._gathering))
            self._gathering = []
        self._sent += 1
        return self._unanswered[self._sent - 1]

    def answered(self, response: RateStreamResponse) -> AccreteError | None:
        """Takes an answer to the oldest batch; the error, if it was refused."""
        request = self._unanswered.popleft()
        self._sent -= 1
        self.summary.batches += 1
        if response.HasField("error"):
            self.summary.refused += len(request.ratings)
            error = AccreteError.of_status(response.error)
            error.ratings = tuple(request.ratings)
            return error
        self.summary.accepted += response.accepted_count
        self.summary.duplicates += response.duplicate
        self.summary.revision = max(self.summary.revision, response.revision)
        return None

    def connect(self) -> None:
        """Begins on a new connection: what was not answered on the one before is sent again, with its request ids."""
        self._sent = 0
        self._connections += 1
        self.summary.resumes = self._connections - 1


class Backoff:
    """How long to wait before a try, and when to give up: when what waits was not answered for so many seconds."""

    def __init__(self, give_up_after: float) -> None:
        self._give_up_after = give_up_after
        self._wait = 0.1
        self._since: float | None = None

    def progress(self) -> None:
        self._wait = 0.1
        self._since = None

    def next(self, now: float, is_idle: bool) -> float | None:
        """Seconds to wait; None: give up. `is_idle`: nothing waits for an answer."""
        self._since = now if self._since is None or is_idle else self._since
        if now - self._since > self._give_up_after:
            return None
        wait, self._wait = self._wait, min(2 * self._wait, 1.0)
        return wait
