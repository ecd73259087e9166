"""Byte ranges of a file that every machine of a plan can see: a local path or an object's URL."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from lvis_merge.errors import InputError
from lvis_merge.sources.files import first_line, is_remote

_BLOCK_BYTES = 1 << 24
_LINE_BYTES = 1 << 16


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

    def read(self) -> bytes:
        """The range's bytes."""
        return read_range(self.path, self.start, self.stop)


class Range(Protocol):
    """Whole rows of a file, as CSV; what a plan's tasks read."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the file, in order."""

    def read(self) -> bytes:
        """The rows, without a header."""


def read_range(path: str | Path, start: int, stop: int) -> bytes:
    """The bytes of a range that lies within the file.

    Raises:
        InputError: this machine cannot read the file, or has a shorter one of that name.
    """
    with opened(path) as file:
        file.seek(start)
        data = bytes(file.read(stop - start))
    if len(data) != stop - start:
        raise InputError(
            f"{path}: ends before byte {stop:,} on {socket.gethostname()}. It changed during the"
            " build, or machines of the cluster see different files under this path."
        )
    return data


def file_size(path: str | Path) -> int:
    """Its size in bytes.

    Raises:
        InputError: this machine cannot read the file.
    """
    with opened(path) as file:
        return int(file.size()) if is_remote(path) else os.fstat(file.fileno()).st_size


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
        InputError: this machine cannot read the file.
    """
    found = hashlib.sha256()
    size = 0
    with opened(path) as file:
        while block := file.read(_BLOCK_BYTES):
            found.update(block)
            size += len(block)
    return size, found.hexdigest()


@contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """Opens a file that this machine may or may not see.

    Yields:
        A binary stream that seeks and reads.

    Raises:
        InputError: it cannot be opened or read.
    """
    try:
        with _open(path) as file:
            yield file
    except InputError:
        raise
    except Exception as error:  # daft wraps what the object store says in types of its own
        raise InputError(
            f"{path}: cannot be read on {socket.gethostname()} ({first_line(error)}). With --engine"
            " ray every node must see the inputs under the same path: put them on shared storage or"
            " give s3:// URLs. Archives are unpacked into TMPDIR of this command: unpack them"
            " first, or have TMPDIR name a shared folder."
        ) from error


def _open(path: str | Path) -> IO[bytes] | Any:
    if not is_remote(path):
        return Path(path).open("rb", buffering=0)
    import daft

    return daft.File(str(path)).open()
