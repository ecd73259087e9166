"""Columns as JSON: each text reads back as the value, and numbers are the shortest decimals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.export import json_text

FLOATS = st.one_of(
    st.integers(0, 200_000).map(lambda cents: cents / 100),  # the table, and beyond its end
    st.floats(-1e6, 1e6, width=32),
    st.sampled_from([0.0, -0.0, 1310.71, 1310.72, 0.005, 1e-7, 3e20, 123456.78]),
)
CENTS = st.integers(0, 131071).map(lambda cents: cents / 100)
PARTS = [st.lists(values, min_size=2, max_size=8) for values in (FLOATS, CENTS)]
ROWS = st.sampled_from(PARTS).flatmap(
    lambda part: st.lists(st.one_of(st.none(), st.lists(part, min_size=1, max_size=3)), max_size=6)
)
"""Polygons of any numbers, and of numbers in the table alone."""


def shortest(value: float) -> float:
    """The shortest decimal that gives the value's float32, as numpy spells it."""
    return float(np.format_float_positional(np.float32(value), unique=True))


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_polygons_read_back_as_the_shortest_decimals(rows: list[Any]) -> None:
    column = pa.array(rows, pa.list_(pa.list_(pa.float32())))
    expected = [
        None if row is None else [[shortest(value) for value in part] for part in row]
        for row in rows
    ]
    found = json_text.polygons(column).to_pylist()
    assert [text and json.loads(text) for text in found] == expected
    # of a slice too, whose offsets do not begin at 0
    found = json_text.polygons(column.slice(1)).to_pylist()
    assert [text and json.loads(text) for text in found] == expected[1:]


def test_many_polygons_are_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block ends with a row: in the middle, at the end, and with a row larger than a block."""
    monkeypatch.setattr(json_text, "_BLOCK", 8)
    sizes = [[4], [2, 2], [2], [6, 12], [2], [4, 4], [8]]
    rows = [[[size + i / 100 for i in range(size)] for size in row] for row in sizes]
    column = pa.array(rows, pa.list_(pa.list_(pa.float32())))
    assert [json.loads(text) for text in json_text.polygons(column).to_pylist()] == rows


def test_decimals_are_spelt_as_published() -> None:
    values = np.array([[0.0, 379.92, 182.58, 48.08]], np.float32)
    assert json_text.number_lists(values).to_pylist() == ["[0,379.92,182.58,48.08]"]


def test_a_negative_zero_keeps_its_sign() -> None:
    (text,) = json_text.number_lists(np.array([[-0.0]], np.float32)).to_pylist()
    assert text == "[-0.0]"
    assert json_text.numbers(pa.array([-0.0, 1.5])).to_pylist() == ["-0.0", "1.5"]


def test_rectangles_go_round_the_box() -> None:
    boxes = np.array([[1.5, 2, 10, 20]], np.float32)
    assert json_text.rectangles(boxes).to_pylist() == ["[[1.5,2,11.5,2,11.5,22,1.5,22]]"]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text()), max_size=8))
def test_strings_are_escaped(texts: list[str | None]) -> None:
    found = json_text.strings(pa.array(texts, pa.string())).to_pylist()
    assert [text and json.loads(text) for text in found] == texts


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[]],
        [[1], [], [3, 2, 1]],  # order is kept
    ],
)
def test_id_lists(rows: list[list[int]]) -> None:
    found = json_text.id_lists(pa.array(rows, pa.list_(pa.int32())))
    assert [json.loads(text) for text in found.to_pylist()] == rows


def test_objects_leave_out_nulls() -> None:
    rows = json_text.objects(
        {"id": pa.array(["1", "2"]), 'a"b': pa.array(['"x"', None]), "c": pa.array([None, "[]"])},
        end=";",
    )
    assert rows.to_pylist() == ['{"id":1,"a\\"b":"x"};', '{"id":2,"c":[]};']


def test_raw_bytes_of_a_slice() -> None:
    texts = pa.array(["ab", "ä", "", "c"])
    assert bytes(json_text.raw(texts.slice(1, 2))) == "ä".encode()
    assert bytes(json_text.raw(texts.slice(0, 0))) == b""
