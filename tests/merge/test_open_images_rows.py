"""Open Images boxes as manifest rows: order, pixels, ignore reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvis_merge.merge.open_images_rows import annotation_rows, ignore_reason, ordered_boxes

COORDINATES = ("XMin", "XMax", "YMin", "YMax")
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
SCHEMA = pa.schema(
    [
        ("ImageID", pa.string()),
        ("Source", pa.string()),
        ("LabelName", pa.string()),
        *((name, pa.float64()) for name in COORDINATES),
        *((name, pa.int8()) for name in FLAGS),
        ("image", pa.int64()),
    ]
)

ROWS = st.fixed_dictionaries(
    {
        "image": st.sampled_from([0, 1, 2]),
        "ImageID": st.just("?"),
        "Source": st.sampled_from([None, "xclick", "activemil", "Ω", "a"]),
        "LabelName": st.sampled_from(["/m/1", "/m/02", "/m/_"]),
        **{name: st.sampled_from([0.0, -0.0, 0.5, 0.25]) for name in COORDINATES},
        **{name: st.sampled_from([None, -1, 0, 1]) for name in FLAGS},
    }
)


def known(row: dict[str, Any]) -> dict[str, Any]:
    """Unknown flags as None."""
    return row | {name: None if row[name] == -1 else row[name] for name in FLAGS}


def sort_key(row: dict[str, Any]) -> list[tuple[bool, Any]]:
    names = ("image", "LabelName", *COORDINATES, *FLAGS, "Source")
    return [(row[name] is not None, row[name] if row[name] is not None else 0) for name in names]


@given(st.lists(ROWS, max_size=12))
@settings(max_examples=200, deadline=None)
def test_rows_are_in_the_order_of_a_python_sort(rows: list[dict[str, Any]]) -> None:
    """Rule: (image, LabelName, XMin, XMax, YMin, YMax, flags, Source), numbers as numbers, nulls
    first; -1 is null; equal rows are kept; the rank counts from 1 within an image."""
    found = ordered_boxes(pa.Table.from_pylist(rows, schema=SCHEMA)).to_pylist()
    expected = sorted(map(known, rows), key=sort_key)
    assert [{name: row[name] for name in SCHEMA.names} for row in found] == expected
    seen: dict[int, int] = {}
    for row in found:
        seen[row["image"]] = seen.get(row["image"], 0) + 1
        assert row["rank"] == seen[row["image"]]


@given(st.lists(ROWS, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_input_does_not_show(rows: list[dict[str, Any]], random: Any) -> None:
    """Rule: the same bytes whatever the order of the input rows: -0.0 has become 0.0."""
    shuffled = random.sample(rows, len(rows))
    tables = [ordered_boxes(pa.Table.from_pylist(r, schema=SCHEMA)) for r in (rows, shuffled)]
    assert repr(tables[0].to_pylist()) == repr(tables[1].to_pylist())


def box(image: int, mid: str, **given: Any) -> dict[str, Any]:
    coordinates = dict(zip(COORDINATES, (0.25, 0.75, 0.1, 0.4), strict=True))
    unset = dict.fromkeys(FLAGS, 0)
    return {
        "image": image,
        "ImageID": "?",
        "Source": "xclick",
        "LabelName": mid,
        **coordinates,
        **unset,
        **given,
    }


def test_boxes_become_objects_and_ignore_regions() -> None:
    """Rule: x = XMin·W, w = (XMax - XMin)·W; flags and unmapped classes make ignore rows."""
    rows = [
        box(0, "/m/1"),
        box(0, "/m/9", IsGroupOf=1),
        box(1, "/m/2", IsGroupOf=1, IsInside=1, IsOccluded=-1, Source=None),
    ]
    boxes = ordered_boxes(pa.Table.from_pylist(rows, schema=SCHEMA))
    table = annotation_rows(
        boxes,
        {"/m/1": (7, "exact"), "/m/2": (3, None)},
        pa.array(["00aa", "00bb"]),
        np.array([100, 200]),
        np.array([640, 3]),
        np.array([480, 5]),
    )
    found = table.to_pylist()
    assert [row["image_id"] for row in found] == [100, 100, 200]
    assert [row["source_annotation_id"] for row in found] == ["00aa:1", "00aa:2", "00bb:1"]
    assert [row["order"] for row in found] == [1, 2, 1]
    assert [row["role"] for row in found] == ["object", "ignore", "ignore"]
    assert [row["ignore_reason"] for row in found] == [None, "unmapped", "group_of"]
    assert [row["category_id"] for row in found] == [7, None, 3]
    assert [row["map_relation"] for row in found] == ["exact", None, None]
    assert [row["source_label"] for row in found] == ["/m/1", "/m/9", "/m/2"]
    assert [row["annotation_method"] for row in found] == ["xclick", "xclick", None]
    assert [row["is_group_of"] for row in found] == [False, True, True]
    assert [row["is_occluded"] for row in found] == [False, False, None]
    assert found[0]["bbox"] == [0.25 * 640, 0.1 * 480, (0.75 - 0.25) * 640, (0.4 - 0.1) * 480]
    assert found[0]["area"] == (0.75 - 0.25) * 640 * ((0.4 - 0.1) * 480)
    assert table.schema.field("bbox").type.value_type == pa.float64()


def test_no_boxes_have_typed_columns() -> None:
    """Rule: no rows is no error."""
    boxes = ordered_boxes(SCHEMA.empty_table())
    none = np.zeros(0, np.int64)
    table = annotation_rows(boxes, {}, pa.array([], pa.string()), none, none, none)
    assert len(table) == 0
    assert table.schema.field("is_inside").type == pa.bool_()
    assert table.schema.field("category_id").type == pa.int32()


REASONS = [
    # (unmapped, group_of, depiction, inside, reason)
    (True, True, True, True, "unmapped"),
    (False, True, True, True, "group_of"),
    (False, False, True, True, "depiction"),
    (False, False, False, True, "inside"),
    (False, False, False, False, None),
    (False, None, None, None, None),  # unknown is not set
    (False, None, True, None, "depiction"),
    (True, None, None, None, "unmapped"),
]


@pytest.mark.parametrize(("unmapped", "group_of", "depiction", "inside", "reason"), REASONS)
def test_the_first_reason_is_told(
    unmapped: bool,
    group_of: bool | None,
    depiction: bool | None,
    inside: bool | None,
    reason: str | None,
) -> None:
    """Rule: the first of unmapped, group_of, depiction, inside; null counts as not set."""
    flags = [pa.array([flag], pa.bool_()) for flag in (unmapped, group_of, depiction, inside)]
    assert ignore_reason(*flags).to_pylist() == [reason]
