"""Large CSV files as byte ranges that can be read apart from each other.

A range starts and ends at a row, so each can be parsed in its own thread, or on another machine,
and read again later for a few of its rows. A quoted field may hold line ends: a range with an odd
number of quotes shows that a cut fell inside one, and the file is then cut again with care.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lvis_merge.errors import InputError

CHUNK_BYTES = 8 << 20
_ROW_BYTES = 1 << 16
_QUOTED_FIELD = re.compile(rb'(?:(?<=,)|^)"(?:[^"]|"")*"(?=[,\r\n]|\Z)')
_OPEN_QUOTE = re.compile(rb'(?:,|^)"')


@dataclass(frozen=True)
class Chunk:
    """A byte range of a CSV file, whole rows only.

    Attributes:
        path: local, unpacked file.
        start: first byte.
        stop: one past the last byte.
    """

    path: Path
    start: int
    stop: int

    def read(self) -> bytes:
        """The range's bytes."""
        with self.path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), self.stop - self.start, self.start)


@dataclass(frozen=True)
class CsvFile:
    """A CSV file cut into ranges.

    Attributes:
        path: local, unpacked file.
        name: base name as the user gave it.
        columns: the header's names, or the names given for a file without one.
        chunks: the data rows, in order.
    """

    path: Path
    name: str
    columns: tuple[str, ...]
    chunks: tuple[Chunk, ...]


def open_csv(
    path: Path,
    name: str,
    needed: Sequence[str],
    *,
    header: bool = True,
    chunk_bytes: int = CHUNK_BYTES,
) -> CsvFile:
    """Reads the header and cuts the rest into ranges.

    Args:
        path: local, unpacked file.
        name: base name as the user gave it, for messages.
        needed: columns that must be there; without a header, the columns in order.
        header: whether the first row names the columns.
        chunk_bytes: wanted size of a range.

    Raises:
        InputError: an empty file, a header without a needed column, a repeated column.
    """
    columns = tuple(needed)
    start = 0
    if header:
        columns, start = _read_header(path, name)
        missing = [column for column in needed if column not in columns]
        if missing:
            raise InputError(
                f"{name}: the header lacks {', '.join(missing)}; it reads"
                f" {', '.join(columns)[:300]}. Check that it is the right file."
            )
        repeated = sorted({column for column in columns if columns.count(column) > 1})
        if repeated:
            raise InputError(
                f"{name}: the header names {', '.join(repeated)} twice. Mend the file."
            )
    cuts = _cut(path, start, chunk_bytes)
    return CsvFile(path, name, columns, tuple(Chunk(path, a, b) for a, b in cuts))


def recut(file: CsvFile, chunk_bytes: int = CHUNK_BYTES) -> CsvFile:
    """The same file cut only where no quoted field is open; for files with quoted line ends."""
    if not file.chunks:
        return file
    start, size = file.chunks[0].start, file.chunks[-1].stop
    cuts, first, here = [], start, start
    with file.path.open("rb") as stream:
        stream.seek(start)
        for row in _rows(stream):
            here += len(row)
            if here - first >= chunk_bytes:
                cuts.append((first, here))
                first = here
    if first < size:
        cuts.append((first, size))
    return CsvFile(
        file.path, file.name, file.columns, tuple(Chunk(file.path, a, b) for a, b in cuts)
    )


def _rows(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines joined into rows where a quoted field holds the line end.

    A quote that is still open after `_ROW_BYTES` was a stray one: its line is a row of its own.
    """
    pending: list[bytes] = []
    for line in lines:
        pending.append(line)
        while pending:
            row = b"".join(pending)
            if not _is_open(row):
                yield row
                pending = []
            elif len(row) > _ROW_BYTES:
                yield pending.pop(0)
            else:
                break
    yield from pending


def _is_open(row: bytes) -> bool:
    """Whether a quoted field of the row is not closed yet; quotes inside a field are text."""
    if row.count(b'"') % 2 == 0:
        return False
    return _OPEN_QUOTE.search(_QUOTED_FIELD.sub(b"", row)) is not None


def _read_header(path: Path, name: str) -> tuple[tuple[str, ...], int]:
    with path.open("rb") as file:
        line = file.readline(1 << 16)
        start = file.tell()
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
        columns = next(csv.reader([text], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{name}: is no CSV file (its first line does not read as one)."
        ) from error
    if not columns:
        raise InputError(f"{name}: is empty. Download it again.")
    return tuple(columns), start


def _cut(path: Path, start: int, chunk_bytes: int) -> Iterator[tuple[int, int]]:
    size = path.stat().st_size
    with path.open("rb") as file:
        while start < size:
            file.seek(min(start + chunk_bytes, size))
            file.readline()
            stop = file.tell()
            yield start, stop
            start = stop


def row_texts(data: bytes) -> list[str]:
    """The rows of a range as text without line ends; blank lines are no rows.

    A row whose quoted fields hold line ends is one text. Bytes that are not UTF-8 are replaced.
    """
    lines = io.BytesIO(data)
    rows = _rows(lines) if b'"' in data else lines
    texts = (row.decode("utf-8", "replace").rstrip("\r\n") for row in rows)
    return [text for text in texts if text]


def take_rows(data: bytes, rows: np.ndarray) -> bytes:
    """Some rows of a range, as CSV bytes.

    Args:
        data: whole rows.
        rows: int64 [N], ascending row numbers in the range, from 0, blank lines not counted.
    """
    ends = _line_ends(data)
    if ends is None:
        texts = row_texts(data)
        return "".join(f"{texts[row]}\n" for row in rows).encode()
    starts = np.concatenate([[0], ends[:-1]])
    # neighbouring rows are copied as one slice
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    first = np.concatenate([rows[:1], rows[breaks]])
    last = np.concatenate([rows[breaks - 1], rows[-1:]])
    pieces = [data[a:b] for a, b in zip(starts[first], ends[last], strict=True)]
    return b"".join(piece if piece.endswith(b"\n") else piece + b"\n" for piece in pieces)


def _line_ends(data: bytes) -> np.ndarray | None:
    """int64 [N], one past each line's end, if every line is a row; None if not.

    A line is no row if it is blank, or if a quoted field goes on in the next one.
    """
    buffer = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(buffer == ord("\n")) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    shortest = int(np.diff(ends, prepend=0).min())
    if shortest <= len(b"\r\n"):
        return None
    if b'"' in data:
        quotes = np.flatnonzero(buffer == ord('"'))
        if np.any(np.searchsorted(quotes, ends) % 2):
            return None
    return ends


def fields(text: str) -> list[str]:
    """The fields of one row's text."""
    return next(csv.reader(io.StringIO(text, newline="")), [])
