"""How far an archive may unpack: more would fill memory or disk."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import IO

from lvis_merge.errors import InputError

_MOST_TIMES = 50
"""Annotations unpack to some ten times their size; one byte over and over to a thousand times."""
_ALWAYS_BYTES = 16 << 20
"""To this an archive of any size may unpack: it does no harm."""
_PIECE_BYTES = 16 << 20


def most_unpacked(archive: Path) -> int:
    """To how many bytes an archive may unpack, by its own length."""
    return max(_ALWAYS_BYTES, _MOST_TIMES * archive.stat().st_size)


def bounded(stream: IO[bytes] | gzip.GzipFile, path: Path) -> IO[bytes]:
    """What an archive unpacks to, up to `most_unpacked`.

    Args:
        stream: of the unpacked content.
        path: the archive.

    Returns:
        A stream that raises an `InputError` where more is read.
    """
    return _BoundedStream(stream, path, most_unpacked(path))  # type: ignore[return-value]


class _BoundedStream(io.RawIOBase):
    """Hands on a stream up to a number of bytes."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, path: Path, most: int) -> None:
        self._stream = stream
        self._path = path
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads on; all that is left without a size."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_PIECE_BYTES), b""))
        data = self._stream.read(size)
        if self._stream.tell() > self._most:
            raise InputError(
                f"{self._path}: unpacks to more than {self._most:,} bytes, which no annotation"
                " file of its size does. If you trust it, unpack it and give the file."
            )
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Goes to a place in the unpacked content."""
        return self._stream.seek(offset, whence)
