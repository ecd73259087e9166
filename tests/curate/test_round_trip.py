"""From tags in FiftyOne through `curate` and `build --corrections` to a manifest, and again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lvis_merge import manifest as manifests
from lvis_merge.image_roots import image_roots
from lvis_merge.inspect.load import Wanted, opened
from lvis_merge.manifest.validate import validate
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from tests.cli.command import Run
from tests.inspect.conftest import QUIET, own_copy

pytestmark = pytest.mark.slow

NEW = "owl"


def first_box(dataset: Any, field: str, **wanted: Any) -> tuple[Any, Any]:
    """The first sample with a label of these values, and the label."""
    for sample in dataset:
        for box in sample[field].detections:
            if all(box[name] == value for name, value in wanted.items()):
                return sample, box
    raise AssertionError(f"no {field} with {wanted}")


def tag(sample: Any, thing: Any, *tags: str) -> None:
    thing.tags.extend(tags)
    sample.save()


def test_there_and_back_again(
    own_database: None,
    drawn: Path,
    roots: list[str],
    options: BuildOptions,
    tmp_path: Path,
    run: Run,
) -> None:
    """Rule: keyed by ids that survive a rebuild; what is rejected or relabelled, and nothing else,
    differs; a second round carries the first on."""
    place, file = tmp_path / "curated", tmp_path / "corrections.csv"
    own_copy(drawn, place)
    before = manifests.open(place)
    tables = {"images": before.images.to_pylist(), "annotations": before.annotations.to_pylist()}
    first = opened(Wanted(before, image_roots(roots)), QUIET).dataset
    datasets = [first]
    try:
        images = list(first.match({"source": "lvis", "split": "train"}))
        tag(images[0], images[0], "reject", "seen by me")
        tag(images[1], images[1].objects.detections[0], "reject")
        from_oi = first_box(first.match({"source": "open_images"}), "objects", label="die")
        tag(*from_oi, f"relabel:{NEW}")
        region = first_box(
            first.match({"source": "lvis"}).skip(3), "ignore_regions", label="coco_box"
        )
        tag(*region, "reject")
        unmapped = first_box(first, "ignore_regions", label="unmapped", category=None)
        tag(*unmapped, f"relabel:{NEW}")

        found = run("curate", str(place), "--from-fiftyone", "--out", str(file), "--json")
        assert found.code == 0
        counts = json.loads(found.stdout)
        assert counts == {
            "corrections": str(file), "images_rejected": 1, "boxes_rejected": 2,
            "boxes_relabelled": 1, "new": 4, "changed": 0, "carried_on": 0,
        }  # fmt: skip
        assert "1 tags are not reject or relabel:NAME (seen by me)" in found.notes
        assert any("1 boxes tagged relabel have no category" in note for note in found.notes)

        build_manifest(replace(options, out=place, corrections=str(file), overwrite=True), QUIET)
        after = manifests.open(place)
        assert [str(one) for one in validate(place) if one.level == "error"] == []
        gone = {images[0].image_id}
        assert after.images.to_pylist() == [
            r for r in tables["images"] if r["image_id"] not in gone
        ]
        # train and val may have an annotation of the same id
        rejected = images[1].objects.detections[0]
        boxes = {
            (images[1].image_id, "lvis", rejected.source_annotation_id),
            (region[0].image_id, "coco", region[1].source_annotation_id),
        }
        ids = {row["name"]: row["category_id"] for row in before.categories.to_pylist()}
        expected = []
        for row in tables["annotations"]:
            key = row["image_id"], row["source"], row["source_annotation_id"]
            if row["image_id"] in gone or key in boxes:
                continue
            if key[1:] == ("open_images", from_oi[1].source_annotation_id):
                row = {**row, "category_id": ids[NEW], "relabelled_from": row["category_id"]}
            expected.append(row)
        assert without_ids(after.annotations.to_pylist()) == without_ids(expected)

        # again: what was relabelled is looked at anew; what was rejected stays so
        second = opened(Wanted(after, image_roots(roots)), QUIET).dataset
        datasets.append(second)
        name = from_oi[1].source_annotation_id
        sample, box = first_box(second, "objects", source_annotation_id=name)
        assert (box.label, box.relabelled_from) == (NEW, from_oi[1].label)
        first.delete()
        datasets.remove(first)
        tag(sample, box, "reject")
        again = run("curate", str(place), "--from-fiftyone", "--out", str(file), "--json")
        counts = json.loads(again.stdout)
        assert (counts["new"], counts["changed"], counts["carried_on"]) == (0, 1, 3)
        assert (counts["boxes_rejected"], counts["boxes_relabelled"]) == (3, 0)
    finally:
        for dataset in datasets:
            dataset.delete()


def without_ids(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what counts rows: it moves up where a row before it is gone."""
    moved = ("annotation_id", "matched_annotation_id")
    return [{name: value for name, value in row.items() if name not in moved} for row in rows]


def test_an_image_is_relabelled_by_its_objects(
    own_database: None, drawn: Path, roots: list[str], tmp_path: Path, run: Run
) -> None:
    place, file = tmp_path / "by_image", tmp_path / "corrections.csv"
    own_copy(drawn, place)
    dataset = opened(Wanted(manifests.open(place), image_roots(roots)), QUIET).dataset
    try:
        sample = dataset.match({"source": "lvis"}).first()
        number = len(sample.objects.detections)
        tag(sample, sample, f"relabel:{NEW}")
        found = run("curate", str(place), "--from-fiftyone", "--out", str(file))
        assert found.code == 0
        assert "1 images are tagged relabel: every object of them is meant" in found.notes
        lines = file.read_text().splitlines()[1:]
        assert len(lines) == number > 1
        assert {line.split(",")[1] for line in lines} == {sample.source_image_id}
    finally:
        dataset.delete()


def test_a_manifest_that_was_never_inspected_is_told(
    own_database: None, drawn: Path, tmp_path: Path, run: Run
) -> None:
    place = tmp_path / "unseen"
    own_copy(drawn, place)
    out = tmp_path / "corrections.csv"
    found = run("curate", str(place), "--from-fiftyone", "--out", str(out))
    assert found.code == 3
    assert found.error.startswith(f"{place}: FiftyOne has nothing of it. Open it with")
    assert not out.exists()
