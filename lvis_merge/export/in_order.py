"""Work on a stream of pieces in threads, results in the order of the pieces."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Piece], Result], pieces: Iterable[Piece], threads: int | None = None
) -> Iterator[Result]:
    """Applies a function that spends its time in Arrow and numpy, which let other threads run.

    Args:
        function: what to do with a piece.
        pieces: read as results are taken, at most one more than there are threads at a time.
        threads: how many; None: as many as cores.

    Yields:
        The results, in order.
    """
    if threads is None:
        threads = max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Result]] = deque()
    try:
        for piece in pieces:
            waiting.append(pool.submit(function, piece))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
