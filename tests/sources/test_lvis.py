from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from lvis_merge.errors import InputError
from lvis_merge.sources.lvis import read_lvis
from lvis_merge.sources.tables import ANNOTATION_ROWS, CATEGORY_ROWS, IMAGE_ROWS, REJECT_ROWS
from tests.sources.json_files import LVIS, changed, with_row, written

NAN, INF = math.nan, math.inf
GOOD = LVIS["annotations"][0]
SQUARE = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]


def test_good_file_gives_every_column(tmp_path):
    source = read_lvis(written(tmp_path, LVIS))
    assert source.images.schema == IMAGE_ROWS
    assert source.images.to_pylist() == [
        {
            "image_id": 1,
            "source_image_id": "1",
            "file_name": "train2017/000000000001.jpg",
            "source_file_name": "COCO_train2014_000000000001.jpg",
            "url": "http://images.cocodataset.org/train2017/000000000001.jpg",
            "original_url": "http://farm5.staticflickr.com/4/22_a_z.jpg",
            "width": 640,
            "height": 480,
            "flickr_photo_id": 22,
            "license": "http://licence/3",
            "license_id": 3,
            "date_captured": "2013-11-14",
            "neg_category_ids": [4],
            "not_exhaustive_category_ids": [],
        },
        {
            "image_id": 2,
            "source_image_id": "2",
            "file_name": "val2017/000000000002.jpg",
            "source_file_name": None,
            "url": "http://images.cocodataset.org/val2017/000000000002.jpg",
            "original_url": None,
            "width": 10,
            "height": 20,
            "flickr_photo_id": None,
            "license": None,
            "license_id": None,
            "date_captured": None,
            "neg_category_ids": [],
            "not_exhaustive_category_ids": [7, 4],  # verbatim, in file order
        },
    ]
    assert source.annotations.schema == ANNOTATION_ROWS
    assert source.annotations.to_pylist() == [
        {
            "source_id": 11,
            "image_id": 1,
            "category_id": 7,
            "bbox": [1.5, 2.0, 3.25, 4.0],
            "area": 12.5,
            "segmentation": [[1.5, 2, 4.75, 2, 4, 6.25], [0, 0, 1, 0, 1, 1, 0, 1]],
            "mask_rle": None,
            "is_crowd": False,
        },
        {
            "source_id": 12,
            "image_id": 2,
            "category_id": 4,
            "bbox": [0, 0, 2, 2],
            "area": 4.0,
            "segmentation": None,  # an empty list means no mask
            "mask_rle": None,
            "is_crowd": False,
        },
    ]
    assert source.categories.schema == CATEGORY_ROWS
    assert source.categories.to_pylist() == [
        {
            "category_id": 4,
            "name": "dog",
            "synset": "dog.n.01",
            "synonyms": None,
            "definition": None,
            "frequency": "r",
            "image_count_published": None,
            "instance_count_published": None,
        },
        {
            "category_id": 7,
            "name": "cat",
            "synset": "cat.n.01",
            "synonyms": ["cat", "moggy"],
            "definition": "a pet",
            "frequency": "f",
            "image_count_published": 200,
            "instance_count_published": 300,
        },
    ]
    assert source.rejects.schema == REJECT_ROWS
    assert source.rejects.num_rows == 0
    assert (source.image_rows, source.annotation_rows) == (2, 2)
    assert source.info == {"version": "v0.5"}
    assert source.licenses == LVIS["licenses"]


def test_test_file_has_no_annotations_and_no_lists(tmp_path):
    document = {name: LVIS[name] for name in ("images", "categories")}
    for row in (0, 1):
        document = changed(
            document, "images", row, neg_category_ids=..., not_exhaustive_category_ids=...
        )
    source = read_lvis(written(tmp_path, document), test=True)
    assert source.images["neg_category_ids"].to_pylist() == [[], []]
    assert source.images["not_exhaustive_category_ids"].to_pylist() == [[], []]
    assert (source.annotations.num_rows, source.annotation_rows) == (0, 0)
    assert source.info is None
    assert source.licenses is None


def test_test_image_that_is_a_val_image_too_is_a_repeated_id(tmp_path):
    source = read_lvis(written(tmp_path, LVIS), test=True, taken=np.array([2, 5]))
    assert source.images["image_id"].to_pylist() == [1]
    assert [(r["kind"], r["row"], r["reason"]) for r in source.rejects.to_pylist()] == [
        ("image", 2, "duplicate_id")
    ]


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


IMAGE = LVIS["images"][1]
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


@pytest.mark.parametrize("counts", [[5, 3, 192], "5392"])
def test_bitmap_masks_become_compressed_counts(tmp_path, counts):
    mask = {"size": [20, 10], "counts": counts}
    row = {**LVIS["annotations"][1], "id": 13, "segmentation": mask}
    source = read_lvis(written(tmp_path, with_row(LVIS, "annotations", row)))
    assert source.rejects.num_rows == 0
    assert source.annotations["segmentation"].to_pylist()[1:] == [None, None]
    expected = counts
    if isinstance(counts, list):
        expected = coco_mask.frPyObjects(mask, 20, 10)["counts"].decode()
    assert source.annotations["mask_rle"].to_pylist() == [None, None, expected]


