"""One changed cell in any column is noticed, by the rule that it breaks where one can tell."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.manifest.schema import TABLES
from lvis_merge.manifest.validate import validate
from tests.manifest.change import change_cell
from tests.manifest.small import small
from tests.manifest.small_rows import (
    BY_NC,
    OPEN_A_ID,
    SPOON,
    TRAIN_A,
)

# Rows of `images` and `annotations` in the small manifest.
LVIS_A, LVIS_B, VAL, OPEN_B, OPEN_A = range(5)
CUP_OBJECT, RLE_OBJECT, MATCHED, CROWD, TABLE, TEDDY, VAL_CUP = range(7)
OPEN_OBJECT, OPEN_MASK, OPEN_CUP, GROUP, DEPICTION, INSIDE, UNMAPPED = range(7, 14)

CASES: list[tuple[str, int, str, Any, str]] = [
    # images
    ("images", LVIS_A, "image_id", 10, "image_id"),
    ("images", LVIS_B, "image_id", TRAIN_A, "unique"),
    ("images", OPEN_B, "image_id", OPEN_A_ID + 1, "order"),
    ("images", OPEN_A, "image_id", OPEN_A_ID + 1, "image_id"),
    ("images", OPEN_A, "source", "lvis", "image_id"),
    ("images", LVIS_A, "source", "coco", "source"),  # COCO has no images in this label space
    ("images", LVIS_A, "source", "flickr", "source"),  # an extra without counts
    ("images", OPEN_A, "source_image_id", "100026e7ee790996", "file_name"),  # same number
    ("images", LVIS_A, "source_image_id", "09", "image_id"),
    ("images", LVIS_A, "split", "dev", "value"),
    ("images", LVIS_A, "split", "test", "split"),  # no file of that split
    ("images", LVIS_B, "split", "val", "image_count"),
    ("images", LVIS_A, "split", "val", "image_of_source"),  # COCO rows are on train images only
    ("images", OPEN_A, "split", "val", "split"),
    ("images", LVIS_A, "file_name", "../000000000009.jpg", "file_name"),
    ("images", LVIS_A, "file_name", "val2017/000000000009.jpg", "file_name"),
    ("images", OPEN_A, "file_name", "/train/000026e7ee790996.jpg", "file_name"),
    ("images", OPEN_A, "file_name", "test/000026e7ee790996.jpg", "url"),
    ("images", OPEN_A, "source_file_name", "a.jpg", "source_column"),
    ("images", LVIS_A, "source_file_name", None, "checksum"),  # as published: only its hash tells
    ("images", LVIS_A, "url", None, "file_name"),
    ("images", OPEN_A, "url", "https://example.org/train/000026e7ee790996.jpg", "url"),
    ("images", OPEN_A, "original_url", None, "flickr_photo_id"),
    ("images", OPEN_A, "landing_url", None, "checksum"),
    ("images", LVIS_A, "landing_url", "https://www.flickr.com/1", "source_column"),
    ("images", LVIS_A, "width", 0, "size"),
    ("images", OPEN_B, "width", 1023, "bbox_inside"),
    ("images", OPEN_B, "height", 767, "bbox_inside"),
    ("images", LVIS_A, "height", 481, "mask_rle"),
    ("images", LVIS_B, "flickr_photo_id", None, "flickr_photo_id"),
    ("images", LVIS_A, "flickr_photo_id", 450139, "leakage"),
    ("images", LVIS_A, "license", BY_NC, "license"),
    ("images", OPEN_A, "license", BY_NC, "checksum"),
    ("images", LVIS_A, "license_id", 7, "license"),
    ("images", OPEN_A, "license_id", 7, "source_column"),
    ("images", LVIS_A, "author", "Ben", "source_column"),
    ("images", OPEN_A, "author", "Ben", "checksum"),
    ("images", LVIS_A, "author_url", "https://x", "source_column"),
    ("images", OPEN_A, "author_url", "https://x", "checksum"),
    ("images", LVIS_A, "title", "t", "source_column"),
    ("images", OPEN_A, "title", "t", "checksum"),
    ("images", LVIS_A, "date_captured", None, "checksum"),
    ("images", OPEN_A, "date_captured", "2013", "source_column"),
    ("images", LVIS_B, "neg_category_ids", [1], "checksum"),  # LVIS's own list
    ("images", LVIS_A, "neg_category_ids", [1], "evidence"),  # verbatim, but contradictory
    ("images", OPEN_A, "neg_category_ids", [1], "evidence"),  # in pos too
    ("images", OPEN_A, "neg_category_ids", [3], "evidence"),  # has a depiction and an inside row
    ("images", OPEN_A, "neg_category_ids", [4], "evidence"),  # unknown
    ("images", OPEN_A, "not_exhaustive_category_ids", [], "evidence"),  # has a group
    ("images", OPEN_B, "not_exhaustive_category_ids", [], "evidence"),  # present without object
    ("images", OPEN_B, "not_exhaustive_category_ids", [2, 2], "evidence"),  # not unique
    ("images", LVIS_A, "not_exhaustive_category_ids", [3], "evidence"),  # not annotated
    ("images", OPEN_A, "pos_category_ids", [5], "evidence"),  # has a cup
    ("images", OPEN_A, "pos_category_ids", [5, 1], "evidence"),  # not sorted
    ("images", LVIS_A, "pos_category_ids", [1], "evidence"),
    # annotations
    ("annotations", CUP_OBJECT, "annotation_id", 2, "annotation_id"),
    ("annotations", UNMAPPED, "annotation_id", 15, "annotation_id"),
    ("annotations", UNMAPPED, "image_id", OPEN_A_ID + 1, "foreign_key"),
    ("annotations", TABLE, "image_id", 25, "order"),  # COCO after LVIS
    ("annotations", VAL_CUP, "image_id", 2, "order"),
    ("annotations", CUP_OBJECT, "category_id", 4, "foreign_key"),
    ("annotations", TEDDY, "category_id", 1, "source_label"),
    ("annotations", CUP_OBJECT, "category_id", None, "role"),
    ("annotations", MATCHED, "category_id", 3, "matched_annotation_id"),
    ("annotations", CROWD, "category_id", 3, "map"),
    ("annotations", OPEN_CUP, "category_id", SPOON, "map"),
    ("annotations", GROUP, "category_id", None, "ignore_reason"),
    ("annotations", TEDDY, "bbox", [5.0, 5.0, 0.0, 30.0], "bbox"),
    ("annotations", TEDDY, "bbox", [math.nan, 5.0, 1.0, 30.0], "bbox"),
    ("annotations", MATCHED, "bbox", [50.0, 20.0, 100.0, 50.0], "matched_annotation_id"),
    ("annotations", CROWD, "bbox", [200.0, 1.0, 300.0, 99.0], "area"),
    ("annotations", OPEN_CUP, "bbox", [600.0, 76.8, 512.0, 192.0], "bbox_inside"),
    ("annotations", INSIDE, "bbox", [19.0, 40.0, 100.0, 100.0], "order"),  # x within a MID
    ("annotations", CROWD, "area", 29850.02, "area"),
    ("annotations", OPEN_MASK, "area", 2048.0, "area"),  # the box's, and it has a mask
    ("annotations", CUP_OBJECT, "area", math.inf, "area"),
    ("annotations", CUP_OBJECT, "area", 2481.0, "checksum"),  # as published
    ("annotations", CUP_OBJECT, "segmentation", [[1, 1, 2, 2]], "polygon"),
    ("annotations", CUP_OBJECT, "segmentation", [[1, 1, 2, 2, 3, 3, 4]], "polygon"),
    ("annotations", CUP_OBJECT, "segmentation", [], "polygon"),  # no mask is null
    ("annotations", CUP_OBJECT, "segmentation", [[1, 1, 2, 2, 3, math.inf]], "polygon"),
    ("annotations", CUP_OBJECT, "segmentation", [[1, 1, 2, 2, 3, 4]], "checksum"),
    ("annotations", RLE_OBJECT, "segmentation", [[1, 1, 2, 2, 3, 4]], "mask"),
    ("annotations", MATCHED, "segmentation", [[1, 1, 2, 2, 3, 4]], "mask"),
    ("annotations", OPEN_CUP, "segmentation", [[1, 1, 2, 2, 3, 4]], "mask"),
    ("annotations", OPEN_MASK, "mask_rle", "PPYo1", "mask_rle"),
    ("annotations", OPEN_MASK, "mask_rle", "PPY", "mask_rle"),  # cut within a count
    ("annotations", OPEN_MASK, "mask_rle", "é", "mask_rle"),  # not of the code
    ("annotations", MATCHED, "mask_rle", "PPYo1", "mask"),
    ("annotations", CUP_OBJECT, "role", "ignore", "role"),
    ("annotations", CUP_OBJECT, "role", "part", "value"),
    ("annotations", UNMAPPED, "role", "object", "role"),
    ("annotations", UNMAPPED, "ignore_reason", "group_of", "ignore_reason"),  # unmapped first
    ("annotations", GROUP, "ignore_reason", "depiction", "ignore_reason"),  # group_of first
    ("annotations", MATCHED, "ignore_reason", "crowd", "matched_annotation_id"),
    ("annotations", TABLE, "ignore_reason", "inside", "role"),
    ("annotations", CUP_OBJECT, "source", "coco", "role"),
    ("annotations", UNMAPPED, "source", "lvis", "source_annotation_id"),
    ("annotations", CROWD, "source_annotation_id", "98", "order"),  # 98 after 99
    ("annotations", CROWD, "source_annotation_id", "1e2", "source_annotation_id"),
    ("annotations", CUP_OBJECT, "source_annotation_id", "17", "unique"),
    ("annotations", INSIDE, "source_annotation_id", "000026e7ee790996:6", "rank"),
    ("annotations", INSIDE, "source_annotation_id", "ff0000a661a2f5aa:4", "source_annotation_id"),
    ("annotations", OPEN_CUP, "source_annotation_id", "000026e7ee790996:0", "source_annotation_id"),
    ("annotations", CUP_OBJECT, "source_label", "spoon", "source_label"),
    ("annotations", TABLE, "source_label", "cup", "map"),
    ("annotations", UNMAPPED, "source_label", "/m/0kmg4", "map"),
    ("annotations", DEPICTION, "source_label", "/m/0cmx8", "map"),
    ("annotations", OPEN_CUP, "map_relation", "exact", "map"),
    ("annotations", OPEN_CUP, "map_relation", None, "map_relation"),
    ("annotations", OPEN_CUP, "map_relation", "guess", "value"),
    ("annotations", MATCHED, "map_relation", "plural", "map"),
    ("annotations", CUP_OBJECT, "map_relation", "exact", "map_relation"),
    ("annotations", UNMAPPED, "map_relation", "exact", "map_relation"),
    ("annotations", OPEN_CUP, "annotation_method", None, "checksum"),
    ("annotations", CUP_OBJECT, "annotation_method", "xclick", "source_column"),
    ("annotations", MATCHED, "matched_annotation_id", None, "matched_annotation_id"),
    ("annotations", MATCHED, "matched_annotation_id", 2, "matched_annotation_id"),  # a spoon
    ("annotations", MATCHED, "matched_annotation_id", 7, "matched_annotation_id"),  # elsewhere
    ("annotations", MATCHED, "matched_annotation_id", 99, "matched_annotation_id"),  # nowhere
    ("annotations", CROWD, "matched_annotation_id", 1, "matched_annotation_id"),
    ("annotations", UNMAPPED, "matched_annotation_id", 1, "matched_annotation_id"),
    ("annotations", CUP_OBJECT, "is_occluded", True, "source_column"),
    ("annotations", OPEN_CUP, "is_occluded", None, "checksum"),
    ("annotations", CUP_OBJECT, "is_truncated", False, "source_column"),
    ("annotations", OPEN_CUP, "is_truncated", True, "checksum"),
    ("annotations", OPEN_CUP, "is_group_of", True, "ignore_reason"),
    ("annotations", GROUP, "is_group_of", False, "ignore_reason"),
    ("annotations", OPEN_CUP, "is_depiction", True, "ignore_reason"),
    ("annotations", OPEN_CUP, "is_inside", True, "ignore_reason"),
    ("annotations", INSIDE, "is_inside", None, "ignore_reason"),  # unknown is not inside
    ("annotations", CUP_OBJECT, "relabelled_from", 2, "relabelled_from"),  # no corrections read
    ("annotations", CUP_OBJECT, "relabelled_from", 4, "foreign_key"),
    # categories
    ("categories", 0, "category_id", 4, "order"),
    ("categories", 1, "category_id", 1, "unique"),
    ("categories", 0, "name", "mug", "source_label"),
    ("categories", 1, "name", "", "name"),
    ("categories", 0, "source_label", "cup", "category_column"),
    ("categories", 0, "synset", "mug.n.01", "map"),
    ("categories", 1, "synset", "cup.n.01", "unique"),
    ("categories", 0, "synset", None, "category_column"),
    ("categories", 0, "synonyms", ["mug"], "checksum"),
    ("categories", 0, "definition", None, "checksum"),
    ("categories", 0, "frequency", "r", "is_tail"),
    ("categories", 0, "frequency", "x", "value"),
    ("categories", 0, "image_count_published", None, "checksum"),
    ("categories", 0, "instance_count_published", None, "checksum"),
    ("categories", 0, "image_count_lvis", 2, "image_count_lvis"),
    ("categories", 0, "instance_count_lvis", 2, "instance_count_lvis"),
    ("categories", 0, "image_count", 3, "image_count"),
    ("categories", 2, "instance_count", 2, "instance_count"),
    ("categories", 0, "frequency_merged", "c", "frequency_merged"),
    ("categories", 0, "f", 0.5 + 1e-11, "f"),
    ("categories", 0, "f", math.nan, "f"),
    ("categories", 1, "repeat_factor", 0.0, "repeat_factor"),
    ("categories", 0, "is_tail", True, "is_tail"),
    ("categories", 0, "is_tail", None, "category_column"),
    # rejects
    ("rejects", 0, "source", "coco", "record"),
    ("rejects", 0, "source", "other", "source"),
    ("rejects", 2, "file", "boxes.csv", "rejects"),
    ("rejects", 0, "kind", "label", "rejects"),  # LVIS has no labels
    ("rejects", 0, "kind", "picture", "value"),
    ("rejects", 1, "kind", "image", "order"),  # twice the same row
    ("rejects", 1, "row", 1, "order"),
    ("rejects", 2, "row", 0, "rejects"),
    ("rejects", 2, "row", 10, "rejects"),  # of 9
    ("rejects", 0, "reason", "ugly", "value"),
    ("rejects", 0, "reason", "columns", "checksum"),
    ("rejects", 0, "raw", "x" * 1001, "rejects"),
    ("rejects", 0, "raw", "y", "checksum"),
]


@pytest.mark.parametrize(("name", "row", "column", "value", "rule"), CASES)
def test_a_changed_cell_breaks_its_rule(
    tmp_path: Path, name: str, row: int, column: str, value: Any, rule: str
) -> None:
    folder = small().write(tmp_path / "m")
    change_cell(folder, name, row, column, value)
    findings = validate(folder)
    rules = [finding.rule for finding in findings]
    assert rule in rules, [str(finding) for finding in findings]
    assert "checksum" in rules
    if rule == "checksum":
        assert set(rules) <= {"checksum", "croissant"}, "a rule that tells it should be named"
    else:
        assert rules.index(rule) < rules.index("checksum")


@pytest.mark.parametrize("name", [spec.name for spec in TABLES])
def test_every_column_has_a_case(name: str) -> None:
    columns = next(spec.schema.names for spec in TABLES if spec.name == name)
    assert set(columns) == {case[2] for case in CASES if case[0] == name}
