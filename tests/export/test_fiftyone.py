"""The FiftyOneDataset folder: its text against the manifest, and FiftyOne itself where it is."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from lvis_merge import manifest
from lvis_merge.export.fiftyone_schema import metadata
from lvis_merge.export.options import Format
from lvis_merge.manifest import Manifest
from tests.export.conftest import Drawn
from tests.export.exporting import contents, export_to, read_json
from tests.manifest.small import small

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def samples_of(folder: Path) -> dict[int, dict[str, Any]]:
    rows = read_json(folder / "samples.json")["samples"]
    return {row["image_id"]: row for row in rows}


def mask_of(label: dict[str, Any]) -> np.ndarray:
    binary = zlib.decompress(base64.b64decode(label["mask"]["$binary"]["base64"]))
    mask: np.ndarray = np.load(io.BytesIO(binary))
    return mask


@pytest.fixture(scope="module")
def exported(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fiftyone") / "out"
    export_to(drawn.manifest, out, Format.fiftyone, image_roots=drawn.roots)
    return out


def check_samples(built: Manifest, found: dict[int, dict[str, Any]]) -> None:
    names = {row["category_id"]: row["name"] for row in built.categories.to_pylist()}
    rows = built.annotations.to_pylist()
    images = {row["image_id"]: row for row in built.images.to_pylist()}
    assert list(found) == sorted(
        found, key=lambda n: ("train val test".find(images[n]["split"]), n)
    )
    assert found.keys() == images.keys()
    for number, image in images.items():
        sample = found[number]
        assert sample["tags"] == [image["split"]]
        assert sample["metadata"]["width"] == image["width"]
        assert sample.get("author") == image["author"]
        for field, column in (
            ("present", "pos_category_ids"),
            ("absent", "neg_category_ids"),
            ("not_exhaustive", "not_exhaustive_category_ids"),
        ):
            labels = [one["label"] for one in sample[field]["classifications"]]
            assert labels == [names[category] for category in image[column]]
        for field, role in (("objects", "object"), ("ignore_regions", "ignore")):
            expected = [row for row in rows if (row["image_id"], row["role"]) == (number, role)]
            labels = sample[field]["detections"]
            assert len(labels) == len(expected)
            for label, row in zip(labels, expected, strict=True):
                name = names.get(row["category_id"])
                assert label["label"] == (name if role == "object" else row["ignore_reason"])
                assert label.get("category", name) == name
                assert label["source_annotation_id"] == row["source_annotation_id"]
                sides = np.array([image["width"], image["height"]] * 2)
                np.testing.assert_allclose(np.array(label["bounding_box"]) * sides, row["bbox"])
                masked = row["segmentation"] is not None or row["mask_rle"] is not None
                assert ("mask" in label) == (masked and role == "object")


def test_samples_are_the_manifest(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    check_samples(drawn.manifest, samples_of(exported))
    made = manifest.open(small().write(tmp_path / "m"))  # bitmaps, labels of other sources
    export_to(made, tmp_path / "out", Format.fiftyone)
    check_samples(made, samples_of(tmp_path / "out"))


def test_masks_are_the_pixels_of_the_box(drawn: Drawn, exported: Path) -> None:
    images = {row["image_id"]: row for row in drawn.manifest.images.to_pylist()}
    found = samples_of(exported)
    labels = {
        label["annotation_id"]: label
        for sample in found.values()
        for label in sample["objects"]["detections"]
    }
    compared = 0
    for row in drawn.manifest.annotations.to_pylist():
        if row["role"] != "object" or row["segmentation"] is None:
            continue
        image = images[row["image_id"]]
        runs = coco_mask.frPyObjects(row["segmentation"], image["height"], image["width"])
        whole = coco_mask.decode(coco_mask.merge(runs)).astype(bool)
        mask = mask_of(labels[row["annotation_id"]])
        x, y = (round(v) for v in row["bbox"][:2])
        height, width = (min(a, b) for a, b in zip(
            mask.shape, (whole.shape[0] - y, whole.shape[1] - x), strict=True
        ))  # fmt: skip
        cut = whole[y : y + height, x : x + width]
        assert (cut != mask[:height, :width]).mean() < 0.12
        compared += 1
    assert compared


def test_bitmaps_too(tmp_path: Path) -> None:
    made = manifest.open(small().write(tmp_path / "m"))
    export_to(made, tmp_path / "out", Format.fiftyone)
    (box,) = [
        label
        for sample in samples_of(tmp_path / "out").values()
        for label in sample["objects"]["detections"]
        if label["source_annotation_id"].startswith("ff0000a661a2f5aa:2")
    ]
    mask = mask_of(box)  # 20 x 10 pixels at 520, 390 of a box at 512, 384
    assert mask.shape == (32, 64)
    assert mask.sum() == 200
    assert mask[6:16, 8:28].all()


def test_random_numbers_are_spread(exported: Path) -> None:
    """FiftyOne shuffles by them; ids beyond 2^52 must not fall together."""
    numbers = [sample["_rand"] for sample in samples_of(exported).values()]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) < 0.2
    assert max(numbers) > 0.8


def test_ids_are_object_ids_and_differ(exported: Path) -> None:
    ids = []
    for sample in samples_of(exported).values():
        ids.append(sample["_id"]["$oid"])
        for field in ("objects", "ignore_regions"):
            ids += [one["_id"]["$oid"] for one in sample[field]["detections"]]
        for field in ("present", "absent", "not_exhaustive"):
            ids += [one["_id"]["$oid"] for one in sample[field]["classifications"]]
    assert len(ids) == len(set(ids))
    assert all(len(one) == 24 and int(one, 16) >= 0 for one in ids)


def test_equal_exports_are_equal(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    export_to(drawn.manifest, tmp_path / "out", Format.fiftyone, image_roots=drawn.roots)
    assert contents(tmp_path / "out") == contents(exported)


def test_every_member_of_a_sample_is_declared(exported: Path) -> None:
    declared = {field["db_field"] for field in metadata("x")["sample_fields"]}
    members = {name for sample in samples_of(exported).values() for name in sample}
    assert members <= declared


_LOAD = """
import json, sys
import fiftyone

