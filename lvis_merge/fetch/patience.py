"""How long downloads wait, for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Time limits of downloads.

    Attributes:
        connect_seconds: to reach a server.
        silence_seconds: without a byte of an answer.
        request_seconds: for a whole answer, however slow.
        first_pause: seconds before the second attempt; doubled for each further one.
        longest_pause: seconds that no pause exceeds.
        outage_seconds: without any useful answer, until all is given up.
    """

    connect_seconds: float = 10.0
    silence_seconds: float = 30.0
    request_seconds: float = 300.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    outage_seconds: float = 90.0
