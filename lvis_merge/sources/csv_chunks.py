"""Large CSV files as byte ranges that can be read apart from each other.

A range starts and ends at a row, so each can be parsed in its own thread, or on another machine,
and read again later for a few of its rows. A quoted field may hold line ends: a range whose quotes
do not pair up shows that a cut fell inside one, and the file is then cut again with care.

A field that opens with a quote and is not closed before a comma or a line end has a stray quote:
its line is a row of its own, so that it does not swallow the rows behind it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lvis_merge.errors import InputError
from lvis_merge.sources.csv_fields import csv_bytes, fields
from lvis_merge.sources.ranges import Chunk, Range, file_size, line_stop, read_range

CHUNK_BYTES = 16 << 20
_HEADER_BYTES = 1 << 16
_ROW_BYTES = 1 << 16
"""A quote that is still open after so many bytes is a stray one."""

_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"(?=[,\r\n]|\Z)|(?!")[^,\r\n]*+)'
_ROW = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class CsvFile:
    """A file of CSV rows cut into ranges.

    Attributes:
        path: unpacked file, or an object's URL.
        name: base name as the user gave it.
        columns: the header's names, or the names given for a file without one.
        chunks: the data rows, in order.
    """

    path: Path | str
    name: str
    columns: tuple[str, ...]
    chunks: tuple[Range, ...]


def open_csv(
    path: Path | str,
    name: str,
    needed: Sequence[str],
    *,
    header: bool = True,
    chunk_bytes: int = CHUNK_BYTES,
) -> CsvFile:
    """Reads the header and cuts the rest into ranges.

    Args:
        path: unpacked file, or an object's URL.
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
        check_columns(name, columns, needed)
    cuts = _cut(path, start, chunk_bytes)
    return CsvFile(path, name, columns, tuple(Chunk(path, a, b, columns) for a, b in cuts))


def check_columns(name: str, columns: Sequence[str], needed: Sequence[str]) -> None:
    """Refuses a file whose header does not serve.

    Raises:
        InputError: a needed column is missing, or one is there twice.
    """
    missing = [column for column in needed if column not in columns]
    if missing:
        raise InputError(
            f"{name}: the header lacks {', '.join(missing)}; it reads"
            f" {', '.join(columns)[:300]}. Check that it is the right file."
        )
    repeated = sorted(column for column, times in Counter(columns).items() if times > 1)
    if repeated:
        raise InputError(
            f"{name}: the header names {', '.join(repeated)[:300]} twice. Mend the file."
        )


def recut(file: CsvFile, chunk_bytes: int = CHUNK_BYTES) -> CsvFile:
    """The same file cut only where no quoted field is open; for files with quoted line ends."""
    if not file.chunks:
        return file
    first, last = file.chunks[0], file.chunks[-1]
    assert isinstance(first, Chunk)  # a Parquet file is never cut anew
    assert isinstance(last, Chunk)
    start, size = first.start, last.stop
    cuts = []
    while start < size:
        stop = _next_cut(file.path, start, size, chunk_bytes)
        cuts.append(Chunk(file.path, start, stop, file.columns))
        start = stop
    return CsvFile(file.path, file.name, file.columns, tuple(cuts))


def _next_cut(path: Path | str, start: int, size: int, chunk_bytes: int) -> int:
    """Where the first row ends that reaches so far from the start; looked for in ever more text."""
    window = chunk_bytes + 2 * _ROW_BYTES
    while True:
        # not mapped into memory: of a mapped file that becomes shorter, reading kills the process
        data = read_range(path, start, min(start + window, size))
        at = 0
        for row_start, row_stop in _quoted_rows(data):
            if row_start >= chunk_bytes:
                break
            at = row_stop
        cut = at if at >= chunk_bytes else data.find(b"\n", max(at, chunk_bytes - 1)) + 1
        if 0 < cut < len(data):
            return start + cut
        if start + window >= size:
            return size
        window *= 4


