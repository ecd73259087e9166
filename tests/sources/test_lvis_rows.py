"""LVIS files row by row: which rows are rejected, for which reason, and which are not."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from lvis_merge.sources.lvis import read_lvis
from tests.sources.json_files import LVIS, changed, with_row, written

NAN, INF = math.nan, math.inf
GOOD = LVIS["annotations"][0]
IMAGE = LVIS["images"][1]
SQUARE = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]

ANNOTATION_CASES: list[tuple[str, dict[str, Any]]] = [
    # a needed field is missing, or the row is no object
    *[("columns", {name: ...}) for name in GOOD],
    # columns comes before every other reason
    ("columns", {"area": ..., "id": "x", "image_id": 99}),
    # a field of the wrong JSON type or out of range
    ("value", {"id": "13"}),
    ("value", {"id": -1}),
    ("value", {"id": 2**63}),
    ("value", {"id": 13.0}),
    ("value", {"id": True}),
    ("value", {"id": None}),
    ("value", {"image_id": "1"}),
    ("value", {"image_id": 1.0}),
    ("value", {"category_id": None}),
    ("value", {"bbox": [1, 2, 3]}),
    ("value", {"bbox": [1, 2, 3, 4, 5]}),
    ("value", {"bbox": [1, 2, 3, "4"]}),
    ("value", {"bbox": [1, 2, 3, None]}),
    ("value", {"bbox": [1, 2, 3, True]}),
    ("value", {"bbox": None}),
    ("value", {"area": "12"}),
    ("value", {"area": None}),
    ("value", {"area": NAN}),
    ("value", {"area": INF}),
    ("value", {"segmentation": None}),
    ("value", {"segmentation": "[[]]"}),
    ("value", {"segmentation": [1, 2, 3, 4, 5, 6]}),
    ("value", {"segmentation": [[1, 2, 3, 4, 5, "6"]]}),
    ("value", {"segmentation": [[[1, 2, 3, 4, 5, 6]]]}),
    ("value", {"segmentation": {"size": [480, 640]}}),
    ("value", {"segmentation": {"size": [480], "counts": [480 * 640]}}),
    ("value", {"segmentation": {"size": [480, 640], "counts": [-1, 5]}}),
    ("value", {"segmentation": {"size": [480, 640], "counts": None}}),
    # value comes before unknown_image
    ("value", {"area": None, "image_id": 99}),
    ("unknown_image", {"image_id": 99}),
    ("unknown_image", {"image_id": -1}),
    ("unknown_image", {"image_id": 2**70}),
    ("unknown_image", {"image_id": 99, "category_id": 99, "id": 11, "bbox": [1, 2, 0, 0]}),
    ("unknown_category", {"category_id": 99}),
    ("unknown_category", {"category_id": 2**32 + 7}),
    ("unknown_category", {"category_id": -(2**70)}),
    ("unknown_category", {"category_id": 99, "id": 11, "bbox": [1, 2, 0, 0]}),
    ("duplicate_id", {"id": 11}),
    ("duplicate_id", {"id": 11, "bbox": [1, 2, 0, 0]}),
    # boxes that are not finite or have no size
    ("box", {"bbox": [1, 2, 0, 4]}),
    ("box", {"bbox": [1, 2, 3, -4]}),
    ("box", {"bbox": [NAN, 2, 3, 4]}),
    ("box", {"bbox": [1, 2, 3, INF]}),
    ("box", {"bbox": [-INF, 2, 3, 4]}),
    ("box", {"bbox": [10**309, 2, 3, 4]}),
    ("box", {"bbox": [1, -(10**4200), 3, 4]}),
    ("box", {"bbox": [1, 2, 0, 4], "segmentation": [[1]]}),
    # polygon parts of fewer than 3 points, half points or no finite coordinate
    ("polygon", {"segmentation": [[1, 2, 3, 4]]}),
    ("polygon", {"segmentation": [[]]}),
    ("polygon", {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}),
    ("polygon", {"segmentation": [SQUARE, [1, 2]]}),
    ("polygon", {"segmentation": [[1, 2, 3, 4, 5, NAN]]}),
    ("polygon", {"segmentation": [[1, 2, 3, 4, 5, -INF]]}),
    # a bitmap of another size than its image
    ("polygon", {"segmentation": {"size": [640, 480], "counts": [640 * 480]}}),
    ("polygon", {"segmentation": {"size": [640, 480], "counts": "abc"}}),
]


@pytest.mark.parametrize(
    ("reason", "fields"), ANNOTATION_CASES, ids=[str(case[1])[:60] for case in ANNOTATION_CASES]
)
def test_bad_annotation_is_rejected_with_the_first_reason_and_its_text(tmp_path, reason, fields):
    document = with_row(LVIS, "annotations", {**GOOD, "id": 13})
    document = changed(document, "annotations", 2, **fields)
    raw = json.dumps(document["annotations"][2])
    source = read_lvis(written(tmp_path, document))
    assert source.rejects.to_pylist() == [
        {
            "source": "lvis",
            "file": "a.json",
            "kind": "annotation",
            "row": 3,
            "reason": reason,
            "raw": raw[:1000],  # cut at 1,000 characters
        }
    ]
    assert source.annotations["source_id"].to_pylist() == [11, 12]
    assert source.annotation_rows == 3


@pytest.mark.parametrize("row", [None, 5, "text", [GOOD]])
@pytest.mark.parametrize(("array", "kind"), [("images", "image"), ("annotations", "annotation")])
def test_row_that_is_no_object_lacks_columns(tmp_path, array, kind, row):
    source = read_lvis(written(tmp_path, with_row(LVIS, array, row)))
    rejects = [(r["kind"], r["row"], r["reason"], r["raw"]) for r in source.rejects.to_pylist()]
    assert rejects == [(kind, 3, "columns", json.dumps(row))]


IMAGE_CASES: list[tuple[str, dict[str, Any]]] = [
    *[("columns", {name: ...}) for name in IMAGE],
    ("value", {"id": "3"}),
    ("value", {"id": -1}),
    ("value", {"id": 2**51}),
    ("value", {"id": 3.0}),
    ("value", {"width": 0}),
    ("value", {"width": 2**31}),
    ("value", {"height": 12.5}),
    ("value", {"height": None}),
    ("value", {"coco_url": None}),
    ("value", {"coco_url": 17}),
    ("value", {"coco_url": "http://images.cocodataset.org/only.jpg"}),
    ("value", {"coco_url": "http://images.cocodataset.org//only.jpg?a/b#c/d"}),
    ("value", {"coco_url": ""}),
    ("value", {"neg_category_ids": None}),
    ("value", {"neg_category_ids": ["1"]}),
    ("value", {"not_exhaustive_category_ids": [1.5]}),
    ("value", {"not_exhaustive_category_ids": {}}),
    ("value", {"file_name": 5}),
    ("value", {"flickr_url": 5}),
    ("value", {"flickr_url": "lone \ud800 surrogate"}),
    ("value", {"date_captured": []}),
    ("value", {"license": "3"}),
    ("duplicate_id", {"id": 1}),
]


@pytest.mark.parametrize(
    ("reason", "fields"), IMAGE_CASES, ids=[str(case[1])[:60] for case in IMAGE_CASES]
)
def test_bad_image_is_rejected_and_its_annotations_with_it(tmp_path, reason, fields):
    document = with_row(LVIS, "images", {**IMAGE, "id": 3})
    document = with_row(document, "annotations", {**GOOD, "id": 13, "image_id": 3})
    document = changed(document, "images", 2, **fields)
    source = read_lvis(written(tmp_path, document))
    found = [(r["kind"], r["row"], r["reason"], r["raw"]) for r in source.rejects.to_pylist()]
    assert found == [
        ("image", 3, reason, json.dumps(document["images"][2])),
        ("annotation", 3, "unknown_image", json.dumps(document["annotations"][2])),
    ]
    assert source.images["image_id"].to_pylist() == [1, 2]
    assert source.image_rows == 3


@pytest.mark.parametrize(
    ("array", "fields"),
    [
        # nobody reads these fields, so what they hold is no reason to reject
        ("annotations", {"iscrowd": "x"}),
        ("annotations", {"more": NAN}),
        ("annotations", {"more": "\ud800"}),
        ("annotations", {"more": [{"a": 1}, {"b": "}, {"}]}),
        ("images", {"more": INF}),
        # what may be missing may be null
        ("images", {"file_name": None, "flickr_url": None, "date_captured": None, "license": None}),
        # exact to the last, and beyond what most rows have
        ("annotations", {"id": 2**63 - 1}),
        ("images", {"id": 2**51 - 1}),
        ("annotations", {"bbox": [-1e300, 1e-300, 2**70, 5]}),
        ("annotations", {"area": 2**70}),
        ("annotations", {"more": NAN, "bbox": [1, 2, 2**70, 4], "area": 2**70}),
    ],
)
def test_oddities_that_are_no_fault(tmp_path, array, fields):
    row = {**LVIS[array][0], "id": 3, **fields}
    source = read_lvis(written(tmp_path, with_row(LVIS, array, row)))
    assert source.rejects.num_rows == 0
    got = getattr(source, array).to_pylist()[-1]
    assert got["source_id" if array == "annotations" else "image_id"] == row["id"]
    if array == "annotations":
        assert got["bbox"] == [float(value) for value in row["bbox"]]
        assert got["area"] == float(row["area"])
        assert got["segmentation"] == GOOD["segmentation"]


def test_first_of_a_repeated_id_is_the_first_readable_row(tmp_path):
    """A row that fails `columns` or `value` is no first; one that fails later is."""
    document = LVIS
    for fields in (
        {"id": 20, "area": None},  # value: does not take the id
        {"id": 20, "image_id": 99},  # unknown image: takes the id
        {"id": 20},
        {"id": 21, "bbox": [1, 1, 0, 0]},  # box: takes the id
        {"id": 21},
    ):
        document = with_row(document, "annotations", {**GOOD, **fields})
    source = read_lvis(written(tmp_path, document))
    assert [(r["row"], r["reason"]) for r in source.rejects.to_pylist()] == [
        (3, "value"),
        (4, "unknown_image"),
        (5, "duplicate_id"),
        (6, "box"),
        (7, "duplicate_id"),
    ]


def test_repeated_image_leaves_the_first_one_known(tmp_path):
    document = with_row(LVIS, "images", {**IMAGE, "id": 1, "width": 5})
    source = read_lvis(written(tmp_path, document))
    assert source.images["width"].to_pylist() == [640, 10]
    assert source.annotations.num_rows == 2
