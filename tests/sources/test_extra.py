"""COCO-format files of other sets: what is read beyond a COCO file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.sources.apart import read_apart
from lvis_merge.sources.coco import read_extra
from lvis_merge.sources.tables import JsonSource
from tests.worlds.small_extra import extra_document, lvis_document


def read(tmp_path: Path, document: dict[str, Any]) -> JsonSource:
    path = tmp_path / "acme.json"
    path.write_text(json.dumps(document))
    return read_extra(path, name="acme")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"file_name": "a/5.png"}, "a/5.png"),
        ({"file_name": "a/5.png", "coco_url": "http://example.org/b/c/5.jpg"}, "a/5.png"),
        ({"file_name": None, "coco_url": "http://example.org/b/c/5.jpg"}, "c/5.jpg"),
        ({"file_name": "", "coco_url": "http://example.org/b/c/5.jpg"}, "c/5.jpg"),
        # nothing to find the picture by
        ({"file_name": ""}, None),
        ({"file_name": None}, None),
    ],
)
def test_the_file_s_own_name_goes_first(
    tmp_path: Path, given: dict[str, Any], expected: str | None
) -> None:
    document = extra_document()
    document["images"][0] = {"id": 5, "width": 50, "height": 40} | given
    source = read(tmp_path, document)
    images = source.images.to_pylist()
    names = {image["image_id"]: image["file_name"] for image in images}
    assert names.get(5) == expected
    rejected = [(r["source"], r["kind"], r["reason"]) for r in source.rejects.to_pylist()]
    bad = [("acme", "image", "value"), *[("acme", "annotation", "unknown_image")] * 4]
    assert rejected == ([] if expected else bad)


def test_lists_that_are_not_there_are_null(tmp_path: Path) -> None:
    document = extra_document()
    document["images"][0]["neg_category_ids"] = [3, 1]
    document["images"][1]["neg_category_ids"] = []
    document["images"][2]["neg_category_ids"] = None
    images = read(tmp_path, document).images
    assert images["neg_category_ids"].to_pylist() == [[3, 1], [], None, None]
    assert images["not_exhaustive_category_ids"].to_pylist() == [None] * 4


def test_bad_rows_say_what_they_are_about(tmp_path: Path) -> None:
    row = {"id": 90, "image_id": 5, "category_id": 10, "bbox": [1, 1, 8, 8]}
    document = extra_document()
    document["annotations"] += [
        row | {"bbox": [1, 1, 0, 8]},
        row | {"id": 91, "bbox": "x"},
        row | {"id": 92, "category_id": "x"},
        row | {"id": 93, "category_id": 2**80},
        row | {"id": 94, "category_id": 77},
        {"id": 95, "image_id": 6},
        row | {"id": 96, "image_id": "5"},
        17,
    ]
    found = read(tmp_path, document)
    assert len(found.rejects) == 8
    pairs = [tuple(pair.values()) for pair in found.bad_annotations.to_pylist()]
    assert sorted(pairs, key=str) == sorted(
        [(5, 10), (5, 10), (5, None), (5, -1), (5, 77), (6, None)], key=str
    )


def test_bad_rows_come_back_from_a_process_of_its_own(tmp_path: Path) -> None:
    document = extra_document()
    document["annotations"][0]["bbox"] = [0, 0, 0, 0]
    expected = read(tmp_path, document).bad_annotations
    found = read_apart(read_extra, tmp_path / "acme.json", tmp_path, name="acme")
    assert found.bad_annotations == expected
    assert found.bad_annotations.num_rows == 1


def test_an_lvis_file_is_one_like_any_other(tmp_path: Path) -> None:
    source = read(tmp_path, lvis_document())
    assert source.images["neg_category_ids"].to_pylist() == [[], []]
    assert source.images["file_name"].to_pylist()[0] == "train2017/000000000005.jpg"
    assert source.categories["name"].to_pylist() == ["acorn", "car_(automobile)"]
