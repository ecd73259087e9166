"""Rows of two tables with equal keys, in whatever order they stand."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.diff.pairing import pair

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "ä:1"])), max_size=12)


def made(rows: list[tuple[int, str]]) -> pa.Table:
    return pa.table(
        {
            "number": pa.array([row[0] for row in rows], pa.int64()),
            "text": pa.array([row[1] for row in rows], pa.string()),
        }
    )


@settings(deadline=None)
@given(ROWS, ROWS)
def test_pairs_are_the_common_rows(
    before: list[tuple[int, str]], after: list[tuple[int, str]]
) -> None:
    found = pair(made(before), made(after), ["number", "text"])
    for left, right in zip(found.before.tolist(), found.after.tolist(), strict=True):
        assert before[left] == after[right]
    # rows with equal keys are told apart: as many pairs as both have
    assert len(found.before) == (Counter(before) & Counter(after)).total()
    assert sorted([*found.before, *found.removed]) == list(range(len(before)))
    assert sorted([*found.after, *found.added]) == list(range(len(after)))
    assert found.before.tolist() == sorted(found.before.tolist())


def test_many_keys_do_not_overflow() -> None:
    columns = {name: pa.array(range(1 << 13), pa.int64()) for name in "abcdefg"}
    table = pa.table(columns)
    found = pair(table, table.slice(5), list(columns))
    assert found.before.tolist() == list(range(5, 1 << 13))
    assert found.removed.tolist() == [0, 1, 2, 3, 4]
