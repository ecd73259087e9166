"""Rows of a JSON array as typed structs: what is shared by image and annotation rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from lvis_merge.errors import HopelessFileError, InputError
from lvis_merge.sources.json_scan import Block, row_texts, value_of
from lvis_merge.sources.rejects import Reject

RowT = TypeVar("RowT", bound=msgspec.Struct)
_MOST_REJECTS = 1_000_000
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


@cache  # a file may have many arrays of one name
def _reading(
    row_type: type[RowT],
) -> tuple[msgspec.json.Decoder[list[RowT]], tuple[str, ...], tuple[str, ...]]:
    """What decodes rows of a type, its fields, and those that are needed."""
    fields = msgspec.structs.fields(row_type)
    return (
        msgspec.json.Decoder(list[row_type]),  # type: ignore[valid-type]
        tuple(field.encode_name for field in fields),
        tuple(field.encode_name for field in fields if field.required),
    )


class TypedRows(ABC, Generic[RowT]):
    """Decodes rows as structs; tells apart those that lack a field from those with a wrong value.

    JSON types are taken strictly: `1.0`, `"1"` and `true` are no integers, an integer is a number.

    Attributes:
        seen: how many rows there were, good or bad.
        rejects: (row, reason) of the bad ones.
    """

    def __init__(self, row_type: type[RowT]) -> None:
        self._decoder, self._fields, self._needed = _reading(row_type)
        self._found: set[str] = set()
        self.seen = 0
        self.rejects: list[tuple[int, str]] = []

    def plain(self, array: bytes) -> int:
        """Takes rows that are all of the type; see `RowSink`."""
        try:
            rows: list[RowT] = self._decoder.decode(array)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return 0
        first = self.seen + 1
        if not self.take(rows, np.arange(first, first + len(rows))):
            return 0
        self._found.update(self._needed)
        self.seen += len(rows)
        return len(rows)

    def odd(self, row: bytes) -> None:
        """Takes one row that `plain` refuses: bad, or good with oddities where nobody reads."""
        try:
            value = value_of(row)
        except RecursionError:
            return self._reject("value", None)
        if isinstance(value, dict):
            self._found.update(value)
        if not isinstance(value, dict) or self.lacks_columns(value):
            return self._reject("columns", value)
        read = {name: value[name] for name in self._fields if name in value}
        try:
            text = msgspec.json.encode([self.made_plain(read)])
        # a lone surrogate, a number beyond 64 bits, lists in lists in lists
        except (UnicodeEncodeError, OverflowError, RecursionError):
            return self._reject("value", value)
        if not self.plain(text):
            self._reject("value", value)
        return None

    def _reject(self, reason: str, value: Any) -> None:
        self.seen += 1
        self.rejects.append((self.seen, reason))
        if len(self.rejects) > _MOST_REJECTS:
            raise HopelessFileError(f"more than {_MOST_REJECTS:,} bad rows in one array")
        self.note_bad(value)

    def note_bad(self, value: Any) -> None:
        """Told of every bad row, as far as JSON reads it; by default nobody listens."""

    @abstractmethod
    def take(self, rows: list[RowT], places: npt.NDArray[np.int64]) -> bool:
        """Takes decoded rows.

        Args:
            rows: of the type.
            places: int64 [N], their 1-based places in the array.

        Returns:
            Whether they were taken; if one of them is bad, none is.
        """

    def lacks_columns(self, row: dict[str, Any]) -> bool:
        """Whether a row lacks a needed field."""
        return any(name not in row for name in self._needed)

    def made_plain(self, row: dict[str, Any]) -> dict[str, Any]:
        """Puts what plain JSON cannot say (NaN, say) in a form that meets the same fate."""
        return row

    def check_needed(self, path: Path, array: str) -> None:
        """Stops at a file of the wrong kind: no row has a field that every row needs.

        Raises:
            InputError: so it is.
        """
        missing = [name for name in self._needed if name not in self._found]
        if self.seen and missing:
            names = ", ".join(f"`{name}`" for name in missing)
            raise InputError(wrong_kind(path, array, names))


def wrong_kind(path: Path, array: str, missing: str) -> str:
    """The message about an array none of whose rows has some needed fields."""
    return (
        f"{path}: no row of `{array}` has {missing}. It is a file of another kind: give an LVIS or"
        " COCO annotation file."
    )


def with_texts(path: Path, blocks: list[Block], found: Collection[tuple[int, str]]) -> list[Reject]:
    """Rejects with their exact text, read again from the file.

    Args:
        path: the file.
        blocks: of the array that the rows are in.
        found: (row, reason), in any order.
    """
    ordered = sorted(found)
    if not ordered:
        return []
    texts = row_texts(path, blocks, [row for row, _ in ordered])
    return [Reject(row, reason, texts[row]) for row, reason in ordered]
