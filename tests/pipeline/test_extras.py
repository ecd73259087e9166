"""Builds with an extra source: what becomes of its images and rows."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lvis_merge.manifest
from lvis_merge.errors import InputError, UsageError
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.validate import validate
from lvis_merge.merge.corrections import CORRECTION_COLUMNS
from lvis_merge.pipeline.options import BuildOptions
from tests.pipeline.running import build_quietly, build_to
from tests.worlds.small_extra import ACORN, CAR, MAP, SQUARE, extra_document, write_small_extra

FLICKR = "http://farm1.staticflickr.com/2/345_ab_z.jpg"


def built(options: BuildOptions) -> Manifest:
    build_quietly(options)
    assert [str(finding) for finding in validate(options.out) if finding.level == "error"] == []
    return lvis_merge.manifest.open(options.out)


def images_of(manifest: Manifest, source: str = "acme") -> dict[str, dict[str, Any]]:
    """By published id."""
    rows = manifest.images.to_pylist()
    return {row["source_image_id"]: row for row in rows if row["source"] == source}


def rows_of(manifest: Manifest, source: str = "acme") -> dict[str, dict[str, Any]]:
    rows = manifest.annotations.to_pylist()
    return {row["source_annotation_id"]: row for row in rows if row["source"] == source}


def test_objects_keep_their_masks_and_the_rest_becomes_ignore_boxes(tmp_path: Path) -> None:
    rows = rows_of(built(write_small_extra(tmp_path)))
    told = ("category_id", "role", "ignore_reason", "map_relation", "source_label", "area")
    assert {number: tuple(row[name] for name in told) for number, row in rows.items()} == {
        "1": (ACORN, "object", None, "exact", "Acorn", 30.5),
        "2": (CAR, "object", None, "curated", "Sedan", 64.0),
        "3": (CAR, "ignore", "crowd", "curated", "Sedan", 64.0),
        "4": (None, "ignore", "unmapped", None, "Tree", 64.0),
        "6": (CAR, "object", None, "curated", "Van", 64.0),
        "20": (ACORN, "object", None, "exact", "Acorn", 64.0),
    }
    assert rows["1"]["segmentation"] == SQUARE
    assert rows["2"]["mask_rle"] is not None
    masked = [n for n, row in rows.items() if row["segmentation"] or row["mask_rle"]]
    assert masked == ["1", "2"]


def test_images_with_an_object_are_taken_under_ids_of_their_own(tmp_path: Path) -> None:
    manifest = built(write_small_extra(tmp_path))
    images = images_of(manifest)
    assert sorted(images) == ["5", "7", "8"]
    assert all(2**51 <= image["image_id"] < 2**52 for image in images.values())
    assert images["5"]["file_name"] == "a/5.jpg"
    assert images["5"]["license"] == "http://example.org/terms"
    counts = manifest.record.counts["acme"]
    assert (counts["image"].kept, counts["image"].dropped) == (3, {"not_a_candidate": 1})
    assert (counts["annotation"].kept, counts["annotation"].dropped) == (6, {"not_a_candidate": 1})
    assert images_of(manifest, "lvis").keys() == {"5", "6"}


def test_the_record_says_where_the_source_came_from(tmp_path: Path) -> None:
    record = built(write_small_extra(tmp_path, exhaustive=True)).record
    origin = record.extras["acme"]
    assert (origin.map, origin.exhaustive, origin.info) == ("acme_map.csv", True, {"version": 2})
    assert origin.licenses == [{"id": 1, "url": "http://example.org/terms"}]
    assert ("extra/acme", "acme.json") in [(one.role, one.name) for one in record.inputs]
    assert "acme_map.csv" in record.maps


def test_without_extras_the_record_is_what_it_was(tmp_path: Path) -> None:
    options = replace(write_small_extra(tmp_path), extra=())
    assert b'"extras"' not in build_to(options, tmp_path / "m")["manifest.json"]


def test_unmapped_rows_can_be_dropped(tmp_path: Path) -> None:
    manifest = built(write_small_extra(tmp_path, unmapped="drop"))
    assert "4" not in rows_of(manifest)
    assert manifest.record.counts["acme"]["annotation"].dropped["option"] == 1
    assert manifest.record.options["unmapped"] == "drop"


@pytest.mark.parametrize(
    ("given", "held_out"),
    [
        # its own ids say nothing about LVIS's
        ({}, False),
        ({"flickr_url": FLICKR}, True),
        ({"coco_url": "http://images.cocodataset.org/val2017/000000000005.jpg"}, True),
        ({"coco_url": "http://images.cocodataset.org/val2017/000000000009.jpg"}, False),
        ({"coco_url": "http://example.org/val2017/000000000005.jpg"}, False),
    ],
)
def test_held_out_photos_are_left_out(
    tmp_path: Path, given: dict[str, str], held_out: bool
) -> None:
    extra = extra_document()
    extra["images"][0] |= given
    held = tmp_path / "held.json"
    held.write_text(json.dumps({"images": [{"id": 5, "flickr_url": FLICKR}]}))
    manifest = built(write_small_extra(tmp_path, extra, holdout=(str(held),)))
    assert ("5" in images_of(manifest)) is not held_out
    assert manifest.record.counts["acme"]["image"].dropped.get("holdout", 0) == held_out


def test_two_sources_may_have_equal_ids_and_names(tmp_path: Path) -> None:
    options = write_small_extra(tmp_path)
    second = replace(options.extra[0], name="zoo")
    manifest = built(replace(options, extra=(second, *options.extra)))
    ours, theirs = images_of(manifest), images_of(manifest, "zoo")
    assert ours.keys() == theirs.keys()
    assert ours["5"]["file_name"] == theirs["5"]["file_name"]
    assert ours["5"]["image_id"] != theirs["5"]["image_id"]
    assert list(manifest.record.maps) == ["acme_map.csv"]


def test_two_maps_of_one_name_stop_the_build(tmp_path: Path) -> None:
    options = write_small_extra(tmp_path)
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "acme_map.csv"
    other.write_text(MAP + "14,Bus,,,,\n")
    second = replace(options.extra[0], name="zoo", mapping=str(other))
    with pytest.raises(InputError, match=r"acme_map\.csv: two label maps have this name"):
        build_quietly(replace(options, extra=(*options.extra, second)))


def test_a_map_of_another_kind_stops_the_build(tmp_path: Path) -> None:
    mapping = MAP.replace("source_id,source_name", "coco_id,coco_name")
    with pytest.raises(InputError, match=r"is a label map for COCO .* column source_id is needed"):
        build_quietly(write_small_extra(tmp_path, mapping=mapping))


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "a/../../b.jpg"])
def test_a_file_name_that_leads_out_stops_the_build(tmp_path: Path, name: str) -> None:
    extra = extra_document()
    extra["images"][1]["file_name"] = name
    with pytest.raises(InputError, match="which leads out of the image folder"):
        build_quietly(write_small_extra(tmp_path, extra))


def test_what_is_doubtful_about_a_map_is_told(tmp_path: Path) -> None:
    mapping = MAP.replace("Acorn,acorn.n.01", "Nut,acorn.n.01").replace("LVIS has none", "draft: x")
    warnings = built(write_small_extra(tmp_path, mapping=mapping)).record.warnings
    assert any("1 classes have other names in the file" in text for text in warnings)
    assert any("1 rows are drafts that nobody has judged, 0 of them" in text for text in warnings)


def test_a_map_that_fits_nothing_is_told(tmp_path: Path) -> None:
    mapping = "\n".join([MAP.splitlines()[0], "99,Acorn,acorn.n.01,acorn,exact,", ""])
    warnings = built(write_small_extra(tmp_path, mapping=mapping)).record.warnings
    assert any("row 1, 99 Acorn: its file has no such category" in text for text in warnings)
    assert any("acme: no image is taken" in text for text in warnings)


def test_corrections_work_on_extras(tmp_path: Path) -> None:
    """Rules: reject an image, reject a box, relabel a box."""
    corrections = tmp_path / "corrections.csv"
    with corrections.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                CORRECTION_COLUMNS,
                ("acme", "7", "", "", "reject", "", ""),
                ("acme", "5", "1", "Acorn", "reject", "", ""),
                ("acme", "8", "20", "Acorn", "relabel", "car_(automobile)", "car.n.01"),
                ("acme", "5", "4", "Tree", "relabel", "acorn", "acorn.n.01"),
            ]
        )
    manifest = built(write_small_extra(tmp_path, corrections=str(corrections)))
    counts = manifest.record.counts["acme"]
    assert counts["image"].dropped == {"not_a_candidate": 1, "correction": 1}
    assert counts["annotation"].dropped == {"not_a_candidate": 1, "correction": 2}
    assert counts["annotation"].relabelled == 1
    row = rows_of(manifest)["20"]
    assert (row["category_id"], row["relabelled_from"]) == (CAR, ACORN)
    assert any("relabel a box that has no category" in text for text in manifest.record.warnings)


def test_an_lvis_file_in_other_ids_is_an_extra_like_any_other(tmp_path: Path) -> None:
    """Its lists are read in its own ids."""
    extra = extra_document()
    for category in extra["categories"]:
        category |= {"synset": "x.n.01", "frequency": "r"}
    for image in extra["images"]:
        image |= {"neg_category_ids": [12, 13], "not_exhaustive_category_ids": [10]}
    images = images_of(built(write_small_extra(tmp_path, extra)))
    names = ("pos_category_ids", "neg_category_ids", "not_exhaustive_category_ids")
    assert [[images[n][name] for name in names] for n in ("5", "7", "8")] == [
        [[ACORN, CAR], [], [ACORN, CAR]],  # a crowd of cars
        [[CAR], [], []],
        [[ACORN], [CAR], [ACORN]],
    ]


def test_one_name_is_of_one_source(tmp_path: Path) -> None:
    options = write_small_extra(tmp_path)
    with pytest.raises(UsageError, match=r"--extra acme=…: given twice"):
        build_quietly(replace(options, extra=options.extra * 2))
