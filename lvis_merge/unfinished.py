"""Folders that are worth nothing once the process stops."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_folders: dict[Path, bool] = {}
"""Folders of open blocks, and whether threads may still write to them when they go."""


@contextmanager
def unfinished(folder: Path, mode: int = 0o777, threads: bool = False) -> Iterator[Path]:
    """Makes a folder that is gone when the block ends, unless it has been renamed by then.

    The name is known before the folder is made, so that no Ctrl-C comes between the two and leaves
    it behind (`tempfile` has such a gap).

    Args:
        folder: to be made; its parent is there.
        mode: permissions.
        threads: whether threads that nobody waits for write to it.

    Yields:
        The folder.

    Raises:
        FileExistsError: the folder is there already. It is removed all the same.
    """
    try:
        _folders[folder] = threads
        folder.mkdir(mode)
        yield folder
    finally:
        _remove(folder, threads)
        _folders.pop(folder, None)


def remove_unfinished() -> None:
    """Removes the folders of all open blocks, for a process that ends without closing them."""
    for folder, threads in tuple(_folders.items()):
        _remove(folder, threads)


def _remove(folder: Path, threads: bool) -> None:
    if threads:
        # under another name first: a file that came while it is emptied would keep it
        with suppress(OSError):
            folder = folder.rename(folder.with_name(f"{folder.name}-gone"))
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def partial_folder(place: Path) -> Iterator[Path]:
    """An unfinished folder beside a place, to write to what gets its name in the end.

    Those that killed processes left behind are removed first. One may bear this process's number:
    in containers, processes often have the same.

    Args:
        place: the file or folder to be; its parent is there.

    Yields:
        The empty folder.

    Raises:
        OSError: it cannot be written; of a full disk, where the system names no file, `place`.
    """
    remove_leftovers(place, "partial")
    with unfinished(place.with_name(f".{place.name}.partial-{os.getpid()}")) as folder:
        try:
            yield folder
        except OSError as error:
            if error.filename is None and error.errno in _NO_ROOM:
                error.filename = os.fspath(place)
            raise


def remove_leftovers(place: Path, kind: str) -> None:
    """Removes this process's and dead processes' siblings of a place, `.NAME.KIND-PID`."""
    name = re.compile(rf"\.{re.escape(place.name)}\.{kind}-(\d+)")
    for sibling in place.parent.iterdir():
        match = name.fullmatch(sibling.name)
        if match and (int(match[1]) == os.getpid() or not _is_alive(int(match[1]))):
            shutil.rmtree(sibling, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
