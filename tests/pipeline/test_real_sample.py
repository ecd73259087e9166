"""Real LVIS, COCO and Open Images rows, against the files themselves and a plain recount.

The sample is not part of the project; where it is absent these tests are skipped.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from lvis_merge import manifest
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.validate import validate
from tests.pipeline.running import ROOT, run_command

REFERENCE = ROOT.parent / "shared" / "reference"
SAMPLE = REFERENCE / "sample"
LVIS = SAMPLE / "lvis_v0.5_val_30.json"
COCO = SAMPLE / "coco_val2017_boxes_30.json"
BOXES = SAMPLE / "open_images_train-annotations-bbox_10.csv"
SIZES = SAMPLE / "open_images_sizes_10.csv"
MAPS = {name: ROOT / "mappings" / f"open_images_v5_{name}.csv" for name in ("all", "110")}

pytestmark = [
    pytest.mark.skipif(not LVIS.is_file(), reason=f"{LVIS} is not there"),
    # pycocotools' own, one for each mask
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@dataclass(frozen=True)
class Merged:
    """The sample as built with one label map, and its rows as plain Python reads them."""

    map_file: Path
    manifest: Manifest
    lvis: dict[str, Any]
    coco: dict[str, Any]
    boxes: list[dict[str, str]]
    sizes: dict[str, tuple[int, int]]

    def rows(self, source: str, role: str) -> list[dict[str, Any]]:
        rows = self.manifest.annotations.to_pylist()
        return [row for row in rows if (row["source"], row["role"]) == (source, role)]

    @property
    def category_of(self) -> dict[str, int]:
        """MID -> LVIS id, by the map and the categories' synsets."""
        by_synset = {category["synset"]: category["id"] for category in self.lvis["categories"]}
        return {
            row["mid"]: by_synset[row["lvis_synset"]]
            for row in read_csv(self.map_file)
            if row["lvis_synset"] in by_synset
        }


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=sorted(MAPS))
def merged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Merged:
    folder = tmp_path_factory.mktemp("real")
    (folder / "open_images").mkdir()
    for source, name in (
        (BOXES, "train-annotations-bbox.csv"),
        (
            REFERENCE / "open_images_class-descriptions-boxable.csv",
            "class-descriptions-boxable.csv",
        ),
        (
            REFERENCE / "open_images_bbox_labels_600_hierarchy.json",
            "bbox_labels_600_hierarchy.json",
        ),
    ):
        shutil.copy(source, folder / "open_images" / name)
    map_file = MAPS[request.param]
    files = {
        "lvis": LVIS,
        "coco": COCO,
        "openimages": folder / "open_images",
        "openimages-sizes": SIZES,
        "mapping": map_file,
        "out": folder / "m",
    }
    arguments = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    done = run_command("build", *arguments)
    assert done.returncode == 0, done.stderr
    sizes = {r["ImageID"]: (int(r["Width"]), int(r["Height"])) for r in read_csv(SIZES)}
    return Merged(
        map_file,
        manifest.open(folder / "m"),
        json.loads(LVIS.read_text()),
        json.loads(COCO.read_text()),
        read_csv(BOXES),
        sizes,
    )


def float32(numbers: list[float]) -> list[float]:
    return [float(number) for number in np.array(numbers, np.float32)]


def test_it_is_valid_and_known_as_v05(merged: Merged) -> None:
    assert [f for f in validate(merged.manifest.path) if f.level == "error"] == []
    assert merged.manifest.record.lvis_version == "v0.5"
    assert merged.manifest.rejects.num_rows == 0


def test_rows_of_each_source(merged: Merged) -> None:
    assert len(merged.rows("lvis", "object")) == 343
    assert len(merged.rows("coco", "ignore")) == 235
    assert merged.rows("lvis", "ignore") == merged.rows("coco", "object") == []
    counts = merged.manifest.record.counts
    assert counts["lvis"]["image"].kept == 30
    assert counts["open_images"]["box"].rows_in == 84


def test_rows_read_off_the_files(merged: Merged) -> None:
    """Two rows, copied by eye."""
    by_id = {row["source_annotation_id"]: row for row in merged.rows("lvis", "object")}
    row = by_id["31"]
    assert (row["image_id"], row["category_id"]) == (195918, 237)
    assert row["bbox"] == float32([0.0, 379.92, 182.58, 48.08])
    assert row["area"] == 7789.02
    (image,) = [i for i in merged.manifest.images.to_pylist() if i["image_id"] == 66523]
    assert image["file_name"] == "val2017/000000066523.jpg"
    assert image["source_file_name"] == "COCO_val2014_000000066523.jpg"
    assert (image["width"], image["height"], image["license_id"]) == (480, 640, 3)
    assert image["flickr_photo_id"] == 2471041106
    verified = [842, 774, 277, 725, 205, 948, 66, 1203, 453, 860, 1086, 610]
    assert image["neg_category_ids"] == verified


def test_lvis_objects_are_the_published_ones(merged: Merged) -> None:
    names = {category["id"]: category["name"] for category in merged.lvis["categories"]}
    found = {int(row["source_annotation_id"]): row for row in merged.rows("lvis", "object")}
    assert found.keys() == {annotation["id"] for annotation in merged.lvis["annotations"]}
    for annotation in merged.lvis["annotations"]:
        row = found[annotation["id"]]
        assert row["image_id"] == annotation["image_id"]
        assert row["category_id"] == annotation["category_id"]
        assert row["source_label"] == names[annotation["category_id"]]
        assert row["bbox"] == float32(annotation["bbox"])
        assert row["area"] == annotation["area"]
        assert row["segmentation"] == [float32(part) for part in annotation["segmentation"]]


