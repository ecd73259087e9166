"""COCO JSON: pycocotools reads it, and ignore regions forgive detections as crowds do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from lvis_merge import manifest
from lvis_merge.export.options import BoxOnly, Format
from lvis_merge.manifest import Manifest
from tests.export.conftest import Drawn
from tests.export.exporting import export_to, read_json
from tests.manifest.other_spaces import coco_small, open_images_small
from tests.manifest.small import Small, small

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def coco_of(built: Manifest, out: Path, split: str, **options: Any) -> COCO:
    export_to(built, out, Format.coco, splits=[split], **options)
    return COCO(str(out))


def test_every_row_comes_back(drawn: Drawn, tmp_path: Path) -> None:
    images = {row["image_id"]: row for row in drawn.manifest.images.to_pylist()}
    rows = drawn.manifest.annotations.to_pylist()
    for split in ("train", "val", "test"):
        coco = coco_of(drawn.manifest, tmp_path / f"{split}.json", split)
        expected = [row for row in rows if images[row["image_id"]]["split"] == split]
        assert set(coco.anns) == {row["annotation_id"] for row in expected}
        for row in expected:
            found = coco.anns[row["annotation_id"]]
            assert found["image_id"] == row["image_id"]
            assert np.float32(found["bbox"]).tolist() == row["bbox"]
            assert found["area"] == row["area"]
            assert found["iscrowd"] == int(row["role"] == "ignore")
            assert found.get("ignore_reason") == row["ignore_reason"]
            if row["category_id"] is not None:
                assert found["category_id"] == row["category_id"]
        for number, image in coco.imgs.items():
            for name in ("file_name", "width", "height", "neg_category_ids"):
                assert image[name] == images[number][name]


def test_regions_without_a_category_get_one_of_their_own(drawn: Drawn, tmp_path: Path) -> None:
    names = [row["name"] for row in drawn.manifest.categories.to_pylist()]
    for split in ("train", "val"):  # in every split, so that the lists are the same
        coco = coco_of(drawn.manifest, tmp_path / f"{split}.json", split)
        assert [row["name"] for row in coco.loadCats(coco.getCatIds())] == [*names, "ignore"]
    bare = {
        row["annotation_id"]
        for row in drawn.manifest.annotations.to_pylist()
        if row["category_id"] is None
    }
    assert bare
    coco = COCO(str(tmp_path / "train.json"))
    (extra,) = coco.getCatIds(catNms=["ignore"])
    assert set(coco.getAnnIds(catIds=[extra])) == bare
    assert {coco.anns[number]["iscrowd"] for number in bare} == {1}


@pytest.mark.parametrize(
    ("make", "extra"),
    [
        (small, True),  # an unmapped box
        (coco_small, False),  # crowds have their category
        (open_images_small, False),
    ],
)
def test_without_such_regions_the_list_is_the_label_space(
    make: Callable[[], Small], extra: bool, tmp_path: Path
) -> None:
    built = manifest.open(make().write(tmp_path / "m"))
    coco = coco_of(built, tmp_path / "c.json", "train")
    assert len(coco.cats) == built.categories.num_rows + extra


def test_masks_decode(drawn: Drawn, tmp_path: Path) -> None:
    """Objects with `rectangle`; regions always have their rectangle."""
    coco = coco_of(drawn.manifest, tmp_path / "c.json", "train", box_only=BoxOnly.rectangle)
    for annotation in coco.anns.values():
        mask = coco.annToMask(annotation)
        image = coco.imgs[annotation["image_id"]]
        assert mask.shape == (image["height"], image["width"])
        if annotation["iscrowd"]:
            x, y, w, h = annotation["bbox"]
            right, bottom = min(x + w, image["width"]), min(y + h, image["height"])
            area = (right - max(x, 0)) * (bottom - max(y, 0))
            assert abs(float(mask.sum()) - area) <= 2 * (w + h) + 4


@pytest.mark.parametrize("choice", list(BoxOnly))
def test_box_only(choice: BoxOnly, tmp_path: Path) -> None:
    built = manifest.open(small().write(tmp_path / "m"))
    rows = [
        row
        for row in built.annotations.to_pylist()
        if row["role"] == "object" and row["image_id"] != 139
    ]
    bare = sum(row["segmentation"] is None and row["mask_rle"] is None for row in rows)
    assert 0 < bare < len(rows)
    (written,) = export_to(
        built, tmp_path / "c.json", Format.coco, splits=["train"], box_only=choice
    )
    found = [row for row in read_json(tmp_path / "c.json")["annotations"] if not row["iscrowd"]]
    assert written.counts["box_only"] == bare
    assert len(found) == written.objects == len(rows) - (bare if choice is BoxOnly.drop else 0)
    assert sum(bool(row["segmentation"]) for row in found) == (
        len(rows) if choice is BoxOnly.rectangle else len(rows) - bare
    )


def test_a_detection_in_an_ignore_region_is_not_wrong(tmp_path: Path) -> None:
    """By COCOeval: the only object is found, and a second detection lies in a region of it."""
    built = manifest.open(small().write(tmp_path / "m"))
    coco = coco_of(built, tmp_path / "c.json", "train")
    image, cup = 9, 1
    (crowd,) = [
        row
        for row in coco.anns.values()
        if (row["image_id"], row.get("ignore_reason")) == (image, "crowd")
    ]
    objects = [r for r in coco.anns.values() if (r["category_id"], r["iscrowd"]) == (cup, 0)]
    x, y, w, h = crowd["bbox"]
    inside = {"image_id": image, "category_id": cup, "bbox": [x + 5, y + 5, w / 3, h / 3]}
    found = [
        {"image_id": row["image_id"], "category_id": cup, "bbox": row["bbox"], "score": 0.5}
        for row in objects
    ]
    scores = {}
    for name, wrong in (("inside", inside), ("outside", {**inside, "bbox": [500, 400, 50, 50]})):
        scored = COCOeval(coco, coco.loadRes([*found, {**wrong, "score": 0.9}]), "bbox")
        scored.params.catIds = [cup]
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
        scores[name] = scored.stats[0]
    assert scores["inside"] == pytest.approx(1.0)
    assert scores["outside"] < 0.9
