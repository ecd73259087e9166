"""How far downloads are, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

_LINE_SECONDS = 30.0
_WINDOW_SECONDS = 15.0
_MB = 1e6
IMAGES, BYTES = "images", "bytes"


class Pulse:
    """Counts what arrives, and tells speed and time left by the last seconds.

    Attributes:
        total: how many there are; it may grow.
        unit: what the total counts: images or bytes.
        done: of the total, failures among them.
        failed: images that failed.
        bytes: that have arrived.
    """

    def __init__(self, total: int, unit: str) -> None:
        self.total, self.unit = total, unit
        self.done, self.failed = 0, 0
        self.bytes = 0
        self._seen = deque([(time.monotonic(), 0, 0)])

    def add(self, steps: int, length: int) -> None:
        """Counts steps of the total, and the bytes that they brought."""
        self.done += steps
        self.bytes += length
        now = time.monotonic()
        if now - self._seen[-1][0] > 0.5 or len(self._seen) == 1:
            self._seen.append((now, self.done, self.bytes))
            while now - self._seen[0][0] > _WINDOW_SECONDS and len(self._seen) > 2:
                self._seen.popleft()

    def text(self) -> str:
        """How much is done, speed, time left and failures."""
        if self.unit == BYTES:
            share = f"{self.done / _MB:,.0f}/{self.total / _MB:,.0f} MB"
        else:
            share = f"{self.done:,}/{self.total:,} {self.unit}"
        then, done, length = self._seen[0]
        seconds = max(time.monotonic() - then, 1e-3)
        words = [share, f"{(self.bytes - length) / seconds / _MB:.1f} MB/s"]
        if self.done > done:
            left = (self.total - self.done) * seconds / (self.done - done)
            words.append(f"ETA {timedelta(seconds=round(left))}")
        if self.failed:
            words.append(f"{self.failed:,} failed")
        return ", ".join(words)


class FetchProgress:
    """Shows a pulse."""

    def __init__(self, pulse: Pulse, console: Console) -> None:
        self.pulse = pulse
        self._console = console
        self._last = time.monotonic()
        self._bars: Progress | None = None

    def image(self, length: int | None) -> None:
        """One image has arrived, of so many bytes, or failed (None)."""
        self.pulse.failed += length is None
        self.pulse.add(1, length or 0)
        self._show()

    def bytes(self, length: int) -> None:
        """So many bytes of the total have arrived."""
        self.pulse.add(length, length)
        self._show()

    def _show(self) -> None:
        pulse = self.pulse
        if self._bars:
            self._bars.update(
                self._bars.task_ids[0], completed=pulse.done, total=pulse.total, text=pulse.text()
            )
            return
        now = time.monotonic()
        if now - self._last >= _LINE_SECONDS:
            self._last = now
            self._console.print(f"fetched {pulse.text()}", highlight=False)

    @contextmanager
    def shown(self) -> Iterator[FetchProgress]:
        """Draws the bar meanwhile, where there is a terminal."""
        if not self._console.is_terminal:
            yield self
            return
        with Progress(
            TextColumn("fetching"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}"),
            console=self._console,
            transient=True,
        ) as bars:
            bars.add_task("", total=self.pulse.total, text="")
            self._bars = bars
            try:
                yield self
            finally:
                self._bars = None


class FileProgress:
    """The share of one file in a progress by bytes."""

    def __init__(self, progress: FetchProgress, length: int) -> None:
        """Takes a share.

        Args:
            progress: its total counts the file with `length` already.
            length: of the file, as far as known; else 0.
        """
        self._progress = progress
        self._length = length

    def is_long(self, length: int) -> None:
        """Puts the length right."""
        self._progress.pulse.total += length - self._length
        self._length = length

    def arrived(self, length: int) -> None:
        """So many bytes have arrived."""
        self._progress.bytes(length)

    def had(self, length: int) -> None:
        """So many bytes were there already; negative where they are fetched again."""
        self._progress.pulse.add(length, 0)
