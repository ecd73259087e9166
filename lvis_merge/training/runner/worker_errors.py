"""What a worker of a data loader meant for the user."""

from __future__ import annotations

import re

from lvis_merge.errors import InputError

_RAISED = re.compile(r"^lvis_merge\.[\w.]*Error: ", re.MULTILINE)


def from_a_worker(error: Exception) -> Exception:
    """The error behind one of torch's loader, out of the traceback that torch makes of it."""
    if "DataLoader worker" not in str(error):
        return error
    message = _RAISED.split(str(error))[-1].strip()
    return InputError(message) if _RAISED.search(str(error)) else error


def died(error: Exception) -> bool:
    """Whether a worker was killed, as one is that takes more memory than there is."""
    text = str(error)
    return "DataLoader worker" in text and (
        "killed by signal" in text or "exited unexpectedly" in text
    )