def test_masks_decode_to_the_published_ones(merged: Merged) -> None:
    """By pycocotools; float32 moves a corner by a hair, which flips a few pixels of an edge."""
    size = {image["id"]: (image["height"], image["width"]) for image in merged.lvis["images"]}
    found = {int(row["source_annotation_id"]): row for row in merged.rows("lvis", "object")}
    flipped = pixels = 0
    for annotation in merged.lvis["annotations"]:
        height, width = size[annotation["image_id"]]
        ours, theirs = (
            coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
            for polygons in (found[annotation["id"]]["segmentation"], annotation["segmentation"])
        )
        differing = int(np.sum(coco_mask.decode(ours) != coco_mask.decode(theirs)))
        assert differing <= 0.05 * coco_mask.area(theirs) + 2
        flipped += differing
        pixels += int(coco_mask.area(theirs))
    assert flipped <= 0.001 * pixels


def test_coco_rows_match_objects_by_pycocotools_iou(merged: Merged) -> None:
    by_synset = {category["synset"]: category["id"] for category in merged.lvis["categories"]}
    category_of = {
        int(row["coco_id"]): by_synset.get(row["lvis_synset"])
        for row in read_csv(ROOT / "mappings" / "coco_2017.csv")
    }
    number = {
        int(row["source_annotation_id"]): row["annotation_id"]
        for row in merged.rows("lvis", "object")
    }
    found = {int(row["source_annotation_id"]): row for row in merged.rows("coco", "ignore")}
    expected = {}
    for region in merged.coco["annotations"]:
        row = found[region["id"]]
        assert row["ignore_reason"] == "coco_box"
        assert row["bbox"] == float32(region["bbox"])
        assert row["area"] == region["bbox"][2] * region["bbox"][3]
        assert row["category_id"] == category_of[region["category_id"]]
        objects = [
            annotation
            for annotation in merged.lvis["annotations"]
            if annotation["image_id"] == region["image_id"]
            and annotation["category_id"] == category_of[region["category_id"]]
        ]
        overlaps = [
            (float(coco_mask.iou([region["bbox"]], [one["bbox"]], [0])[0, 0]), -number[one["id"]])
            for one in objects
        ]
        best = max(overlaps, default=(0.0, 0))
        expected[region["id"]] = -best[1] if best[0] >= 0.5 else None
    assert {key: row["matched_annotation_id"] for key, row in found.items()} == expected
    assert any(value is not None for value in expected.values())


def test_open_images_rows_are_recounted(merged: Merged) -> None:
    category_of = merged.category_of
    flags = ("IsGroupOf", "IsDepiction", "IsInside")
    reasons = ("group_of", "depiction", "inside")

    def reason(box: dict[str, str]) -> str | None:
        if box["LabelName"] not in category_of:
            return "unmapped"
        set_ones = [name for flag, name in zip(flags, reasons, strict=True) if box[flag] == "1"]
        return set_ones[0] if set_ones else None

    chosen = {box["ImageID"] for box in merged.boxes if reason(box) is None}
    on_chosen = [box for box in merged.boxes if box["ImageID"] in chosen]
    images = [i for i in merged.manifest.images.to_pylist() if i["source"] == "open_images"]
    assert {image["source_image_id"] for image in images} == chosen
    for image in images:
        assert (image["width"], image["height"]) == merged.sizes[image["source_image_id"]]
        assert image["image_id"] == 2**52 + int(image["source_image_id"], 16) % 2**52

    expected = []
    for box in on_chosen:
        width, height = merged.sizes[box["ImageID"]]
        xmin, xmax, ymin, ymax = (float(box[name]) for name in ("XMin", "XMax", "YMin", "YMax"))
        w, h = (xmax - xmin) * width, (ymax - ymin) * height
        corner = float32([xmin * width, ymin * height, w, h])
        label = box["LabelName"]
        expected.append((box["ImageID"], label, category_of.get(label), reason(box), corner, w * h))
    found = [
        (
            row["source_annotation_id"].split(":")[0],
            *(row[name] for name in ("source_label", "category_id", "ignore_reason", "bbox")),
            row["area"],
        )
        for role in ("object", "ignore")
        for row in merged.rows("open_images", role)
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert all(row["segmentation"] is None for row in merged.rows("open_images", "object"))


def test_categories_are_recounted(merged: Merged) -> None:
    own = merged.lvis["annotations"]
    objects = merged.rows("lvis", "object") + merged.rows("open_images", "object")

    def images_of(rows: list[dict[str, Any]]) -> Counter[int]:
        pairs = {(row["category_id"], row["image_id"]) for row in rows}
        return Counter(category for category, _ in pairs)

    def instances_of(rows: list[dict[str, Any]]) -> Counter[int]:
        return Counter(row["category_id"] for row in rows)

    with_objects = len({row["image_id"] for row in objects})
    rows = merged.manifest.categories.to_pylist()
    published = {category["id"]: category for category in merged.lvis["categories"]}
    assert [row["category_id"] for row in rows] == sorted(published)
    for row in rows:
        category = row["category_id"]
        assert row["frequency"] == published[category]["frequency"]
        assert row["synonyms"] == published[category]["synonyms"]
        assert row["image_count_lvis"] == images_of(own)[category]
        assert row["instance_count_lvis"] == instances_of(own)[category]
        assert row["image_count"] == images_of(objects)[category]
        assert row["instance_count"] == instances_of(objects)[category]
        assert row["f"] == row["image_count"] / with_objects
