from __future__ import annotations

import json
import math
from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources.coco import read_coco
from lvis_merge.sources.tables import ANNOTATION_ROWS, IMAGE_ROWS
from tests.sources.json_files import COCO, LVIS, changed, with_row, written

NAN, INF = math.nan, math.inf


def found(source) -> list[tuple[str, int, str]]:
    return [(r["kind"], r["row"], r["reason"]) for r in source.rejects.to_pylist()]


def test_boxes_only(tmp_path):
    source = read_coco(written(tmp_path, COCO), masks=False)
    assert source.images.schema == IMAGE_ROWS
    assert (source.images.num_rows, source.image_rows) == (0, 0)
    assert source.annotations.schema == ANNOTATION_ROWS
    rows = source.annotations.to_pylist()
    assert [row["source_id"] for row in rows] == [21, 22, 23]
    assert [row["is_crowd"] for row in rows] == [False, True, False]
    assert [row["area"] for row in rows] == [12.0, 6.0, 20.0]  # w·h, not the published one
    assert {row["segmentation"] for row in rows} == {None}
    assert {row["mask_rle"] for row in rows} == {None}
    assert source.annotation_rows == 3
    assert found(source) == []
    categories = source.categories.select(["category_id", "name", "synset", "frequency"])
    assert categories.to_pylist() == [
        {"category_id": 1, "name": "person", "synset": None, "frequency": None},
        {"category_id": 18, "name": "dog", "synset": None, "frequency": None},
    ]


def test_with_masks(tmp_path):
    source = read_coco(written(tmp_path, COCO), masks=True)
    assert source.images["image_id"].to_pylist() == [1, 2]
    # the name as given where there is no URL
    names = ["000000000001.jpg", "val2017/000000000002.jpg"]
    assert source.images["file_name"].to_pylist() == names
    given = ["000000000001.jpg", "000000000002.jpg"]
    assert source.images["source_file_name"].to_pylist() == given
    assert source.images["neg_category_ids"].to_pylist() == [[], []]
    assert source.image_rows == 2
    rows = source.annotations.to_pylist()
    # the crowd's run lengths are not read; the last row has no mask
    assert [row["segmentation"] for row in rows] == [[[0, 0, 1, 0, 1, 1]], None, None]
    assert [row["mask_rle"] for row in rows] == [None, None, None]
    # published; w·h of a crowd; w·h where the file has none
    assert [row["area"] for row in rows] == [5.5, 6.0, 20.0]
    assert [row["is_crowd"] for row in rows] == [False, True, False]


ROW = {"id": 30, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
# fields, the reason without and with masks
CASES: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"iscrowd": 2}, "value", "value"),
    ({"iscrowd": "0"}, "value", "value"),
    ({"iscrowd": None}, "value", "value"),
    ({"iscrowd": True}, "value", "value"),
    ({"iscrowd": 1.0}, "value", "value"),
    ({"bbox": [1, 2, 0, 4]}, "box", "box"),
    ({"bbox": [1, 2, 3]}, "value", "value"),
    ({"image_id": 9}, "unknown_image", "unknown_image"),
    ({"category_id": 9}, "unknown_category", "unknown_category"),
    ({"id": 21}, "duplicate_id", "duplicate_id"),
    # what is not read is not checked
    ({"area": "large"}, None, "value"),
    ({"area": None}, None, "value"),
    ({"area": NAN}, None, "value"),
    ({"segmentation": None}, None, "value"),
    ({"segmentation": [[1, 2]]}, None, "polygon"),
    ({"segmentation": {"size": [480, 640], "counts": "a"}}, None, None),
    ({"segmentation": {"size": [1, 1], "counts": "a"}}, None, "polygon"),
    # of a crowd only the box is read
    ({"iscrowd": 1, "area": "large"}, None, None),
    ({"iscrowd": 1, "area": INF}, None, None),
    ({"iscrowd": 1, "segmentation": None}, None, None),
    ({"iscrowd": 1, "segmentation": [[1, 2, NAN]]}, None, None),
    ({"iscrowd": 1, "segmentation": {"size": [1, 1], "counts": [1]}}, None, None),
    ({"iscrowd": 1, "bbox": [1, 2, NAN, 4]}, "box", "box"),
]


@pytest.mark.parametrize("masks", [False, True], ids=["boxes", "masks"])
@pytest.mark.parametrize(
    ("fields", "without", "with_masks"), CASES, ids=[str(case[0])[:50] for case in CASES]
)
def test_reasons(tmp_path, fields, without, with_masks, masks):
    row = {**ROW, **fields}
    source = read_coco(written(tmp_path, with_row(COCO, "annotations", row)), masks=masks)
    reason = with_masks if masks else without
    assert found(source) == ([("annotation", 4, reason)] if reason else [])
    if reason:
        assert source.rejects["raw"].to_pylist() == [json.dumps(row)]
        assert source.rejects["source"].to_pylist() == ["coco"]
    else:
        assert source.annotations["source_id"].to_pylist() == [21, 22, 23, 30]


