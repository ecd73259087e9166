"""Folders that are worth nothing once the process stops."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_folders: set[Path] = set()


@contextmanager
def unfinished(folder: Path, mode: int = 0o777) -> Iterator[Path]:
    """Makes a folder that is gone when the block ends, unless it has been renamed by then.

    The name is known before the folder is made, so that no Ctrl-C comes between the two and leaves
    it behind (`tempfile` has such a gap).

    Args:
        folder: to be made; its parent is there.
        mode: permissions.

    Yields:
        The folder.

    Raises:
        FileExistsError: the folder is there already. It is removed all the same.
    """
    try:
        _folders.add(folder)
        folder.mkdir(mode)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _folders.discard(folder)


def remove_unfinished() -> None:
    """Removes the folders of all open blocks, for a process that ends without closing them."""
    for folder in tuple(_folders):
        shutil.rmtree(folder, ignore_errors=True)
