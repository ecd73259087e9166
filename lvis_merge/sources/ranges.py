"""Byte ranges of a file that every machine of a plan can see: a local path or an object's URL."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lvis_merge.errors import InputError
from lvis_merge.sources.files import first_line, is_remote

_BLOCK_BYTES = 1 << 24
_LINE_BYTES = 1 << 16
READ_AGAIN = "Nothing may change the inputs while they are read: build again."


class UnreadableError(InputError):
    """A file that this machine does not see, or not as the others do."""


@dataclass(frozen=True)
class Chunk:
    """A byte range of a CSV file, whole rows only.

    Attributes:
        path: unpacked file, or an object's URL.
        start: first byte.
        stop: one past the last byte.
        columns: of the file, in order.
    """

    path: Path | str
    start: int
    stop: int
    columns: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.stop - self.start

    def read(self) -> bytes:
        """The range's bytes."""
        return read_range(self.path, self.start, self.stop)


class Range(Protocol):
    """Whole rows of a file, as CSV; what a plan's tasks read."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the file, in order."""

    @property
    def size(self) -> int:
        """About how many bytes of memory the rows take."""

    def read(self) -> bytes:
        """The rows, without a header."""


def read_range(path: str | Path, start: int, stop: int) -> bytes:
    """The bytes of a range that lies within the file.

    Raises:
        UnreadableError: this machine cannot read the file, or has a shorter one of that name.
    """
    with _told(path):
        if is_remote(path):
            import daft

            with daft.File(str(path), position=start, size=stop - start).open() as remote:
                data = bytes(remote.read())
        else:
            with Path(path).open("rb", buffering=0) as local:
                data = os.pread(local.fileno(), stop - start, start)
    if len(data) != stop - start:
        raise UnreadableError(f"{path}: became shorter while it was read. {READ_AGAIN}")
    return data


def file_size(path: str | Path) -> int:
    """Its size in bytes.

    Raises:
        UnreadableError: this machine cannot read the file.
    """
    with _told(path):
        if is_remote(path):
            import daft

            return int(daft.File(str(path)).size())
        return Path(path).stat().st_size


def line_stop(path: str | Path, start: int, size: int) -> int:
    """One past the first line end from `start` on; the file's size if there is none."""
    while start < size:
        block = read_range(path, start, min(start + _LINE_BYTES, size))
        if (place := block.find(b"\n")) >= 0:
            return start + place + 1
        start += len(block)
    return size


def digest(path: str | Path) -> tuple[int, str]:
    """Size and sha256 of a file, read block by block.

    Raises:
        UnreadableError: this machine cannot read the file.
    """
    found, size = hashlib.sha256(), file_size(path)
    for start in range(0, size, _BLOCK_BYTES):
        found.update(read_range(path, start, min(start + _BLOCK_BYTES, size)))
    return size, found.hexdigest()


class RangedFile(io.RawIOBase):
    """A file as a stream, for readers that want one; reads only what they ask for."""

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self._path, self._size, self._place = path, file_size(path), 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to an offset from the start, the place or the end."""
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Reads as much as fits and is there."""
        stop = min(self._place + len(buffer), self._size)
        if stop <= self._place:
            return 0
        data = read_range(self._path, self._place, stop)
        buffer[: len(data)] = data
        self._place = stop
        return len(data)


@contextmanager
def _told(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or first_line(error)
        raise UnreadableError(f"{path}: cannot be read ({reason}).") from error
    except Exception as error:  # daft wraps what the object store says in types of its own
        raise UnreadableError(f"{path}: cannot be read ({first_line(error)}).") from error