IMAGE = {"id": 3, "width": 5, "height": 6, "file_name": "a.jpg"}
IMAGE_CASES: list[tuple[dict[str, Any], str | None]] = [
    ({"file_name": ...}, "columns"),  # neither a name nor a URL
    ({"file_name": ..., "coco_url": None}, "columns"),
    ({"width": ...}, "columns"),
    ({"file_name": None}, "value"),
    ({"file_name": 5}, "value"),
    ({"coco_url": "http://host/a.jpg"}, "value"),
    ({"coco_url": 5}, "value"),
    ({"width": 0}, "value"),
    ({"license": "x"}, "value"),
    ({"id": 1}, "duplicate_id"),
    # either one will do
    ({"file_name": ..., "coco_url": "http://host/a/b.jpg"}, None),
    ({"file_name": None, "coco_url": "http://host/a/b.jpg"}, None),
    ({"coco_url": None}, None),
]


@pytest.mark.parametrize(("fields", "reason"), IMAGE_CASES)
def test_bad_images_count_only_where_masks_are_read(tmp_path, fields, reason):
    document = changed(with_row(COCO, "images", IMAGE), "images", 2, **fields)
    path = written(tmp_path, document)
    assert found(read_coco(path, masks=True)) == ([("image", 3, reason)] if reason else [])
    assert found(read_coco(path, masks=False)) == []


@pytest.mark.parametrize("image", [{"width": 5}, {"id": "4"}, {"id": -4}, {"id": 4.0}, None, 7])
def test_looked_up_image_without_a_usable_id_is_passed_over(tmp_path, image):
    document = with_row(COCO, "images", image)
    document = with_row(document, "annotations", {**ROW, "image_id": 4})
    source = read_coco(written(tmp_path, document), masks=False)
    assert found(source) == [("annotation", 4, "unknown_image")]


FILE_ERRORS: list[tuple[str, Any, str]] = [
    (
        "no annotations",
        {name: COCO[name] for name in ("images", "categories")},
        "has no array `annotations`. Give a COCO instances file.",
    ),
    (
        "no categories",
        {name: COCO[name] for name in ("images", "annotations")},
        "has no array `categories`. Give a COCO instances file.",
    ),
    (
        "captions",
        {**COCO, "annotations": [{"id": 1, "image_id": 1, "caption": "a dog"}]},
        "no row of `annotations` has `category_id`, `bbox`. It is a file of another kind: give an"
        " LVIS or COCO annotation file.",
    ),
    (
        "LVIS given as COCO",
        LVIS,
        "its categories have a synset and a frequency, so it is an LVIS file. Give it to --lvis,"
        " and a COCO instances file to --coco.",
    ),
    (
        "malformed category",
        with_row(COCO, "categories", {"id": "x", "name": "y"}),
        "row 3 of `categories` is malformed (Expected `int`, got `str` - at `$.id`). Mend it:"
        " every annotation refers to the categories.",
    ),
    (
        "category that is no object",
        with_row(COCO, "categories", 5),
        "row 3 of `categories` is malformed (Expected `object`, got `int`). Mend it: every"
        " annotation refers to the categories.",
    ),
]


@pytest.mark.parametrize("masks", [False, True], ids=["boxes", "masks"])
@pytest.mark.parametrize(
    ("document", "message"), [case[1:] for case in FILE_ERRORS], ids=[c[0] for c in FILE_ERRORS]
)
def test_file_that_cannot_be_used_is_an_error(tmp_path, document, message, masks):
    path = written(tmp_path, document)
    with pytest.raises(InputError) as error:
        read_coco(path, masks=masks)
    assert str(error.value) == f"{path}: {message}"


def test_images_without_any_id_are_an_error(tmp_path):
    path = written(tmp_path, {**COCO, "images": [{"name": 1}]})
    with pytest.raises(InputError, match=r"no row of `images` has `id`\. It is a file of another"):
        read_coco(path, masks=False)
    with pytest.raises(InputError, match=r"no row of `images` has `id`, `width`, `height`\. It"):
        read_coco(path, masks=True)


def test_images_without_any_name_are_an_error_where_names_are_read(tmp_path):
    images = [{"id": 1, "width": 5, "height": 6}]
    path = written(tmp_path, {**COCO, "images": images})
    assert read_coco(path, masks=False).annotation_rows == 3
    with pytest.raises(InputError, match=r"no row of `images` has `coco_url` or `file_name`"):
        read_coco(path, masks=True)


def test_unsafe_file_name_is_an_error_where_names_are_read(tmp_path):
    path = written(tmp_path, changed(COCO, "images", 0, file_name="../a.jpg"))
    assert read_coco(path, masks=False).annotation_rows == 3
    with pytest.raises(InputError, match="leads out of the image folder"):
        read_coco(path, masks=True)
