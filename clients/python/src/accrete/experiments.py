"""Who gets which arm of an experiment, computed as the server does: no call is needed."""

from __future__ import annotations

import hashlib


def point(salt: str, unit: str) -> int:
    """Where a unit (a user id, usually) lies in [0, 2^32): the first 4 bytes of SHA-256 of salt, NUL and unit."""
    return int.from_bytes(hashlib.sha256(f"{salt}\0{unit}".encode()).digest()[:4], "big")
