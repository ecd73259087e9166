"""mmengine's chatter goes to a log file in the work folder, nothing of it to the terminal."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

from mmengine.logging import MMLogger

_LACKING = re.compile(r"missing keys in source state_dict: (.*)")
_NEW_IN_THE_MODEL = "conv_offset"
"""Deformable convolutions' offsets start at zero; no pretrained file has them."""

_SHOWN = 3


@contextmanager
def quiet_terminal() -> Iterator[None]:
    """Nothing is printed on stdout meanwhile, and Python's warnings go to the log file."""
    off_the_terminal(MMLogger.get_instance("mmengine"))  # used until a run has its own
    shown = warnings.showwarning
    warnings.showwarning = _log_warning
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        warnings.showwarning = shown


def off_the_terminal(logger: Any) -> None:
    """Takes the handlers that write to a stream off a logger; those to files stay."""
    logger.handlers[:] = [
        handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)
    ]


class LackingWeights(logging.Handler):
    """Tells the user when a pretrained file lacks weights of the model: mmengine only logs it.

    Args:
        warn: says it.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._warn = warn

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record of mmengine's."""
        if found := _LACKING.search(record.getMessage()):
            names = [name for name in found[1].split(", ") if _NEW_IN_THE_MODEL not in name]
            if names:
                more = ", …" if len(names) > _SHOWN else ""
                self._warn(
                    f"the pretrained file lacks {len(names)} weights of the model, which stay"
                    f" random: {', '.join(names[:_SHOWN])}{more}"
                )


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    text = warnings.formatwarning(message, category, filename, lineno, line)
    MMLogger.get_current_instance().info(text.rstrip())
