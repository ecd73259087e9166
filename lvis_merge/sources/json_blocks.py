"""Walks a large JSON file: the arrays of its top-level object in blocks, the rest as values.

The file is never held as a whole. A block ends where a row seems to end; whether it truly does is
known once the rows before it decode as a complete JSON array, since a cut inside a string or a
nested value cannot. Where they do not decode, the rows are told apart exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.sources.files import open_plain

BLOCK_BYTES = 1 << 19
"""How much text is decoded at a time: small enough to stay in the processor's cache."""

_SPACE = re.compile(rb"[ \t\n\r]*")
_BETWEEN_ROWS = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*\{")
_LAST_ROW = re.compile(rb"\}[ \t\n\r]*\]")
_AFTER_VALUE = re.compile(r"[ \t\n\r]*([,\]])[ \t\n\r]*")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_TOKEN = len("-Infinity")
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_scan_value = json.JSONDecoder().raw_decode
_rows_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class RowSink(Protocol):
    """Takes the rows of one array, in order."""

    def plain(self, array: bytes) -> int:
        """Takes rows that are all in the expected form.

        Args:
            array: a JSON array of whole rows.

        Returns:
            How many rows were taken; 0 if they do not decode or not all are in the expected form.
            Then none was taken.
        """

    def odd(self, row: bytes) -> None:
        """Takes one row that `plain` refuses.

        Args:
            row: the row's exact text, valid JSON but perhaps no JSON object.
        """


class SkippedRows:
    """A sink for arrays that nobody reads."""

    def plain(self, array: bytes) -> int:
        """Accepts any rows."""
        try:
            return len(_rows_decoder.decode(array))
        except _UNDECODABLE:
            return 0

    def odd(self, row: bytes) -> None:
        """Accepts any row."""


@dataclass(frozen=True)
class Block:
    """Where some rows of an array are.

    Attributes:
        offset: of their first byte in the unpacked file.
        length: in bytes.
        first_row: 1-based place of the first in the array.
    """

    offset: int
    length: int
    first_row: int


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
    with open_plain(path, ".json") as stream:
        return _Walk(stream, path).document(sinks, values)


def row_texts(path: Path, blocks: list[Block], rows: list[int]) -> dict[int, str]:
    """The exact text of some rows of an array, read again.

    Args:
        path: the file that `read_document` read.
        blocks: those of the array.
        rows: 1-based places, ascending.

    Returns:
        The text by place.
    """
    texts: dict[int, str] = {}
    wanted = iter(rows)
    row = next(wanted, None)
    with open_plain(path, ".json") as stream:
        for block, following in zip(blocks, [*blocks[1:], None], strict=True):
            if row is None:
                break
            if following is not None and row >= following.first_row:
                continue
            stream.seek(block.offset)
            found = _split(stream.read(block.length))
            while row is not None and (following is None or row < following.first_row):
                texts[row] = found[row - block.first_row].decode("utf-8")
                row = next(wanted, None)
    return texts


class _Malformed(Exception):  # noqa: N818 - told to the user as an InputError
    """Not JSON at a byte of the buffer."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what


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
        except _Malformed as error:
            place = self._offset + error.place
            raise InputError(
                f"{self._path}: no valid JSON at byte {place:,} ({error.what}). The file is"
                " damaged, cut short or of another kind. Download it again."
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
                f"{self._path}: the top level is no JSON object. Give an LVIS or COCO annotation"
                " file."
            )
        self._at += 1
        if self._next() == b"}":
            self._at += 1
        else:
            while self._member(document, sinks, values):
                pass
        if self._next():
            raise _Malformed(self._at, "text after the end")
        return document

    def _member(
        self,
        document: Document,
        sinks: Mapping[str, Callable[[], RowSink]],
        values: frozenset[str],
    ) -> bool:
        """Reads one member; whether another one follows."""
        if self._next() != b'"':
            raise _Malformed(self._at, "a name in double quotes is missing")
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

    def _more(self, size: int = BLOCK_BYTES) -> bool:
        """Slides the buffer to the present place and reads on; False at the end of the file."""
        added = self._stream.read(size)
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
            raise _Malformed(self._at, "the file ends" if not byte else "unexpected character")
        self._at += 1
        return byte

    def _value(self) -> Any:
        """Reads any value whole."""
        while True:
            # Latin-1 has one character per byte, and JSON's structure is ASCII.
            text = self._buffer[self._at :].decode("latin-1")
            try:
                _, end = _scan_value(text)
            except (ValueError, RecursionError) as error:
                if _may_be_cut(error, len(text)) and self._more(max(len(text), BLOCK_BYTES)):
                    continue
                raise _problem(error, self._at) from error
            if end == len(text) and self._more():
                continue  # a number might go on
            raw = text[:end].encode("latin-1")
            self._at += end
            return json.loads(raw.decode("utf-8"))

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
        _feed(sink, rows)
        return len(rows), end - self._at

    def _array(self, end: int) -> bytes:
        """The buffer from the present place to the end, as a JSON array."""
        return b"".join((b"[", memoryview(self._buffer)[self._at : end], b"]"))

    def _ends(self) -> Iterator[int]:
        """Where in the buffer rows may end: the last row, then the end of the array."""
        window = 1 << 15
        while True:
            start = max(self._at, len(self._buffer) - window)
            last = None
            for last in _BETWEEN_ROWS.finditer(self._buffer, start):
                pass
            if last is not None:
                yield last.start() + 1
                break
            if start == self._at:
                break
            window *= 4
        for found in islice(_LAST_ROW.finditer(self._buffer, self._at), 3):
            yield found.start() + 1

    def _whole_rows(self) -> tuple[list[bytes], int]:
        """The texts of the rows that are whole in the buffer, and where in it they end."""
        for end in self._ends():
            try:
                decoded = _rows_decoder.decode(self._array(end))
            except _UNDECODABLE:
                continue
            return [bytes(row) for row in decoded], end
        while True:
            text = self._buffer[self._at :]
            rows, length, error = _scan(text)
            if rows:
                return rows, self._at + length
            if not _may_be_cut(error, len(text)) or not self._more(max(len(text), BLOCK_BYTES)):
                raise _problem(error, self._at) from error


def _feed(sink: RowSink, rows: list[bytes]) -> None:
    """Halves rows until those that `plain` refuses stand alone: the others cost little more."""
    if sink.plain(b"".join((b"[", b",".join(rows), b"]"))):
        return
    if len(rows) == 1:
        sink.odd(rows[0])
        return
    middle = len(rows) // 2
    _feed(sink, rows[:middle])
    _feed(sink, rows[middle:])


def _split(text: bytes) -> list[bytes]:
    """The texts of the rows of a block."""
    try:
        return [bytes(row) for row in _rows_decoder.decode(b"".join((b"[", text, b"]")))]
    except _UNDECODABLE:
        return _scan(text)[0]


def _scan(text: bytes) -> tuple[list[bytes], int, Exception]:
    """Reads row after row with Python's json, which also knows NaN.

    Args:
        text: starts with a row; may end anywhere.

    Returns:
        The rows up to the end of the array or of what is whole, where the last of them ends, and
        why it stopped there.
    """
    characters = text.decode("latin-1")
    rows: list[bytes] = []
    place = end = 0
    while True:
        try:
            _, row_end = _scan_value(characters, place)
        except (ValueError, RecursionError) as error:
            return rows, end, error
        between = _AFTER_VALUE.match(characters, row_end)
        if between is None and row_end < len(characters) and characters[row_end:].strip():
            error = json.JSONDecodeError("Expecting ',' or ']'", characters, row_end)
            return rows, end, error
        rows.append(text[place:row_end])
        end = row_end
        if between is None or between[1] == "]":
            return rows, end, ValueError("the file ends")
        place = between.end()


def _problem(error: Exception, at: int) -> _Malformed:
    if isinstance(error, json.JSONDecodeError):
        return _Malformed(at + error.pos, error.msg)
    return _Malformed(at, "nested too deeply" if isinstance(error, RecursionError) else str(error))


def _may_be_cut(error: Exception, length: int) -> bool:
    """Whether more text could mend it: what is wrong is at the end of the text, or open there."""
    return isinstance(error, json.JSONDecodeError) and (
        error.msg.startswith("Unterminated string") or error.pos >= length - _LONGEST_TOKEN
    )
