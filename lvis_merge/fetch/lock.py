"""One process at a time writes to a folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lvis_merge.errors import InputError

STATE_FOLDER = ".lvis-merge-fetch"
"""Below a root: what `fetch` itself keeps there."""


@contextmanager
def locked(root: Path) -> Iterator[Path]:
    """Keeps other `fetch` processes out of a root meanwhile; a killed one keeps nobody out.

    Args:
        root: a folder that is there.

    Yields:
        Its state folder.

    Raises:
        InputError: another process is fetching into it.
    """
    folder = root / STATE_FOLDER
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{root}: another `lvis-merge fetch` is writing here. Wait for it, or stop it."
            ) from error
        except OSError:
            pass  # a file system without locks
        yield folder
