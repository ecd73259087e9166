"""LVIS files as tables: every column, and what may be missing."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from lvis_merge.sources.lvis import read_lvis
from lvis_merge.sources.tables import ANNOTATION_ROWS, CATEGORY_ROWS, IMAGE_ROWS, REJECT_ROWS
from tests.sources.json_files import LVIS, changed, with_row, written


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
    images = [{**LVIS["images"][1], "id": n, "coco_url": url} for n, url in enumerate(urls)]
    source = read_lvis(written(tmp_path, {**LVIS, "images": images, "annotations": []}))
    assert source.images["file_name"].to_pylist() == list(urls.values())


def test_licences_in_an_unusual_form_give_no_url(tmp_path):
    licences = [{"id": 3}, {"id": "3", "url": "a"}, {"id": 3, "url": 7}, 5, {"url": "b"}]
    source = read_lvis(written(tmp_path, {**LVIS, "licenses": licences}))
    assert source.images["license_id"].to_pylist() == [3, None]
    assert source.images["license"].to_pylist() == [None, None]
    assert source.licenses == licences  # verbatim all the same


def test_empty_arrays_are_a_file_without_rows(tmp_path):
    source = read_lvis(written(tmp_path, {**LVIS, "images": [], "annotations": []}))
    assert source.images.schema == IMAGE_ROWS
    assert source.annotations.schema == ANNOTATION_ROWS
    assert (source.images.num_rows, source.annotations.num_rows) == (0, 0)
