"""Arrow columns as NumPy arrays, nulls made explicit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def valid(column: pa.ChunkedArray) -> Bools:
    """Which values are not null."""
    return _numpy(pc.is_valid(column))


def ints(column: pa.ChunkedArray, null: int = 0) -> Ints:
    """Values as int64, nulls replaced."""
    return _numpy(pc.fill_null(column, null)).astype(np.int64)


def floats(column: pa.ChunkedArray) -> Floats:
    """Values as float64, nulls as nan."""
    return _numpy(column.cast("float64"))


def true(column: pa.ChunkedArray) -> Bools:
    """Which values are true; null is not."""
    return _numpy(pc.fill_null(column, False))


def equal(column: pa.ChunkedArray, value: Any) -> Bools:
    """Which values equal a scalar or, row by row, another column; null equals nothing."""
    return true(pc.equal(column, value))


def same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> Bools:
    """Which rows of two columns are equal; null equals null."""
    return equal(left, right) | (~valid(left) & ~valid(right))


def isin(column: pa.ChunkedArray, values: list[Any]) -> Bools:
    """Which values are among some; null is not."""
    return _numpy(pc.is_in(column, pa.array(values, column.type))) & valid(column)


def matches(column: pa.ChunkedArray, pattern: str) -> Bools:
    """Which strings a regular expression finds itself in; null is not."""
    return true(pc.match_substring_regex(column, pattern))


def ranks(column: pa.ChunkedArray) -> Ints:
    """Each string's place among the distinct ones in byte order."""
    distinct = column.unique()
    distinct = distinct.take(pc.sort_indices(distinct))
    return ints(pc.index_in(column, distinct), -1)


def places(keys: Ints, wanted: Ints) -> Ints:
    """For each wanted key a row that has it, or -1."""
    if len(keys) == 0:
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(keys, kind="stable")
    found = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    return np.where(keys[order][found] == wanted, order[found], -1)


def repeated(keys: Ints) -> Bools:
    """Which rows repeat the key of an earlier row."""
    order = np.argsort(keys, kind="stable")
    again = np.zeros(len(keys), bool)
    again[order[1:]] = keys[order[1:]] == keys[order[:-1]]
    return again


@dataclass(frozen=True)
class Lists:
    """A list column, flat.

    Attributes:
        rows: the row that each element belongs to.
        values: the elements as int64, nulls as -1.
    """

    rows: Ints
    values: Ints


def lists(column: pa.ChunkedArray) -> Lists:
    """Flattens a column of integer lists."""
    array = _one(column)
    return Lists(ints(pc.list_parent_indices(array)), ints(pc.list_flatten(array), -1))


def take(column: pa.ChunkedArray, rows: Ints) -> pa.ChunkedArray:
    """Values at some rows; null where the row is -1."""
    return column.take(pa.array(rows, mask=rows < 0))


def _one(column: pa.ChunkedArray) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _numpy(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = _one(column).to_numpy(zero_copy_only=False)
    return array
