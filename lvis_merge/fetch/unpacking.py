"""Where archives are unpacked before what is in them gets its name."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = "unpacking-"
_GONE = "-gone"


@contextmanager
def unpacking_folder(state: Path) -> Iterator[Path]:
    """A folder that is gone when the block ends; those of killed runs are removed first.

    A thread that unpacks may outlive the block, and even the lock on the root, by a moment, and
    then rename what it has unpacked. So a folder is renamed before anything in it is removed, and
    none has the name of another: such a thread finds nothing to rename any more.

    Args:
        state: the state folder; no other process writes to it.

    Yields:
        The empty folder.
    """
    for leftover in state.glob(f"{_NAME}*"):
        _remove(leftover)
    folder = state / f"{_NAME}{secrets.token_hex(8)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    gone = folder.with_name(folder.name.removesuffix(_GONE) + _GONE)
    with suppress(FileNotFoundError):
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
