"""A client of Accrete, a recommender server that learns from every rating before it answers the call that brought it.

    import accrete
    from accrete.v1 import Rating, RecommendRequest

    with accrete.connect() as client:
        rated = client.rate([Rating(user_id="ada", item_id="solaris", value=5)])
        answer = client.recommender.Recommend(RecommendRequest(user_id="ada", min_revision=rated.revision))

`accrete.v1` has the messages of the contract, `accrete.aio` the same client for asyncio.
"""

from accrete import aio, errors
from accrete._channel import Tls
from accrete._window import StreamSummary
from accrete.client import Client, connect
from accrete.errors import AccreteError, Violation
from accrete.experiments import arm, point
from accrete.paging import pages
from accrete.rating_stream import RatingStream

__all__ = [
    "AccreteError",
    "Client",
    "RatingStream",
    "StreamSummary",
    "Tls",
    "Violation",
    "aio",
    "arm",
    "connect",
    "errors",
    "pages",
    "point",
]
