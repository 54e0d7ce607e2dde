"""Who gets which arm of an experiment, computed as the server does: no call is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from accrete.v1.experiment_pb2 import Experiment, Slice


def point(salt: str, unit: str) -> int:
    """Where a unit (a user id, usually) lies in [0, 2^32): the first 4 bytes of SHA-256 of salt, NUL and unit."""
    return int.from_bytes(hashlib.sha256(f"{salt}\0{unit}".encode()).digest()[:4], "big")


def arm(experiment: Experiment, unit: str) -> str | None:
    """The name of the arm that a unit gets while the experiment runs; None: it is not part of it.

    `experiment` is as `GetExperiment` answers it. What `eligible_filter` says of the unit is not looked at.
    """
    if not _has(experiment.layer_slices, point(f"layer:{experiment.layer}", unit)):
        return None
    here = point(experiment.salt, unit)
    return next((each.name for each in experiment.arms if _has(each.slices, here)), None)


def _has(slices: Iterable[Slice], here: int) -> bool:
    return any(getattr(each, "from") <= here < each.to for each in slices)
