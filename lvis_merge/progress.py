"""What a long command is doing, on stderr; and, where asked for, how long each stage took."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

TIMINGS_VARIABLE = "LVIS_MERGE_TIMINGS"
"""Environment variable: a file that gets one JSON line per stage."""

_KIB_PER_MB = 1024 if sys.platform != "darwin" else 1024 * 1024

Advance = Callable[[int], None]


class Stages:
    """The stages of one run.

    On a terminal each stage is a bar; elsewhere it is one line when it ends. Stages may overlap.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._lock = threading.Lock()
        self._bars: Progress | None = None

    @contextmanager
    def shown(self) -> Iterator[Stages]:
        """Draws the bars meanwhile."""
        if not self.console.is_terminal:
            yield self
            return
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        ) as bars:
            self._bars = bars
            try:
                yield self
            finally:
                self._bars = None

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Advance]:
        """One stage; yields a function that advances its bar.

        Args:
            name: what is being done, for the user.
            total: steps of the bar, None where unknown.
        """
        bars = self._bars
        bar = bars.add_task(name, total=total) if bars else None

        def advance(steps: int) -> None:
            if bars and bar is not None:
                bars.advance(bar, steps)

        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield advance
        finally:
            if bars and bar is not None:
                bars.remove_task(bar)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.say(f"{name}: {wall:.1f} s")
        self._note(name, wall, cpu)

    def say(self, text: str) -> None:
        """One line for the user."""
        with self._lock:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _note(self, name: str, wall: float, cpu: float) -> None:
        if target := os.environ.get(TIMINGS_VARIABLE):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MB
            line = {
                "stage": name,
                "wall_s": round(wall, 3),
                "cpu_s": round(cpu, 3),
                "peak_rss_mb": round(peak),
            }
            with self._lock, Path(target).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
