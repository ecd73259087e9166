"""Runs the command line in this process under a limit of time and memory."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import resource
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvis_merge import cli
from lvis_merge.manifest.read import opened

SECONDS = 10.0
"""Of the processor, all threads together: a busy machine is no hang."""
HANG_SECONDS = 120.0
"""Of the clock; what waits for ever takes none of the processor's."""
EXTRA_BYTES = 400 << 20
"""What a command may take above what the process has."""
_ADDRESSES = 8 << 30
"""Above those in use: what asks for more gets a MemoryError, so that the machine lives."""

FAULT = 70
CODES = frozenset({0, 1, 2, 3, 4})


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: exit code.
        errors: what it said on stderr.
        seconds: processor time.
        extra: bytes, most that it held above what there was before.
    """

    code: int
    errors: str
    seconds: float
    extra: int

    def faults(self) -> list[str]:
        """What is not as it should be; empty if all is well."""
        found = []
        if self.code not in CODES or "Traceback" in self.errors:
            found.append(f"exit code {self.code}:\n{self.errors[-3000:]}")
        if self.seconds > SECONDS:
            found.append(f"took {self.seconds:.1f} s")
        if self.extra > EXTRA_BYTES:
            found.append(f"took {self.extra >> 20} MiB")
        return found


def run_bounded(arguments: Sequence[str]) -> Ended:
    """Runs `lvis-merge ARGUMENTS`; a hang ends the process with a traceback."""
    errors, argv = io.StringIO(), sys.argv
    sys.argv = ["lvis-merge", *arguments]
    opened.clear()  # a command is a process of its own
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=sys.__stderr__)
    start = time.process_time()
    try:
        with (
            _addresses_limited(),
            _peak() as peak,
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(errors),
        ):
            before = _threads()
            code = cli.run()
            _wait_for_others(before)
    finally:
        sys.argv = argv
        faulthandler.cancel_dump_traceback_later()
    return Ended(code, errors.getvalue(), time.process_time() - start, peak[0])


@contextlib.contextmanager
def _addresses_limited() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + _ADDRESSES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextlib.contextmanager
def _peak() -> Iterator[list[int]]:
    """Bytes that the block held at most, above what there was before; known once it has ended."""
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before, found = _status("VmRSS"), [0]
    try:
        yield found
    finally:
        found[0] = _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def _threads() -> set[threading.Thread]:
    """Those that Python started; native ones that once called it stay known to it for good."""
    lasting = ("Dummy", "DaftBackgroundEventLoop")
    return {one for one in threading.enumerate() if not one.name.startswith(lasting)}


def _wait_for_others(before: set[threading.Thread]) -> None:
    """After an error a scan that nobody waits for may still read the files."""
    until = time.monotonic() + HANG_SECONDS / 4
    while _threads() - before and time.monotonic() < until:
        time.sleep(0.005)
