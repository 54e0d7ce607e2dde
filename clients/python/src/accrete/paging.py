"""Answers that come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, TypeVar

import grpc


class PagedRequest(Protocol):
    """A request for one of several pages."""

    page_token: str

    def CopyFrom(self, other: Any, /) -> None:  # noqa: N802 as protobuf calls it
        """Becomes a copy."""


class Page(Protocol):
    """An answer that may not be the last."""

    next_page_token: str


RequestT = TypeVar("RequestT", bound=PagedRequest)
PageT = TypeVar("PageT", bound=Page)


def pages(
    call: grpc.UnaryUnaryMultiCallable[RequestT, PageT], request: RequestT, *, timeout: float | None = None
) -> Iterator[PageT]:
    """The pages of an answer, one after the other: `for page in pages(client.users.ListRatings, request)`.

    `timeout` is that of each call.
    """
    wanted = _copy(request)
    while True:
        page = call(wanted, timeout=timeout)
        yield page
        if not page.next_page_token:
            return
        wanted.page_token = page.next_page_token


async def async_pages(
    call: grpc.aio.UnaryUnaryMultiCallable[RequestT, PageT], request: RequestT, *, timeout: float | None = None
) -> AsyncIterator[PageT]:
    """As `pages`, of an asynchronous client: `async for page in ...`."""
    wanted = _copy(request)
    while True:
        page = await call(wanted, timeout=timeout)
        yield page
        if not page.next_page_token:
            return
        wanted.page_token = page.next_page_token


def _copy(request: RequestT) -> RequestT:
    copy = type(request)()
    copy.CopyFrom(request)
    return copy
