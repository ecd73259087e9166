"""Which rows of two tables are the same thing, by keys that a rebuild does not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Rows of two tables.

    Attributes:
        before: int64 [P], rows of the first table that the second has too, ascending.
        after: int64 [P], their rows in the second table.
        removed: int64 [R], rows that only the first has, ascending.
        added: int64 [A], rows that only the second has, ascending.
    """

    before: Places
    after: Places
    removed: Places
    added: Places


def pair(before: pa.Table, after: pa.Table, keys: Sequence[str]) -> Pairs:
    """Finds the rows with equal keys.

    Args:
        before: a table with the key columns.
        after: likewise.
        keys: columns without nulls. Rows of one table with equal keys are told apart by their
            order.
    """
    first, second = _codes(before, after, keys)
    _, left, right = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    order = np.argsort(left)
    return Pairs(left[order], right[order], _others(len(first), left), _others(len(second), right))


def _others(rows: int, taken: Places) -> Places:
    free = np.ones(rows, np.bool_)
    free[taken] = False
    return np.flatnonzero(free)


def _codes(before: pa.Table, after: pa.Table, keys: Sequence[str]) -> tuple[Places, Places]:
    """One number for each row, equal where the keys are."""
    codes: Places = np.zeros(len(before) + len(after), np.int64)
    values = 1
    for key in keys:
        chunks = [*before[key].chunks, *after[key].chunks]
        column = pa.chunked_array(chunks, before[key].type).combine_chunks().dictionary_encode()
        here = max(len(column.dictionary), 1)
        if values * here >= 2**62:  # the numbers so far, without gaps
            codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
            values = int(codes.max()) + 1
        codes = codes * here + column.indices.to_numpy()
        values *= here
    first, second = codes[: len(before)], codes[len(before) :]
    repeats = max(_repeats(first).max(initial=0), _repeats(second).max(initial=0)) + 1
    if repeats > 1:
        codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
        first, second = codes[: len(before)], codes[len(before) :]
        first, second = (side * repeats + _repeats(side) for side in (first, second))
    return first, second


def _repeats(codes: Places) -> Places:
    """How many earlier rows have the same code."""
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    starts = np.ones(len(codes), np.bool_)
    starts[1:] = sorted_codes[1:] != sorted_codes[:-1]
    place = np.arange(len(codes))
    run = np.maximum.accumulate(np.where(starts, place, 0))
    repeats = np.empty(len(codes), np.int64)
    repeats[order] = place - run
    return repeats