dataset = fiftyone.Dataset.from_dir(
    sys.argv[1], dataset_type=fiftyone.types.FiftyOneDataset, name="lvis_merge_export_test"
)
try:
    sample = dataset.match(fiftyone.ViewField("split") == "val").first()
    mask = sample.objects.detections[0].mask
    print(json.dumps({
        "samples": len(dataset),
        "objects": dataset.count("objects.detections"),
        "regions": dataset.count("ignore_regions.detections"),
        "labels": dataset.count_values("objects.detections.label"),
        "reasons": dataset.count_values("ignore_regions.detections.label"),
        "tags": dataset.count_values("tags"),
        "absent": dataset.count("absent.classifications"),
        "mask": [mask.dtype.name, list(mask.shape)],
        "filepath": sample.filepath,
        "id": sample.image_id,
    }))
finally:
    dataset.delete()
"""


@pytest.mark.skipif(find_spec("fiftyone") is None, reason="fiftyone is not installed")
def test_fiftyone_loads_it(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    """In a process of its own, with a database of its own."""
    quiet = {
        "FIFTYONE_DATABASE_DIR": str(tmp_path / "db"),
        "FIFTYONE_DO_NOT_TRACK": "1",
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        "FIFTYONE_CONFIG_PATH": str(tmp_path / "config.json"),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(exported)],
        capture_output=True, text=True, check=False, env={**os.environ, **quiet}, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    built = drawn.manifest
    rows = built.annotations.to_pylist()
    names = {row["category_id"]: row["name"] for row in built.categories.to_pylist()}
    objects = [row for row in rows if row["role"] == "object"]
    assert loaded["samples"] == built.images.num_rows
    assert loaded["objects"] == len(objects)
    assert loaded["regions"] == len(rows) - len(objects)
    labels = [names[row["category_id"]] for row in objects]
    assert loaded["labels"] == {name: labels.count(name) for name in labels}
    splits = built.images["split"].to_pylist()
    assert loaded["tags"] == {name: splits.count(name) for name in splits}
    assert loaded["absent"] == len(built.images["neg_category_ids"].combine_chunks().flatten())
    assert loaded["mask"][0] == "bool"
    assert Path(loaded["filepath"]).is_file()
