"""Runs asynchronous work so that Ctrl-C and SIGTERM get through to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from lvis_merge.sources.files import in_thread

T = TypeVar("T")

_STOP_SECONDS = 1.5  # of the three that the command line has


def run_stoppable(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs work in an event loop in a thread of its own, and cancels it on a signal.

    The exception of a signal, raised in the middle of an event loop, would be kept by whichever
    task it hits; here it comes in the main thread, which only waits.

    Args:
        work: makes the coroutine.

    Returns:
        What it returns.
    """
    ended = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        running.append((asyncio.get_running_loop(), task))
        return await work()

    def run() -> T:
        try:
            return asyncio.run(main())
        finally:
            ended.set()

    try:
        return in_thread(run)
    except BaseException:
        for loop, task in running:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(task.cancel)
        ended.wait(_STOP_SECONDS)
        raise
