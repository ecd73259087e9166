"""LVIS files that cannot be used at all: one message that says why."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources.lvis import read_lvis
from tests.sources.json_files import LVIS, changed, written

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


@pytest.mark.parametrize("url", [math.nan, math.inf, "\ud800"])
def test_licences_that_strict_json_cannot_say_are_an_error(tmp_path, url):
    path = written(tmp_path, {**LVIS, "licenses": [{"id": 3, "url": url}]})
    with pytest.raises(InputError, match=r"a\.json: `licenses` holds what JSON cannot"):
        read_lvis(path)
