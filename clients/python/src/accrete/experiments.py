"""Who gets which arm of an experiment, computed as the server does: no call is needed."""

from __future__ import annotations

import hashlib


def point(salt: str, unit: str) -> float:
    """Where a unit (a user id, usually) lies in [0, 1): SHA-256 of salt, NUL and unit, its first 8 bytes, over 2^64."""
    digest = hashlib.sha256(f"{salt}\0{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
