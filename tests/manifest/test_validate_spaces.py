"""The rules of the label spaces coco and open_images."""

from __future__ import annotations

from typing import Any

import pytest

from lvis_merge.manifest.validate import content
from tests.manifest.change import changed
from tests.manifest.other_spaces import coco_small, open_images_small
from tests.manifest.small import Small

# Rows of `annotations` in the manifests of the other label spaces.
COCO_CAT, COCO_PERSON, COCO_CROWD = range(3)
OPEN_VAL, OPEN_GROUP, OPEN_TEDDY = range(3)

OTHER_SPACES: list[tuple[str, Small, str, int, dict[str, Any], str]] = [
    (
        "a COCO object without a category",
        coco_small(),
        "annotations",
        0,
        {"category_id": None},
        "role",
    ),
    (
        "a COCO ignore region that is no crowd",
        coco_small(),
        "annotations",
        COCO_CROWD,
        {"ignore_reason": "coco_box"},
        "role",
    ),
    (
        "COCO rows need no map",
        coco_small(),
        "annotations",
        COCO_CAT,
        {"map_relation": "exact"},
        "map_relation",
    ),
    ("a COCO name", coco_small(), "annotations", COCO_CAT, {"source_label": "dog"}, "source_label"),
    ("COCO is exhaustive", coco_small(), "images", 0, {"neg_category_ids": []}, "evidence"),
    (
        "a crowd is not exhaustive",
        coco_small(),
        "images",
        0,
        {"not_exhaustive_category_ids": []},
        "evidence",
    ),
    ("COCO's file name as given", coco_small(), "images", 1, {"file_name": "c.jpg"}, "file_name"),
    ("LVIS columns are null", coco_small(), "categories", 0, {"is_tail": True}, "category_column"),
    ("COCO label is the name", coco_small(), "categories", 2, {"name": "fox"}, "category_column"),
    (
        "a subset gives the split",
        open_images_small(),
        "images",
        0,
        {"split": "train"},
        "split",
    ),
    (
        "MIDs count the categories",
        open_images_small(),
        "categories",
        0,
        {"source_label": "/m/0zz"},
        "category_id",
    ),
    (
        "label and category are one MID",
        open_images_small(),
        "annotations",
        OPEN_TEDDY,
        {"source_label": "/m/0xx"},
        "source_label",
    ),
    (
        "the relation is the map's",
        open_images_small(),
        "annotations",
        OPEN_TEDDY,
        {"map_relation": "exact"},
        "map",
    ),
    (
        "no map, no relation",
        open_images_small(with_map=False),
        "annotations",
        OPEN_TEDDY,
        {"map_relation": "exact"},
        "map_relation",
    ),
]


@pytest.mark.parametrize(
    ("manifest", "name", "row", "cells", "rule"),
    [case[1:] for case in OTHER_SPACES],
    ids=[case[0] for case in OTHER_SPACES],
)
def test_other_label_spaces_have_their_rules(
    manifest: Small, name: str, row: int, cells: dict[str, Any], rule: str
) -> None:
    one = changed(manifest, name, row, **cells)
    assert ("error", rule) in [
        (finding.level, finding.rule) for finding in content(one.tables, one.record, one.maps)
    ]
