"""Walks a results file, a JSON array of entries, in blocks: the file is never held as a whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, NoReturn

from lvis_merge.errors import InputError
from lvis_merge.sources.files import open_plain
from lvis_merge.sources.json_scan import MalformedJsonError, scan_rows
from lvis_merge.sources.json_sinks import RowSink

BLOCK_BYTES = 1 << 20
_LONGEST_ENTRY = 16 << 20
_TAIL_BYTES = 1 << 14
"""Where the last entries of a block are looked for first."""

_BETWEEN_ENTRIES = re.compile(rb"\}[ \t\n\r]*,[ \t\n\r]*(?=\{)")
_SPACE = b" \t\n\r"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_entries(path: Path, sink: RowSink) -> None:
    """Feeds the entries of a results file to a sink, in order.

    Args:
        path: a local file, plain, `.gz` or `.zip`.
        sink: takes whole blocks, or where it refuses one, its entries one by one.

    Raises:
        InputError: the file is no JSON array, damaged or cut short, or the sink says so.
    """
    with open_plain(path, ".json") as stream:
        try:
            _Entries(stream, path, sink).walk()
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: is not UTF-8 text. Convert it.") from error


class _Entries:
    """The walk over one file; `_text` is what was read and not yet fed."""

    def __init__(self, stream: IO[bytes], path: Path, sink: RowSink) -> None:
        self._stream = stream
        self._path = path
        self._sink = sink
        self._text = b""
        self._fed = 0

    def walk(self) -> None:
        self._open_array()
        while not self._text.lstrip(_SPACE):
            if not self._more():
                self._cut_short(None)
        if self._text.lstrip(_SPACE).startswith(b"]"):
            return self._close_array(self._text.lstrip(_SPACE)[1:])
        while self._more():
            cut = self._last_cut()
            if cut and self._fed_plainly(self._text[: cut.start() + 1] + b"]"):
                self._text = self._text[cut.end() :]
            elif (cut or len(self._text) > _LONGEST_ENTRY) and self._feed_each():
                return None
        if self._fed_plainly(self._text):
            return None
        while not self._feed_each():
            pass
        return None

    def _open_array(self) -> None:
        while len(self._text.strip(_SPACE)) <= len(_BYTE_ORDER_MARK) and self._more():
            pass
        text = self._text.removeprefix(_BYTE_ORDER_MARK).lstrip(_SPACE)
        if not text.startswith(b"["):
            raise InputError(
                f"{self._path}: {_beginning(text)}. Give LVIS results: a JSON array of entries with"
                " image_id, category_id, score and bbox or segmentation."
            )
        self._text = text[1:]

    def _more(self) -> bool:
        added = self._stream.read(BLOCK_BYTES)
        self._text += added
        return bool(added)

    def _last_cut(self) -> re.Match[bytes] | None:
        """The last place between two entries that were read last; None if there is none."""
        for reach in (_TAIL_BYTES, BLOCK_BYTES):
            cuts = list(_BETWEEN_ENTRIES.finditer(self._text, max(0, len(self._text) - reach)))
            if cuts:
                return cuts[-1]
        return None

    def _fed_plainly(self, rows: bytes) -> bool:
        """Feeds whole entries at once; `rows` ends with the bracket that closes the array."""
        taken = self._sink.plain(b"[" + rows)
        self._fed += taken
        return bool(taken)

    def _feed_each(self) -> bool:
        """Feeds entries one by one as far as they are whole; whether the array ended there."""
        text = self._text.lstrip(_SPACE)
        rows, end, why = scan_rows(text)
        self._feed(rows)
        rest = text[end:].lstrip(_SPACE)
        if rows and rest.startswith(b"]"):
            self._close_array(rest[1:])
            return True
        self._text = rest.removeprefix(b",").lstrip(_SPACE)
        if self._text.startswith(b"]"):
            self._damaged("an entry is missing before the closing bracket")
        if why.may_be_cut(text):
            if not self._more():
                self._cut_short(why)
        elif not rows:
            self._damaged(why.what)
        return False

    def _feed(self, rows: list[bytes]) -> None:
        """Halves entries until those that the sink refuses stand alone."""
        if not rows or self._fed_plainly(b",".join(rows) + b"]"):
            return
        if len(rows) == 1:
            self._sink.odd(rows[0])
            self._fed += 1
            return
        self._feed(rows[: len(rows) // 2])
        self._feed(rows[len(rows) // 2 :])

    def _close_array(self, rest: bytes) -> None:
        self._text = rest
        while not self._text.strip(_SPACE):
            if not self._more():
                return
        self._damaged("there is text after the end of the array")

    def _cut_short(self, why: MalformedJsonError | None) -> NoReturn:
        raise InputError(
            f"{self._path}: the file ends at entry {self._fed + 1:,}, before its array does. It was"
            " cut short; write or copy it again."
        ) from why

    def _damaged(self, what: str) -> NoReturn:
        raise InputError(
            f"{self._path}: is no valid JSON near entry {max(self._fed, 1):,} ({what}). Write it"
            " again."
        )


def _beginning(text: bytes) -> str:
    """What is wrong with how a file starts."""
    if not text:
        return "is empty"
    if text.startswith(b"\x1f\x8b"):
        return "is compressed; name it .json.gz"
    if text.startswith(b"PK\x03\x04"):
        return "is compressed; name it .json.zip"
    if text.startswith(b"{"):
        return "is a JSON object, not an array (an annotation file, perhaps)"
    return f"is no JSON array; it starts with {text[:20].decode('utf-8', 'replace')!r}"
