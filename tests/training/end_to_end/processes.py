"""Processes forked from one that has imported everything, which may be killed."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 300.0


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: killed by that signal) and what it said."""

    code: int
    stdout: str
    stderr: str


class Started:
    """A process that runs.

    Args:
        process: it.
        streams: files that get its stdout and stderr.
    """

    def __init__(self, process: Any, streams: tuple[Path, Path]) -> None:
        self.process = process
        self.streams = streams

    def wait(self) -> Ended:
        """Waits for its end."""
        self.process.join(TIMEOUT)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        return Ended(self.process.exitcode, *(stream.read_text() for stream in self.streams))

    def kill_once_it_says(self, words: str) -> Ended:
        """Kills it (SIGKILL) the moment these words are on its stderr."""
        while self.process.exitcode is None and words not in self.streams[1].read_text():
            time.sleep(0.005)
        self.process.kill()
        return self.wait()


class Processes:
    """Starts functions in processes of their own.

    Args:
        folder: for their output.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.context: Any = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.training.end_to_end.preloaded"])

    def start(self, function: Callable[..., int], *arguments: Any) -> Started:
        """Starts a function of a module; it returns the exit code."""
        self.count += 1
        streams = tuple(self.folder / f"{name}_{self.count}" for name in ("stdout", "stderr"))
        for stream in streams:
            stream.touch()
        process = self.context.Process(target=_child, args=(streams, function, arguments))
        process.start()
        return Started(process, streams)  # type: ignore[arg-type]


def _child(streams: tuple[Path, Path], function: Callable[..., int], arguments: Any) -> None:
    for descriptor, stream in zip((1, 2), streams, strict=True):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_APPEND), descriptor)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    code = 1
    try:
        code = function(*arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    sys.exit(code)
