"""Digests tell polygons apart, wherever their rows stand."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.diff.polygon_digests import digests

POLYGONS = pa.list_(pa.list_(pa.float32()))
SQUARE = [0.0, 0.0, 8.0, 0.0, 8.0, 8.0, 0.0, 8.0]
VALUES = st.lists(
    st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=1, max_size=4), min_size=1, max_size=3
)


def of(rows: list[Any]) -> list[int | None]:
    found: list[int | None] = digests(pa.array(rows, POLYGONS)).column("segmentation").to_pylist()
    return found


@settings(deadline=None)
@given(st.lists(st.none() | VALUES, max_size=8))
def test_equal_polygons_and_no_others_have_equal_digests(rows: list[Any]) -> None:
    found = of(rows)
    for one, row in zip(found, rows, strict=True):
        assert (one is None) == (row is None)
        for other, other_row in zip(found, rows, strict=True):
            assert (one == other) == (row == other_row)
    # alone, and as part of another column, the same
    assert [of([row])[0] for row in rows] == found
    sliced = digests(pa.array([[SQUARE], *rows], POLYGONS).slice(1))
    assert sliced.column("segmentation").to_pylist() == found


@pytest.mark.parametrize(
    "other",
    [
        [[*SQUARE[:-1], 8.000001]],
        [SQUARE[2:] + SQUARE[:2]],  # the same points from another start
        [SQUARE[:4], SQUARE[4:]],  # the same numbers in two parts
        [SQUARE, SQUARE],
        [[*SQUARE, 0.0, 0.0]],
    ],
)
def test_what_differs(other: list[list[float]]) -> None:
    assert of([[SQUARE]]) != of([other])


def test_points_and_the_sign_of_zero() -> None:
    found = digests(pa.array([[SQUARE, SQUARE], None, [[-0.0, *SQUARE[1:]]]], POLYGONS))
    assert found.column("points").to_pylist() == [8, 0, 4]
    assert found.column("segmentation").to_pylist()[2] == of([[SQUARE]])[0]
