"""The folder that images go to: whole files only, and none outside it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.unfinished import unfinished

_PARTIAL = "partial"
DAMAGED = ".damaged"
"""Added to the name of a file that was there and is no image."""


class Place:
    """Writes below a root.

    Attributes:
        root: the folder, without symbolic links.
    """

    def __init__(self, root: Path, partial: Path) -> None:
        self.root = root
        self._partial = partial
        self._folder = cache(self._made)
        self._number = 0
        self._lock = threading.Lock()

    def path(self, file_name: str) -> Path:
        """Where an image belongs.

        Args:
            file_name: relative, as `check_file_name` lets pass.

        Raises:
            InputError: a symbolic link on the way leads out of the root.
        """
        folder, _, name = file_name.rpartition("/")
        return self._folder(folder) / name

    def save(self, file_name: str, data: bytes) -> os.stat_result:
        """Writes a file: it has its name once it is whole and on disk.

        Args:
            file_name: as `path`.
            data: its content.

        Returns:
            Its state.
        """
        path = self.path(file_name)
        with self._lock:
            self._number += 1
            partial = self._partial / str(self._number)
        with writing(path), partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            state = os.fstat(file.fileno())
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(path)
        return state

    def set_aside(self, path: Path) -> None:
        """Takes its name from a file that is no image; a name outside the root stays."""
        if path.is_relative_to(self.root):
            path.replace(path.with_name(path.name + DAMAGED))

    def _made(self, folder: str) -> Path:
        path = self.root / folder
        if not Path(os.path.realpath(path)).is_relative_to(self.root):
            raise InputError(
                f"{path}: is a symbolic link out of {self.root}, and nothing is written through"
                " one. Give --to the folder itself, or --image-root for images that are there."
            )
        return path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """An error of the disk in the middle of a file does not say by itself which file it is."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextmanager
def opened_place(root: Path, state: Path) -> Iterator[Place]:
    """A root to write to meanwhile; what a killed run left half-written is removed.

    Args:
        root: is there.
        state: below it; no other process writes to it.

    Yields:
        The place.
    """
    partial = state / _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    with unfinished(partial):
        yield Place(root, partial)


def make_root(to: Path) -> Path:
    """Makes the folder that images go to.

    Returns:
        It, without symbolic links.

    Raises:
        InputError: it cannot be made or written to.
    """
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--to {to}: cannot be made ({error.strerror}). Give another.") from error
    if not os.access(to, os.W_OK | os.X_OK):
        raise InputError(f"--to {to}: cannot be written to. Give another folder.")
    return to.resolve()
