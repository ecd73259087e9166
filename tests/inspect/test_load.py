"""What the App is given: every row of the manifest, its mask, its marks; once."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lvis_merge import manifest as manifests
from lvis_merge.image_roots import image_roots
from lvis_merge.inspect import checks
from lvis_merge.inspect.app_fields import declare_fields
from lvis_merge.inspect.label_texts import LabelTexts
from lvis_merge.inspect.load import Wanted, opened
from lvis_merge.inspect.loaded import remove_leftovers
from lvis_merge.inspect.selection import Selection
from lvis_merge.inspect.views import save_views
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.record import RECORD_FILE
from tests.inspect.conftest import QUIET, own_copy

pytestmark = pytest.mark.slow


def labels(dataset: Any, field: str) -> list[Any]:
    return [box for image in dataset.values(f"{field}.detections") for box in image or []]


def test_every_image_and_box_is_there(loaded: Any, manifest: Manifest) -> None:
    assert loaded.values("image_id") == manifest.images["image_id"].to_pylist()
    assert loaded.values("metadata.width") == manifest.images["width"].to_pylist()
    names = dict(
        zip(
            *(manifest.categories[name].to_pylist() for name in ("category_id", "name")),
            strict=True,
        )
    )
    rows = manifest.annotations.to_pylist()
    sizes = {row["image_id"]: (row["width"], row["height"]) for row in manifest.images.to_pylist()}
    for role, field in (("object", "objects"), ("ignore", "ignore_regions")):
        found = labels(loaded, field)
        expected = [row for row in rows if row["role"] == role]
        assert len(found) == len(expected)
        for box, row in zip(found, expected, strict=True):
            width, height = sizes[row["image_id"]]
            x, y, w, h = row["bbox"]
            assert box.bounding_box == [x / width, y / height, w / width, h / height]
            assert (box.source, box.source_annotation_id, box.source_label) == (
                row["source"], row["source_annotation_id"], row["source_label"],
            )  # fmt: skip
            if role == "object":
                assert box.label == names[row["category_id"]]
                assert (box.mask is not None) == (row["segmentation"] is not None)
            else:
                assert box.label == row["ignore_reason"]
                if row["ignore_reason"] == "coco_box":
                    assert box.matched == (row["matched_annotation_id"] is not None)


def test_a_box_says_by_which_map_row_it_came(loaded: Any) -> None:
    came = [box for box in labels(loaded, "objects") if box.source == "open_images"]
    assert came
    for box in came:
        assert box.original_label.endswith(f"({box.source_label})")
        assert box.map_row.startswith("open_images_v5_110.csv row ")
        assert box.frequency in ("rare", "common", "frequent")


def test_verified_labels_are_the_lists_of_the_manifest(loaded: Any, manifest: Manifest) -> None:
    columns = {
        "present": "pos_category_ids",
        "absent": "neg_category_ids",
        "not_exhaustive": "not_exhaustive_category_ids",
    }
    ids, names = (manifest.categories[name] for name in ("category_id", "name"))
    for field, column in columns.items():
        lists = manifest.images[column].to_pylist()
        expected = [
            names.take(pc.index_in(pa.array(one, pa.int32()), value_set=ids)).to_pylist()
            for one in lists
        ]
        assert [one or [] for one in loaded.values(f"{field}.classifications.label")] == expected


def test_the_second_time_it_is_opened_as_it_was(
    loaded: Any, manifest: Manifest, roots: list[str]
) -> None:
    again = opened(Wanted(manifest, image_roots(roots)), QUIET)
    assert not again.is_new
    assert again.name == loaded.name


VIEWS = {
    "source lvis": lambda row: row["source"] == "lvis",
    "ignored unmapped": lambda row: row["ignore_reason"] == "unmapped",
    "ignored group_of": lambda row: row["ignore_reason"] == "group_of",
    "coco without lvis": lambda row: (
        row["ignore_reason"] == "coco_box" and row["matched_annotation_id"] is None
    ),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_saved_view_shows_the_images_that_it_is_for(
    name: str, loaded: Any, manifest: Manifest
) -> None:
    view = loaded.load_saved_view(name)
    table = manifest.images if name == "source lvis" else manifest.annotations
    images = {row["image_id"] for row in table.to_pylist() if VIEWS[name](row)}
    assert images
    assert set(view.values("image_id")) == images


def test_a_view_of_one_category_shows_the_sources_in_turn(loaded: Any, manifest: Manifest) -> None:
    both = [name for name in loaded.list_saved_views() if name.startswith("both ")]
    assert both
    for name in both:
        view = loaded.load_saved_view(name)
        sources = view.values("source")
        fewer = min(Counter(sources).values())
        assert set(sources[: 2 * fewer : 2]) == {"lvis"}
        assert set(sources[1 : 2 * fewer : 2]) == {"open_images"}
        assert set(view.distinct("objects.detections.label")) == {name.removeprefix("both ")}


def test_masks_are_those_of_the_manifest(loaded: Any, manifest: Manifest) -> None:
    """The mask's share of its box is the polygon's, by the reference rasteriser."""
    from pycocotools import mask as coco_mask

    sizes = {row["image_id"]: (row["height"], row["width"]) for row in manifest.images.to_pylist()}
    rows = [row for row in manifest.annotations.to_pylist() if row["segmentation"]]
    found = [box for box in labels(loaded, "objects") if box.mask is not None]
    assert len(found) == len(rows) > 50
    for box, row in zip(found, rows, strict=True):
        runs = coco_mask.merge(coco_mask.frPyObjects(row["segmentation"], *sizes[row["image_id"]]))
        share = coco_mask.area(runs) / (row["bbox"][2] * row["bbox"][3])
        assert abs(box.mask.mean() - share) < 0.06
        assert box.mask.dtype == bool


def test_missing_images_are_counted_shown_and_found_again(
    own_database: None, drawn: Path, tmp_path: Path
) -> None:
    """An image that comes later takes its place; what was tagged meanwhile stays."""
    # a manifest of its own: other tests see theirs whole
    manifest = manifests.open(own_copy(drawn, tmp_path / "other"))
    (tmp_path / "images").mkdir()
    wanted = Wanted(manifest, image_roots([str(tmp_path / "images")]), Selection(sample=12))
    first = opened(wanted, QUIET)
    try:
        assert (first.images, first.missing) == (12, 12)
        assert all(Path(path).is_file() for path in first.dataset.values("filepath"))
        view = first.dataset.load_saved_view("missing images")
        assert len(view) == 12
        one = first.dataset.match({"source": "lvis"}).first()
        one.tags.append("reject")
        one.save()
        target = tmp_path / "images" / one.file_name
        target.parent.mkdir(parents=True)
        shutil.copy(drawn / "world" / "images" / one.file_name, target)
        second = opened(wanted, QUIET)
        assert (second.is_new, second.images, second.missing) == (False, 12, 11)
        again = second.dataset[one.id]
        assert (again.filepath, again.tags) == (str(target), ["reject"])
        assert checks.MISSING not in again.checks
        assert opened(wanted, QUIET).missing == 11
    finally:
        first.dataset.delete()


def test_another_build_or_another_question_is_another_data_set(
    manifest: Manifest, roots: list[str], tmp_path: Path
) -> None:
    plain = Wanted(manifest, image_roots(roots))
    shutil.copytree(manifest.path, tmp_path / "manifest")
    record = tmp_path / "manifest" / RECORD_FILE
    same = Wanted(manifests.open(tmp_path / "manifest"), image_roots(roots))
    assert same.key == plain.key
    record.write_bytes(record.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    results = tmp_path / "results.json"
    results.write_text("[]")
    others = [
        Wanted(manifests.open(tmp_path / "manifest"), image_roots(roots)),
        Wanted(manifest, image_roots(roots[:1])),
        Wanted(manifest, image_roots(roots), Selection(sample=3)),
        Wanted(manifest, image_roots(roots), Selection(sample=4)),
        Wanted(manifest, image_roots(roots), Selection(category="owl")),
        Wanted(manifest, image_roots(roots), results=str(results)),
        Wanted(manifest, image_roots(roots), results=str(results), least_score=0.5),
    ]
    assert len({one.key for one in (plain, *others)}) == len(others) + 1


def test_float_boxes_keep_all_digits(loaded: Any, manifest: Manifest) -> None:
    boxes = np.array([box.bounding_box for box in labels(loaded, "objects")])
    assert len(np.unique(boxes)) > len(boxes)


def test_results_are_shown_beside_the_objects(
    own_database: None, manifest: Manifest, tmp_path: Path
) -> None:
    val = manifest.images.filter(pc.equal(manifest.images["split"], "val"))["image_id"]
    rows = manifest.annotations.filter(pc.is_in(manifest.annotations["image_id"], value_set=val))
    entries = [
        {name: row[name] for name in ("image_id", "category_id", "bbox")} | {"score": 0.5}
        for row in rows.to_pylist()
    ]
    results = tmp_path / "results.json"
    results.write_text(json.dumps(entries[1:]))
    wanted = Wanted(manifest, selection=Selection(where="split = 'val'"), results=str(results))
    found = opened(wanted, QUIET)
    try:
        dataset = found.dataset
        assert dataset.count_values("predictions.detections.outcome") == {
            "true positive": len(entries) - 1
        }
        assert (sum(dataset.values("true_positives")), sum(dataset.values("missed"))) == (
            len(entries) - 1,
            1,
        )
        missed = dataset.load_saved_view("missed objects")
        assert missed.values("image_id") == [entries[0]["image_id"]]
        assert len(dataset.load_saved_view("predicted false positive")) == 0
    finally:
        found.dataset.delete()


def test_an_older_build_gives_way_unless_it_has_tags(
    own_database: None, drawn: Path, tmp_path: Path
) -> None:
    record = own_copy(drawn, tmp_path / "again") / RECORD_FILE
    names = []
    for seed in range(3):
        text = record.read_text("utf-8")
        record.write_text(re.sub(r'"seed": \d', f'"seed": {seed + 1}', text), "utf-8")
        wanted = Wanted(manifests.open(tmp_path / "again"), selection=Selection(sample=2))
        found = opened(wanted, QUIET)
        names.append(found.name)
        if seed == 1:
            assert found.older == ()
            sample = found.dataset.first()
            sample.tags.append("reject")
            sample.save()
    import fiftyone as fo

    assert found.older == (names[1],)
    assert [name for name in names if fo.dataset_exists(name)] == names[1:]
    for name in names[1:]:
        fo.delete_dataset(name)


def test_what_a_killed_process_left_half_loaded_is_removed(own_database: None) -> None:
    import fiftyone as fo

    gone, here = "lvis-merge-partial-4194305-demo", f"lvis-merge-partial-{os.getppid()}-demo"
    for name in (gone, here, "a-users-own"):
        fo.Dataset(name, overwrite=True)
    remove_leftovers()
    left = fo.list_datasets()
    assert gone not in left
    assert {here, "a-users-own"} <= set(left)
    for name in (here, "a-users-own"):
        fo.delete_dataset(name)


def test_two_categories_of_one_address_do_no_harm(own_database: None) -> None:
    """Addresses of views have letters, digits and dashes only."""
    import fiftyone as fo

    dataset = fo.Dataset("addresses", overwrite=True)
    declare_fields(dataset, with_predictions=False)
    rows = {
        "image_id": [1, 2, 3, 4, 5, 6],
        "category_id": [1, 1, 2, 2, 3, 3],
        "source": ["lvis", "open_images"] * 3,
        "role": ["object"] * 6,
        "ignore_reason": pa.nulls(6, pa.string()),
    }
    texts = LabelTexts({1: "hot dog", 2: "hot_dog", 3: "cup"}, {}, {}, {})
    save_views(dataset, pa.table(rows), texts, with_predictions=False)
    both = [name for name in dataset.list_saved_views() if name.startswith("both")]
    assert both == ["both cup", "both hot dog"]
    dataset.delete()
