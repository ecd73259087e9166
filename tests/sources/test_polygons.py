from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.sources.polygons import PolygonColumn, parse_polygons

PLAIN = st.integers(0, 10**7).map(lambda number: number / 100)
LONG = st.one_of(
    st.integers(0, 10**9),
    st.floats(0, 1e6, allow_nan=False).map(lambda number: abs(number)),
    st.decimals(0, 99999, places=3).map(float),
)
ANY = st.one_of(PLAIN, LONG, st.floats(allow_nan=False, allow_infinity=False, width=32))


def rows_of(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[list[list[float]]]]:
    return st.lists(st.lists(st.lists(numbers, max_size=9), max_size=3), max_size=6)


def as_lists(column: PolygonColumn) -> list[list[list[float]]]:
    values = iter(column.values.tolist())
    lengths = iter(column.part_lengths.tolist())
    return [[[next(values) for _ in range(next(lengths))] for _ in range(n)] for n in column.parts]


def rounded(rows: list[list[list[float]]]) -> list[list[list[float]]]:
    return [[[float(np.float32(value)) for value in part] for part in row] for row in rows]


# Compact, as Python writes it, and with white space of every kind: the text is not normalised.
SEPARATORS = [(",", ":"), (", ", ": "), (" ,\n\t", ":")]


@pytest.mark.parametrize("numbers", [PLAIN, LONG, ANY], ids=["plain", "long", "any"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_numbers_are_those_of_json_rounded_to_float32(numbers, data):
    rows = data.draw(rows_of(numbers))
    texts = [
        json.dumps(row, separators=data.draw(st.sampled_from(SEPARATORS))).encode() for row in rows
    ]
    column = parse_polygons(texts)
    assert column is not None
    assert as_lists(column) == rounded(rows)


@pytest.mark.parametrize(
    "text",
    [
        "0", "0.0", "7", "7.5", "7.25", "0.05", "640", "640.0", "12345", "12345.67", "12345.6",
        "123456.78", "123456.7", "1234567.8", "12345678", "123456789", "99999.99", "1.234",
        "12.345", "0.1234567", "239.97000122070312", "1e2", "1E-2", "-3.25", "-0.0", "1.5e+3",
        "0.1", "0.2", "0.3", "33554435.5", "16777217",
    ],
)  # fmt: skip
def test_every_way_to_spell_a_number(text):
    # with neighbours whose characters must not leak into it
    column = parse_polygons([f"[[99.99,{text}, 88.88,{text}]]".encode()])
    assert column is not None
    expected = np.array([99.99, float(text), 88.88, float(text)]).astype(np.float32)
    np.testing.assert_array_equal(column.values, expected)


@pytest.mark.parametrize(
    "text",
    [
        b"null", b"true", b"7", b"[7]", b"[1, [2, 3]]", b"[[1, 2], 3]", b"[[[1]]]", b'"[[1]]"',
        b'[["1"]]', b"[[1, null]]", b"[[1, false]]", b'{"counts": [1]}', b"{}", b"[{}]",
    ],
)  # fmt: skip
def test_anything_but_arrays_of_arrays_of_numbers_is_refused(text):
    assert parse_polygons([b"[[1, 2]]", text]) is None
    assert parse_polygons([text, b"[[1, 2]]"]) is None


@pytest.mark.parametrize(
    ("row", "bad"),
    [
        ([[1, 2, 3, 4, 5, 6]], False),
        ([], False),  # no mask
        ([[]], True),  # a part of no points
        ([[1, 2, 3, 4]], True),  # two points
        ([[1, 2, 3, 4, 5, 6, 7]], True),  # half a point
        ([[1, 2, 3, 4, 5, 6], [1, 2]], True),  # one bad part spoils the row
        ([[1, 2, 3, 4, 5, 1e39]], True),  # infinite as float32
    ],
)
def test_bad_parts_spoil_their_row_and_no_other(row, bad):
    good = [[0, 0, 1, 0, 1, 1]]
    column = parse_polygons([json.dumps(item).encode() for item in (good, row, good)])
    assert column is not None
    assert column.bad_rows().tolist() == [False, bad, False]


def test_no_rows():
    column = parse_polygons([])
    assert column is not None
    assert as_lists(column) == []
