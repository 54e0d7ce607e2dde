"""The request that waits for a revision."""

from __future__ import annotations

from collections.abc import Iterable

from accrete.v1.model_pb2 import Model
from accrete.v1.recommender_pb2 import RecommendRequest


def probe(models: Iterable[Model], revision: str) -> RecommendRequest:
    """Ranks nothing, and waits. The default model is named, so that it is outside every experiment."""
    model = next((each.name for each in models if each.is_default), "")
    return RecommendRequest(
        user_id="-", model=model, candidate_item_ids=["-"], page_size=1, include_seen=True, min_revision=revision
    )
