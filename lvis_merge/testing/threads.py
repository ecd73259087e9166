"""Work on several items at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST = 8
"""More threads take memory for their items and find little that is not under Python's lock."""


def in_threads(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Calls a function for every item; numpy lets go of Python's lock meanwhile.

    Returns:
        What it returned, in the order of the items.
    """
    with ThreadPoolExecutor(min(_MOST, os.cpu_count() or 1)) as threads:
        return list(threads.map(work, items))
