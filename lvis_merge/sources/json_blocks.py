"""Walks a large JSON file: the arrays of its top-level object in blocks, the rest as values.

The file is never held as a whole. A block ends where a row seems to end; whether it truly does is
known once the rows before it decode as a complete JSON array, since a cut inside a string or a
nested value cannot. Where they do not decode, the rows are told apart exactly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from lvis_merge.errors import HopelessFileError, InputError
from lvis_merge.sources.files import open_plain
from lvis_merge.sources.json_scan import (
    Block,
    MalformedJsonError,
    end_of_value,
    rows_of_array,
    scan_rows,
    value_of,
)
from lvis_merge.sources.json_sinks import RowSink, SkippedRows, feed

BLOCK_BYTES = 1 << 19
"""How much text is decoded at a time: small enough to stay in the processor's cache."""

_SPACE = re.compile(rb"[ \t\n\r]*")
_BETWEEN_ROWS = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*\{")
_LAST_ROW = re.compile(rb"\}[ \t\n\r]*\]")
_KEPT_BYTES = 31 << 20
_IN_NUMBERS = b"0123456789.eE+-"
_VALUE_BYTES = 1 << 8
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass
class Document:
    """What a file held.

    Attributes:
        values: top-level members that are no arrays of rows.
        sinks: by the name of the array, the sink that took its rows.
        blocks: by the name of the array, where its rows are.
    """

    values: dict[str, Any] = field(default_factory=dict)
    sinks: dict[str, RowSink] = field(default_factory=dict)
    blocks: dict[str, list[Block]] = field(default_factory=dict)


def read_document(
    path: Path,
    sinks: Mapping[str, Callable[[], RowSink]],
    values: frozenset[str],
) -> Document:
    """Reads a JSON file whose top level is an object.

    Args:
        path: a local file, plain, `.gz` or `.zip`.
        sinks: by the name of an array, what makes the sink for its rows.
        values: names of other members to keep. Arrays named in neither are walked over.

    Returns:
        The document. Of a member that is there twice the last counts, as in Python's json.

    Raises:
        InputError: a file that is no JSON object, damaged or cut short.
    """
    _keep_freed_memory()
    with open_plain(path, ".json") as stream:
        return _Walk(stream, path).document(sinks, values)


def _keep_freed_memory() -> None:
    """Saves page faults: the arrays of each block take the memory of those before.

    glibc gives freed blocks back to the system, page by page, only if they are larger than the
    largest that it has seen come and go, up to 32 MiB. This one is never written to.
    """
    np.empty(_KEPT_BYTES, np.uint8)


class _Walk:
    """The walk over one file: a buffer that slides along it."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._buffer = b""
        self._at = 0  # in the buffer
        self._offset = 0  # of the buffer in the file

    def document(
        self, sinks: Mapping[str, Callable[[], RowSink]], values: frozenset[str]
    ) -> Document:
        try:
            return self._document(sinks, values)
        except MalformedJsonError as error:
            place = self._offset + error.place
            raise InputError(
                f"{self._path}: no valid JSON at byte {place:,} ({error.what}). The file is"
                " damaged, cut short or of another kind. Download it again."
            ) from error
        except HopelessFileError as error:
            raise InputError(
                f"{self._path}: has {error}. Check that it is the right file, and download it"
                " again."
            ) from error
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self._path}: not UTF-8 near byte {self._offset + self._at:,}. Convert it."
            ) from error

    def _document(
        self, sinks: Mapping[str, Callable[[], RowSink]], values: frozenset[str]
    ) -> Document:
        document = Document()
        self._more()
        if self._buffer.startswith(_BYTE_ORDER_MARK):
            self._at = len(_BYTE_ORDER_MARK)
        if self._next() != b"{":
            raise InputError(
                f"{self._path}: is no JSON object ({self._beginning()}). Give an LVIS or COCO"
                " annotation file."
            )
        self._at += 1
        if self._next() == b"}":
            self._at += 1
        else:
            while self._member(document, sinks, values):
                pass
        if self._next():
            raise MalformedJsonError(self._at, "text after the end")
        return document

    def _beginning(self) -> str:
        """What the file starts with, so that a web page or an archive shows itself."""
        start = self._buffer[self._at : self._at + 40]
        if not start:
            return "it is empty"
        if start.startswith(b"\x1f\x8b"):
            return "it is compressed: name it .json.gz"
        return f"it starts with {start.decode('utf-8', 'replace')!r}"

    def _member(
        self,
        document: Document,
        sinks: Mapping[str, Callable[[], RowSink]],
        values: frozenset[str],
    ) -> bool:
        """Reads one member; whether another one follows."""
        if self._next() != b'"':
            raise MalformedJsonError(self._at, "a name in double quotes is missing")
        name = self._value()
        self._pass(b":")
        if self._next() == b"[" and name not in values:
            sink = sinks.get(name, SkippedRows)()
            document.values.pop(name, None)
            document.sinks[name] = sink
            document.blocks[name] = list(self._rows(sink))
        else:
            value = self._value()
            document.sinks.pop(name, None)
            if name in values:
                document.values[name] = value
        return self._pass(b",}") == b","

    def _more(self, size: int | None = None) -> bool:
        """Slides the buffer to the present place and reads on; False at the end of the file."""
        added = self._stream.read(size or BLOCK_BYTES)
        self._offset += self._at
        self._buffer = self._buffer[self._at :] + added
        self._at = 0
        return bool(added)

    def _next(self) -> bytes:
        """Passes over white space; the next byte, empty at the end of the file."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def _pass(self, expected: bytes) -> bytes:
        """Passes one of the expected bytes."""
        byte = self._next()
        if not byte or byte not in expected:
            raise MalformedJsonError(
                self._at, "the file ends" if not byte else "unexpected character"
            )
        self._at += 1
        return byte

    def _value(self) -> Any:
        """Reads any value whole: looked for in a little text, then in ever more of it."""
        window = _VALUE_BYTES
        while True:
            text = self._buffer[self._at : self._at + window]
            try:
                end = end_of_value(text)
            except MalformedJsonError as error:
                if error.may_be_cut(text) and self._beyond(window):
                    window *= 8
                    continue
                raise error.moved(self._at) from error
            if not text[end:].strip(_IN_NUMBERS) and self._beyond(window):
                window *= 8
                continue  # a number might go on
            self._at += end
            return value_of(text[:end])

    def _beyond(self, window: int) -> bool:
        """Whether there is text behind the window; reads on where the buffer ends with it."""
        if self._at + window < len(self._buffer):
            return True
        return self._more(max(window, BLOCK_BYTES))

    def _rows(self, sink: RowSink) -> Iterator[Block]:
        """Feeds the rows of the array that starts here to the sink; yields where they were."""
        self._at += 1
        if self._next() == b"]":
            self._at += 1
            return
        row = 1
        while True:
            self._next()
            if len(self._buffer) - self._at < BLOCK_BYTES:
                self._more()
            taken, length = self._block(sink)
            yield Block(self._offset + self._at, length, row)
            row += taken
            self._at += length
            if self._pass(b",]") == b"]":
                return

    def _block(self, sink: RowSink) -> tuple[int, int]:
        """Feeds some rows; how many, and how many bytes they took."""
        for end in self._ends():
            if taken := sink.plain(self._array(end)):
                return taken, end - self._at
        rows, end = self._whole_rows()
        feed(sink, rows)
        return len(rows), end - self._at

    def _array(self, end: int) -> bytes:
        """The buffer from the present place to the end, as a JSON array."""
        return b"".join((b"[", memoryview(self._buffer)[self._at : end], b"]"))

    def _ends(self) -> Iterator[int]:
        """Where in the buffer rows may end: the last row, then the end of the array."""
        window = 1 << 15
        while True:
            start = max(self._at, len(self._buffer) - window)
            found = list(_BETWEEN_ROWS.finditer(self._buffer, start))
            if found:
                yield found[-1].start() + 1
                break
            if start == self._at:
                break
            window *= 4
        for last_row in islice(_LAST_ROW.finditer(self._buffer, self._at), 3):
            yield last_row.start() + 1

    def _whole_rows(self) -> tuple[list[bytes], int]:
        """The texts of the rows that are whole in the buffer, and where in it they end."""
        for end in self._ends():
            rows = rows_of_array(self._array(end))
            if rows:
                return rows, end
        while True:
            text = self._buffer[self._at :]
            rows, length, error = scan_rows(text)
            if rows:
                return rows, self._at + length
            if not error.may_be_cut(text) or not self._more(max(len(text), BLOCK_BYTES)):
                raise error.moved(self._at)