def test_file_name_comes_from_the_url(tmp_path):
    urls = {
        "http://images.cocodataset.org/train2017/1.jpg": "train2017/1.jpg",
        "https://mirror/a/b/val2017/2.jpg?size=3/4": "val2017/2.jpg",
        "s3://bucket//train2017//3.jpg": "train2017/3.jpg",
        "/train2017/4.jpg/": "train2017/4.jpg",
    }
    images = [{**IMAGE, "id": n, "coco_url": url} for n, url in enumerate(urls)]
    source = read_lvis(written(tmp_path, {**LVIS, "images": images, "annotations": []}))
    assert source.images["file_name"].to_pylist() == list(urls.values())


FILE_ERRORS: list[tuple[str, Any, str]] = [
    (
        "missing array",
        {name: LVIS[name] for name in ("images", "categories")},
        "has no array `annotations`. Give an LVIS annotation file.",
    ),
    (
        "several missing",
        {"annotations": {}},
        "has no array `images`, `annotations`, `categories`. Give an LVIS annotation file.",
    ),
    (
        "no row has the field",
        {**LVIS, "annotations": [{"id": 1, "image_id": 1, "bbox": [1, 2, 3, 4]}, {"area": 1}]},
        "no row of `annotations` has `category_id`, `segmentation`. It is a file of another kind:"
        " give an LVIS or COCO annotation file.",
    ),
    (
        "COCO given as LVIS",
        {**LVIS, "images": [{"id": 1, "width": 1, "height": 1, "file_name": "a.jpg"}]},
        "no row of `images` has `coco_url`, `neg_category_ids`, `not_exhaustive_category_ids`. It"
        " is a file of another kind: give an LVIS or COCO annotation file.",
    ),
    (
        "category without a synset",
        changed(LVIS, "categories", 1, synset=...),
        "row 2 of `categories` is malformed (Object missing required field `synset`). Mend it:"
        " every annotation refers to the categories.",
    ),
    (
        "text that cannot be stored",
        changed(LVIS, "categories", 0, synonyms=["\ud800"]),
        "row 1 of `categories` is malformed ('utf-8' codec can't encode character '\\ud800' in"
        " position 0: surrogates not allowed). Mend it: every annotation refers to the categories.",
    ),
    (
        "unknown frequency",
        changed(LVIS, "categories", 0, frequency="x"),
        "row 1 of `categories` is malformed (Invalid enum value 'x' - at `$.frequency`). Mend it:"
        " every annotation refers to the categories.",
    ),
    (
        "repeated category",
        changed(LVIS, "categories", 1, id=7),
        "category id 7 is in row 1 and again in row 2 of `categories`. Give each category an id"
        " of its own.",
    ),
    (
        "categories that are no array",
        {**LVIS, "categories": {"7": "cat"}},
        "`categories` is no array. Give an LVIS or COCO annotation file.",
    ),
    (
        "no category at all",
        {**LVIS, "categories": []},
        "`categories` is empty. Give an LVIS or COCO annotation file.",
    ),
    (
        "file name with ..",
        changed(LVIS, "images", 0, file_name="a/../../b.jpg"),
        "image 1 (row 1 of `images`) has the file name a/../../b.jpg, which leads out of the image"
        " folder. Mend the name: it must be relative, without `..`.",
    ),
    (
        "absolute file name",
        changed(LVIS, "images", 1, file_name="/etc/passwd"),
        "image 2 (row 2 of `images`) has the file name /etc/passwd, which leads out of the image"
        " folder. Mend the name: it must be relative, without `..`.",
    ),
    (
        "drive",
        changed(LVIS, "images", 1, file_name="C:\\a.jpg"),
        "image 2 (row 2 of `images`) has the file name C:\\a.jpg, which leads out of the image"
        " folder. Mend the name: it must be relative, without `..`.",
    ),
    (
        "URL with ..",
        changed(LVIS, "images", 1, coco_url="http://host/train2017/../a.jpg"),
        "image 2 (row 2 of `images`) has the file name ../a.jpg, which leads out of the image"
        " folder. Mend the name: it must be relative, without `..`.",
    ),
]


@pytest.mark.parametrize(
    ("document", "message"), [case[1:] for case in FILE_ERRORS], ids=[c[0] for c in FILE_ERRORS]
)
def test_file_that_cannot_be_used_is_an_error(tmp_path, document, message):
    path = written(tmp_path, document)
    with pytest.raises(InputError) as error:
        read_lvis(path)
    assert str(error.value) == f"{path}: {message}"


def test_licences_in_an_unusual_form_give_no_url(tmp_path):
    licences = [{"id": 3}, {"id": "3", "url": "a"}, {"id": 3, "url": 7}, 5, {"url": "b"}]
    source = read_lvis(written(tmp_path, {**LVIS, "licenses": licences}))
    assert source.images["license_id"].to_pylist() == [3, None]
    assert source.images["license"].to_pylist() == [None, None]
    assert source.licenses == licences  # verbatim all the same


@pytest.mark.parametrize("url", [NAN, INF, "\ud800"])
def test_licences_that_strict_json_cannot_say_are_an_error(tmp_path, url):
    path = written(tmp_path, {**LVIS, "licenses": [{"id": 3, "url": url}]})
    with pytest.raises(InputError, match=r"a\.json: `licenses` holds what JSON cannot"):
        read_lvis(path)


def test_empty_arrays_are_a_file_without_rows(tmp_path):
    source = read_lvis(written(tmp_path, {**LVIS, "images": [], "annotations": []}))
    assert source.images.schema == IMAGE_ROWS
    assert source.annotations.schema == ANNOTATION_ROWS
    assert (source.images.num_rows, source.annotations.num_rows) == (0, 0)
