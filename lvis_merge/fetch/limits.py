"""Limits of downloads in flight: bytes a second, and bytes in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_GUESS = 300_000
"""Bytes of an image, before its size is known: what Open Images' have on average."""


class Pace:
    """Spaces requests out, so that on average no more bytes arrive a second than allowed.

    A request books its time ahead, by a guess of its size that is put right when the size is known:
    nothing waits with a connection open.
    """

    def __init__(self, bytes_per_second: float | None) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0

    async def turn(self) -> None:
        """Waits until the next request may start."""
        if self._rate is None:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._free_at)
        self._free_at = start + _GUESS / self._rate
        await asyncio.sleep(start - now)

    def correct(self, size: int) -> None:
        """Tells the size of what was asked for."""
        if self._rate is not None:
            self._free_at += (size - _GUESS) / self._rate


class Memory:
    """Lets bodies in as long as there is room; a larger one goes alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Room for a body meanwhile.

        Args:
            size: bytes.
        """
        async with self._freed:
            await self._freed.wait_for(
                lambda: not self._used or self._used + size <= self._limit,
            )
            self._used += size
        try:
            yield
        finally:
            self._used -= size
            async with self._freed:
                self._freed.notify_all()
