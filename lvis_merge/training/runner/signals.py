"""Ctrl-C, SIGTERM and a lost terminal while training: requests to stop, not exceptions.

A signal handler of Python runs only between two bytecodes of the main thread, which may sit in a
collective or a CUDA call for minutes. So a thread reads the signals off Python's wakeup pipe: it
notes the first, and ends the process itself where nothing is left to save.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from types import FrameType

from lvis_merge.training.runner.ranks import is_worker
from lvis_merge.unfinished import remove_unfinished

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REPEAT_SECONDS = 1.0
"""Signals this close together are one: a scheduler may reach a process directly and by torchrun."""

_SHOW_CURSOR = b"\x1b[?25h"


class Phase(Enum):
    """What a signal means at present."""

    BUILDING = "nothing to save yet: end at once"
    TRAINING = "finish the optimizer step and save; the second ends at once"
    LEAVING = "on the way out: ignore it"


@dataclass(frozen=True)
class StopWords:
    """What the user is told when a signal comes.

    Attributes:
        at_start: while there is nothing to save, as the process ends.
        first: at the first signal, when something is to be saved.
        second: at the second one, as the process ends.
        again: how to carry on where another process of the run is gone.
    """

    at_start: str = ""
    first: str = ""
    second: str = ""
    again: str = ""


class TrainingStopped(SystemExit):
    """The run ends on request; carries the exit code (130 Ctrl-C, 143 SIGTERM)."""


def exit_code(number: int) -> int:
    """128 + the signal; a lost terminal counts as SIGTERM."""
    return 128 + (signal.SIGTERM if number == signal.SIGHUP else number)


class StopRequests:
    """The signals that asked this process to stop.

    Attributes:
        requested: number of the first signal, 0 if none came (SIGHUP counts as SIGTERM).
        phase: what a signal means at present; set by whoever trains.
        peer_failure: exit code of another process of the run that has failed, or None. Then a
            signal is only the launcher clearing away: nothing can be saved any more.
        say: tells the user something.
        last_words: called with the exit code just before the process is ended from the thread.
        words: what the user is told.
    """

    def __init__(
        self,
        say: Callable[[str], None] = lambda text: None,
        peer_failure: Callable[[], int | None] = lambda: None,
        last_words: Callable[[int], None] = lambda code: None,
        words: StopWords = StopWords(),
    ) -> None:
        self.requested = 0
        self.phase = Phase.BUILDING
        self.peer_failure = peer_failure
        self.say = say
        self.last_words = last_words
        self.words = words
        self._since = 0.0

    @contextmanager
    def taken_over(self) -> Iterator[StopRequests]:
        """Signals are requests meanwhile; the handlers that were there come back afterwards.

        Nothing is taken over outside the main thread, where Python allows no handlers. A signal
        that is ignored (Ctrl-C in a shell's background jobs, SIGHUP under nohup) stays so.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        pipe_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, _noted)
        threading.Thread(target=self._watch, args=(reading,), daemon=True).start()
        try:
            yield self
        finally:
            # a worker's process ends now, and torchrun may yet clear it away: that must not change
            # its exit code
            ending = self.phase is Phase.LEAVING and is_worker()
            for number, handler in before.items():
                signal.signal(number, signal.SIG_IGN if ending else handler)
            signal.set_wakeup_fd(pipe_before)
            os.close(writing)  # ends the thread

    def _watch(self, reading: int) -> None:
        while number := os.read(reading, 1):
            if number[0] in STOP_SIGNALS:
                self._note(signal.SIGTERM if number[0] == signal.SIGHUP else number[0])
        os.close(reading)

    def _note(self, number: int) -> None:
        if self.phase is Phase.LEAVING:
            return
        if (code := self.peer_failure()) is not None:
            self._end(code, "")
        now = time.monotonic()
        if self.phase is Phase.BUILDING:
            self._end(exit_code(number), self.words.at_start)
        elif not self.requested:
            self.requested, self._since = number, now
            self.say(self.words.first)
        elif now - self._since > REPEAT_SECONDS:
            self._end(exit_code(number), self.words.second)

    def _end(self, code: int, text: str) -> None:
        remove_unfinished()
        self.last_words(code)
        with suppress(OSError, ValueError):  # nobody reads it any more
            stream = sys.__stderr__.fileno() if sys.__stderr__ else 2
            if os.isatty(stream):
                os.write(stream, _SHOW_CURSOR)
            if text and os.environ.get("RANK", "0") == "0":
                os.write(stream, f"lvis-merge: {text}\n".encode())
        os._exit(code)


@contextmanager
def held_back() -> Iterator[None]:
    """Processes started meanwhile never see the stop signals; this one gets them afterwards.

    A terminal's Ctrl-C and torchrun's SIGTERM go to the whole process group. Workers of a data
    loader must live on till the last batch; they leave when this process does.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _noted(number: int, frame: FrameType | None) -> None:
    """A handler in Python is what has the signal written to the wakeup pipe."""
