"""Exact texts of JSON rows: where values end, rows told apart, rows read again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.sources.files import open_plain

_AFTER_VALUE = re.compile(r"[ \t\n\r]*(?:([,\]])[ \t\n\r]*|$)")
_FLOAT64_DIGITS = 310
_LONGEST_TOKEN = len("-Infinity")
# Only the ends matter here, and Python refuses to make an int of more than 4,300 digits.
_scan_value = json.JSONDecoder(parse_int=float).raw_decode
_rows_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class MalformedJsonError(ValueError):
    """Text that is no JSON; the readers tell it to the user as an `InputError`.

    Attributes:
        place: byte position.
        what: what is wrong there.
    """

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what

    def moved(self, by: int) -> MalformedJsonError:
        """The same problem in a text that starts so many bytes earlier."""
        return MalformedJsonError(self.place + by, self.what)

    def may_be_cut(self, text: bytes) -> bool:
        """Whether more text could mend it: what is wrong is at the end of the text, or open."""
        return self.what.startswith("Unterminated string") or (
            self.place >= len(text) - _LONGEST_TOKEN
        )


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


def value_of(text: bytes) -> Any:
    """The value that a JSON text means; an integer beyond float64 becomes infinite.

    Raises:
        UnicodeDecodeError: the text is not UTF-8.
    """
    return _value_decoder.decode(text.decode("utf-8"))


def _parse_int(digits: str) -> float:
    return int(digits) if len(digits) < _FLOAT64_DIGITS else float(digits)


_value_decoder = json.JSONDecoder(parse_int=_parse_int)


def end_of_value(text: bytes) -> int:
    """Where the JSON value that the text starts with ends.

    Raises:
        MalformedJsonError: it does not end, or is no JSON.
    """
    # Latin-1 has one character per byte, and JSON's structure is ASCII.
    return _end(text.decode("latin-1"), 0)


def _end(characters: str, place: int) -> int:
    try:
        return _scan_value(characters, place)[1]
    except json.JSONDecodeError as error:
        raise MalformedJsonError(error.pos, error.msg) from error
    except RecursionError as error:
        raise MalformedJsonError(place, "nested too deeply") from error


def rows_of_array(array: bytes) -> list[bytes] | None:
    """The texts of the elements of a JSON array; None if it is none, or not of plain JSON."""
    try:
        return [bytes(row) for row in _rows_decoder.decode(array)]
    except (msgspec.DecodeError, RecursionError):
        return None


def scan_rows(text: bytes) -> tuple[list[bytes], int, MalformedJsonError]:
    """Reads element after element with Python's json, which also knows NaN.

    Args:
        text: starts with an element of an array; may end anywhere.

    Returns:
        The elements up to the end of the array or of what is whole, where the last of them ends,
        and why it stopped there.
    """
    characters = text.decode("latin-1")
    rows: list[bytes] = []
    place = end = 0
    while True:
        try:
            row_end = _end(characters, place)
        except MalformedJsonError as error:
            return rows, end, error
        between = _AFTER_VALUE.match(characters, row_end)
        if between is None:
            return rows, end, MalformedJsonError(row_end, "Expecting ',' or ']'")
        if between[1] is None:  # the text ends, and a number might go on
            return rows, end, MalformedJsonError(len(text), "the file ends")
        rows.append(text[place:row_end])
        end = row_end
        if between[1] == "]":
            return rows, end, MalformedJsonError(row_end, "the array ends")
        place = between.end()


def row_texts(path: Path, blocks: list[Block], rows: list[int]) -> dict[int, str]:
    """The exact text of some rows of an array, read again.

    Args:
        path: the file that the blocks are of.
        blocks: those of the array, in order.
        rows: 1-based places, ascending.

    Returns:
        The text by place.

    Raises:
        InputError: the file is not what it was when it was read.
    """
    texts: dict[int, str] = {}
    wanted = iter(rows)
    row = next(wanted, None)
    with open_plain(path, ".json") as stream:
        for block, following in zip_longest(blocks, blocks[1:]):
            if row is None:
                break
            if following is not None and row >= following.first_row:
                continue
            stream.seek(block.offset)
            array = b"".join((b"[", stream.read(block.length), b"]"))
            found = rows_of_array(array)
            if found is None:
                found = scan_rows(array[1:])[0]
            while row is not None and (following is None or row < following.first_row):
                if row - block.first_row >= len(found):
                    raise InputError(
                        f"{path}: changed while it was read. Nothing may change the inputs: build"
                        " again."
                    )
                texts[row] = found[row - block.first_row].decode("utf-8")
                row = next(wanted, None)
    return texts
