"""How far a test is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_SECONDS = 30.0


@contextmanager
def testing_progress(
    done: int, total: int, share: int, silent: bool
) -> Iterator[Callable[[], None]]:
    """Shows progress meanwhile; yields what is called after each image of this process.

    Args:
        done: images of the run that an earlier start finished.
        total: images of the run.
        share: processes that work on it; this one's pace stands for all.
        silent: shows nothing.
    """
    console = Console(stderr=True)
    if silent:
        yield lambda: None
    elif console.is_terminal:
        with Progress(
            TextColumn("testing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("images, ETA"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # workers of a loader are forked meanwhile: a print of theirs must need no lock of ours
            redirect_stdout=False,
            redirect_stderr=False,
        ) as bars:
            task = bars.add_task("testing", total=total, completed=done)
            yield lambda: bars.advance(task, share)
    else:
        yield _Lines(console, done, total, share).one_more


class _Lines:
    """A line every half minute."""

    def __init__(self, console: Console, done: int, total: int, share: int) -> None:
        self._console = console
        self._first, self._done, self._total, self._share = done, done, total, share
        self._since = self._last = time.monotonic()

    def one_more(self) -> None:
        self._done = min(self._done + self._share, self._total)
        now = time.monotonic()
        if now - self._last < _LINE_SECONDS and self._done < self._total:
            return
        self._last = now
        seconds = (now - self._since) / max(self._done - self._first, 1)
        left = timedelta(seconds=round(seconds * (self._total - self._done)))
        self._console.print(
            f"tested {self._done:,}/{self._total:,} images, {seconds:.2f} s/image, ETA {left}",
            highlight=False,
        )
