"""The number by which FiftyOne shuffles and samples."""

from __future__ import annotations

_SCATTER = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, odd: consecutive ids land far apart


def scattered(image_id: int) -> float:
    """A number in [0, 1), spread evenly whatever the ids are; the same for the same id."""
    return ((image_id * _SCATTER & 0xFFFFFFFFFFFFFFFF) >> 11) / 2**53