def well_quoted(data: bytes) -> bool:
    """Whether every quote opens a field, closes it or is doubled inside it.

    Then all readers of CSV see the same rows. Of ranges that follow each other, the first whose
    end lies inside a quoted field does not pass.
    """
    buffer = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(buffer == ord('"'))
    if len(quotes) % 2:
        return False
    border = np.zeros(256, dtype=bool)
    border[np.frombuffer(b',\r\n"', np.uint8)] = True
    opening = quotes[0::2][quotes[0::2] > 0]
    closing = quotes[1::2][quotes[1::2] < len(data) - 1]
    return bool(border[buffer[opening - 1]].all() and border[buffer[closing + 1]].all())


def _quoted_rows(data: bytes) -> Iterator[tuple[int, int]]:
    """First byte and one past the last byte, line end included, of each row that holds quotes."""
    start = 0
    while (quote := data.find(b'"', start)) >= 0:
        first = 1 + max(data.rfind(b"\n", start, quote), data.rfind(b"\r", start, quote), start - 1)
        start = _row_end(data, first)
        yield first, start


def _row_end(data: bytes, start: int) -> int:
    limit = min(start + _ROW_BYTES, len(data))
    row = _ROW.match(data, start, limit)
    end = row.end() if row else start
    if end == len(data):
        return end
    if row and (line_end := _LINE_END.match(data, end)):
        return line_end.end()
    line_end = _LINE_END.search(data, start)
    return line_end.end() if line_end else len(data)


def _rows(data: bytes) -> Iterator[bytes]:
    place = 0
    for start, stop in _quoted_rows(data):
        yield from data[place:start].splitlines(keepends=True)
        yield data[start:stop]
        place = stop
    yield from data[place:].splitlines(keepends=True)


def _read_header(path: Path | str, name: str) -> tuple[tuple[str, ...], int]:
    size = file_size(path)
    start = _first_row(path, size)
    stop = min(line_stop(path, start, size), start + _HEADER_BYTES)
    line = read_range(path, start, stop)
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
        columns = next(csv.reader([text], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{name}: is no CSV file (its first line does not read as one). Download it again."
        ) from error
    if not columns:
        raise InputError(f"{name}: is empty. Download it again.")
    return tuple(columns), stop


def _first_row(path: Path | str, size: int) -> int:
    """Where it starts; blank lines are no rows."""
    start = 0
    while start < size:
        block = read_range(path, start, min(start + _HEADER_BYTES, size))
        if rest := block.lstrip(b"\r\n"):
            return start + len(block) - len(rest)
        start += len(block)
    return size


def _cut(path: Path | str, start: int, chunk_bytes: int) -> Iterator[tuple[int, int]]:
    size = file_size(path)
    while start < size:
        stop = line_stop(path, min(start + chunk_bytes, size), size)
        yield start, stop
        start = stop


def row_texts(data: bytes) -> list[str]:
    """The rows of a range as text without line ends; blank lines are no rows.

    A row whose quoted fields hold line ends is one text. Bytes that are not UTF-8 are replaced.
    """
    texts = (row.decode("utf-8", "replace").rstrip("\r\n") for row in _rows(data))
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
        # written anew: the stray quote of one row must not pair with that of another
        return csv_bytes(fields(texts[row]) for row in rows)
    starts = np.concatenate([[0], ends[:-1]])
    # neighbouring rows are copied as one slice
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    first = np.concatenate([rows[:1], rows[breaks]])
    last = np.concatenate([rows[breaks - 1], rows[-1:]])
    pieces = [data[a:b] for a, b in zip(starts[first], ends[last], strict=True)]
    return b"".join(piece if piece.endswith(b"\n") else piece + b"\n" for piece in pieces)


def _line_ends(data: bytes) -> np.ndarray | None:
    """int64 [N], one past each line's end, if every line is a row; None if not.

    A line is no row if it is blank, or if a quoted field goes on in the next one. A carriage
    return alone ends a line too.
    """
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    buffer = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(buffer == ord("\n")) + 1
    if not len(ends) or ends[-1] != len(data):
        ends = np.append(ends, len(data))
    shortest = int(np.diff(ends, prepend=0).min())
    if shortest <= len(b"\r\n"):
        return None
    if b'"' in data:
        if not well_quoted(data):
            return None
        quotes = np.flatnonzero(buffer == ord('"'))
        if np.any(np.searchsorted(quotes, ends) % 2):
            return None
    return ends
