"""The annotation rows of all sources as one table."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.merge.assemble import Part, join_annotations, source_rank

FIELDS = [
    pa.field("annotation_id", pa.int64()),
    pa.field("image_id", pa.int64()),
    pa.field("source", pa.string()),
    pa.field("source_annotation_id", pa.string()),
    pa.field("area", pa.float64()),
    pa.field("matched_annotation_id", pa.int64()),
    pa.field("relabelled_from", pa.int32()),
]
SOURCES = ("lvis", "coco", "open_images", "alpha", "zeta")


def part(source: str, rows: list[tuple[int, int]], **columns: Any) -> Part:
    """Rows of (image id, order)."""
    table = pa.table(
        {
            "image_id": pa.array([row[0] for row in rows], pa.int64()),
            "order": pa.array([row[1] for row in rows], pa.int64()),
            "source_annotation_id": pa.array([str(row[1]) for row in rows], pa.string()),
            **columns,
        }
    )
    return Part(source, table)


def joined_columns(
    parts: list[Part], first_id: int = 1, piece_rows: int = 3
) -> dict[str, list[Any]]:
    """All pieces as one."""
    joined: dict[str, list[Any]] = {}
    for piece in join_annotations(parts, FIELDS, first_id, piece_rows):
        assert len({len(column) for column in piece.values()}) == 1
        for name, column in piece.items():
            joined.setdefault(name, []).extend(column.to_pylist())
    return joined


ROWS = st.lists(st.tuples(st.sampled_from([1, 5, 2**52]), st.integers(0, 200)), unique=True)


@given(
    st.permutations(SOURCES),
    st.lists(ROWS, min_size=5, max_size=5),
    st.sampled_from([1, 40]),
    st.integers(1, 9),
)
@settings(max_examples=100, deadline=None)
def test_rows_are_ordered_by_image_source_and_source_id(
    sources: list[str], rows: list[list[tuple[int, int]]], first_id: int, piece_rows: int
) -> None:
    """Rule: by image_id, then lvis, coco, open_images, extras by name, then the id as a number."""
    parts = [part(source, of) for source, of in zip(sources, rows, strict=True)]
    joined = joined_columns(parts, first_id, piece_rows)
    expected = sorted(
        (image, SOURCES.index(source), order)
        for source, of in zip(sources, rows, strict=True)
        for image, order in of
    )
    assert joined.get("image_id", []) == [row[0] for row in expected]
    assert joined.get("source", []) == [SOURCES[row[1]] for row in expected]
    assert joined.get("source_annotation_id", []) == [str(row[2]) for row in expected]
    number = len(expected)
    assert joined.get("annotation_id", []) == list(range(first_id, first_id + number))


def test_matches_become_annotation_ids() -> None:
    """Rule: `matched_annotation_id` names the object's row in the output order."""
    lvis = part("lvis", [(5, 9), (5, 1), (1, 4)])
    coco = part(
        "coco",
        [(5, 2), (5, 3), (1, 1)],
        matched_row=pa.array([0, None, 2], pa.int64()),
        area=pa.array([1.5, 2.5, 3.5]),
    )
    joined = joined_columns([lvis, coco])
    # output: image 1: lvis 4, coco 1; image 5: lvis 1, lvis 9, coco 2, coco 3
    assert joined["source_annotation_id"] == ["4", "1", "1", "9", "2", "3"]
    assert joined["matched_annotation_id"] == [None, 1, None, None, 4, None]
    assert joined["area"] == [None, 3.5, None, None, 1.5, 2.5]


def test_columns_that_no_part_fills_are_left_out() -> None:
    """Rule: the writer fills them with nulls."""
    joined = joined_columns([part("lvis", [(1, 1)]), part("coco", [])])
    assert "relabelled_from" not in joined
    assert "area" not in joined
    assert joined["matched_annotation_id"] == [None]


def test_no_parts_and_empty_parts() -> None:
    """Rule: a source without rows is no error."""
    for parts in ([], [part("lvis", []), part("coco", [], matched_row=pa.array([], pa.int64()))]):
        assert joined_columns(parts) == {}


def test_extras_follow_by_name() -> None:
    """Rule: lvis, coco, open_images, then extras by name."""
    extras = ["zeta", "alpha"]
    assert [source_rank(source, extras) for source in SOURCES] == [0, 1, 2, 3, 4]
