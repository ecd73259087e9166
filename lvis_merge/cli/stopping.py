"""Ctrl-C and SIGTERM: the command unwinds, and is ended if that does not succeed.

An exception raised out of a signal handler can be lost: Python ignores it in a destructor or a
callback of the garbage collector, and one that comes inside an import can leave the import lock
taken for good. A lost one is raised again; and a thread ends the process should it still be there
after a while.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

from lvis_merge.unfinished import remove_unfinished

STOPPED = "stopped; nothing half-done was left. Run it again."
GRACE_SECONDS = 3.0
"""How long the command may take to unwind; batch systems kill for good after 5 s or more."""

_AGAIN_SECONDS = 0.05

_requested: list[int] = []
_lost = threading.Event()


class StoppedError(BaseException):
    """A signal asks the command to end; unwinds, so that temporary folders are removed.

    Attributes:
        code: exit code, 128 + the signal's number.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def stop_on_signals() -> None:
    """Has Ctrl-C and SIGTERM raise `StoppedError` in the main thread."""
    signal.signal(signal.SIGTERM, _stop)
    # a shell has the commands that it starts in the background ignore Ctrl-C
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    sys.unraisablehook = _ignored


def stop_code() -> int | None:
    """The exit code that a signal has asked for, if one has come."""
    return _requested[0] if _requested else None


def _stop(number: int, frame: FrameType | None) -> None:
    # a second one must not break off the tidying up
    if _requested and not _lost.is_set():
        return
    _lost.clear()
    if not _requested:
        _requested.append(128 + number)
        # not `threading`: its locks may be held by the very code that was interrupted
        _thread.start_new_thread(_end, (128 + number,))
    raise StoppedError(_requested[0])


def _ignored(unraisable: sys.UnraisableHookArgs) -> None:
    if issubclass(unraisable.exc_type, StoppedError):
        _thread.start_new_thread(_again, ())
    else:
        sys.__unraisablehook__(unraisable)


def _again() -> None:
    time.sleep(_AGAIN_SECONDS)
    _lost.set()
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, _requested[0] - 128)


def _end(code: int) -> None:
    time.sleep(GRACE_SECONDS)
    remove_unfinished()
    with suppress(OSError):  # nobody reads it any more
        stream = sys.__stderr__.fileno() if sys.__stderr__ else 2
        os.write(stream, f"lvis-merge: {STOPPED}\n".encode())
    os._exit(code)
