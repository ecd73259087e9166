"""Values of a column that differ, lists of lists too."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.diff.columns import differing

NUMBERS = st.lists(st.integers(0, 2).map(float), max_size=3)
VALUES = {
    pa.int64(): st.integers(0, 2),
    pa.string(): st.sampled_from(["", "a"]),
    pa.bool_(): st.booleans(),
    pa.list_(pa.float32()): NUMBERS,
    pa.list_(pa.list_(pa.float32())): st.lists(NUMBERS, max_size=3),
    pa.list_(pa.float32(), 2): st.lists(st.integers(0, 1).map(float), min_size=2, max_size=2),
}


@settings(deadline=None)
@given(
    st.sampled_from(list(VALUES)).flatmap(
        lambda kind: st.tuples(
            st.just(kind), st.lists(st.tuples(*[st.none() | VALUES[kind]] * 2), max_size=8)
        )
    )
)
def test_as_python_compares_them(case: tuple[pa.DataType, list[tuple[Any, Any]]]) -> None:
    kind, pairs = case
    before, after = (pa.array([pair[side] for pair in pairs], kind) for side in (0, 1))
    expected = [one != other for one, other in pairs]
    assert differing(before, after).tolist() == expected
    # of slices, whose offsets do not begin at 0
    assert differing(before.slice(1), after.slice(1)).tolist() == expected[1:]
