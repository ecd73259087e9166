"""The road-map world through the tool itself: maps, manifests of every kind, the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lvis_merge.demo import RoadMapDesign, RoadMapWorld
from lvis_merge.labelmap.check import check_map
from lvis_merge.manifest.validate import validate
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from tests.cli.command import Run, run
from tests.demo.road_map_truth import SMALL, Truth

__all__ = ["run"]


def built(out: Path, **options: Any) -> Path:
    build_manifest(BuildOptions(out=out, **options))
    assert validate(out) == []
    return out


def test_both_maps_pass_every_lint(road_map: RoadMapWorld) -> None:
    classes = road_map.openimages_dir / "class-descriptions-boxable.csv"
    assert check_map(road_map.mapping, [road_map.lvis_train], classes) == []
    assert check_map(road_map.mapping) == []
    assert check_map(road_map.coco_mapping, [road_map.lvis_train]) == []
    assert check_map(road_map.coco_mapping) == []


def test_the_whole_merge_is_valid_and_coco_regions_are_partly_matched(
    road_map: RoadMapWorld, truth: Truth, tmp_path: Path
) -> None:
    out = built(
        tmp_path / "all",
        lvis=str(road_map.lvis_train),
        lvis_val=str(road_map.lvis_val),
        coco=str(road_map.coco),
        coco_mapping=str(road_map.coco_mapping),
        openimages=str(road_map.openimages_dir),
        openimages_sizes=str(road_map.openimages_sizes),
        mapping=str(road_map.mapping),
        images=None,
    )
    record = json.loads((out / "manifest.json").read_text("utf-8"))
    assert record["lvis_version"] == "custom"
    kinds = [kind for kinds in record["counts"].values() for kind in kinds.values()]
    assert {rule for kind in kinds for rule in kind["dropped"]} == {"not_on_an_lvis_image"}
    assert sum(kind["rejected"] for kind in kinds) == 0
    rows = pq.read_table(out / "annotations.parquet")
    reasons = {
        row["values"]: row["counts"] for row in rows["ignore_reason"].value_counts().to_pylist()
    }
    assert {"coco_box", "crowd", "unmapped", "group_of", "depiction"} <= set(reasons)
    # LVIS's objects of the classes that COCO has for itself are found again, and no others
    own = {cls.lvis_id for cls in truth.classes.values() if cls.coco_is_own}
    lvis = rows.filter(pc.equal(rows["source"], "lvis"))
    train = {one.image_id for one in truth.shelves["train"]}
    mine = sum(
        category in own and image in train
        for category, image in zip(
            lvis["category_id"].to_pylist(), lvis["image_id"].to_pylist(), strict=True
        )
    )
    matched = rows["matched_annotation_id"].drop_null().unique()
    assert 0.97 * mine <= len(matched) <= mine
    # the tail gains images, the head none
    categories = pq.read_table(out / "categories.parquet").to_pylist()
    tail = {cls.lvis_id for cls in truth.classes.values() if cls.is_tail}
    for row in categories:
        gained = row["image_count"] - row["image_count_lvis"]
        assert (gained > 0) == (row["category_id"] in tail), row["name"]


def test_an_expert_on_coco_alone(road_map: RoadMapWorld, tmp_path: Path) -> None:
    out = built(
        tmp_path / "coco",
        coco=str(road_map.coco),
        label_space="coco",
        holdout=(str(road_map.lvis_val),),
    )
    assert pq.read_table(out / "categories.parquet").num_rows == SMALL.coco_own + 8


def test_an_expert_on_open_images_alone(road_map: RoadMapWorld, tmp_path: Path) -> None:
    out = built(
        tmp_path / "open_images",
        openimages=str(road_map.openimages_dir),
        openimages_sizes=str(road_map.openimages_sizes),
        mapping=str(road_map.mapping),
        images=None,
        label_space="open_images",
    )
    assert pq.read_table(out / "categories.parquet").num_rows == 48
    splits = pq.read_table(out / "images.parquet")["split"].unique().to_pylist()
    assert sorted(splits) == ["train", "val"]


def test_both_val_files_take_results(road_map: RoadMapWorld, run: Run, tmp_path: Path) -> None:
    annotations = json.loads(road_map.lvis_val.read_text("utf-8"))["annotations"]
    perfect = [
        {key: annotation[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9}
        for annotation in annotations
    ]
    # one false detection an image: of a category that federated evaluation mostly knows nothing of
    images = {annotation["image_id"] for annotation in annotations}
    shown = {(a["image_id"], a["category_id"]) for a in annotations}
    false = [
        {"image_id": image, "category_id": category, "bbox": [1, 1, 20, 20], "score": 0.95}
        for image in sorted(images)
        for category in range(1, 97, 8)
        if (image, category) not in shown
    ]
    results = tmp_path / "results.json"
    results.write_text(json.dumps(perfect + false))
    found = {}
    for path in (road_map.lvis_val, road_map.lvis_val_exhaustive):
        answer = run("evaluate", str(results), "--annotations", str(path), "--json")
        assert answer.code == 0, answer.stderr
        found[path.stem] = json.loads(answer.stdout)["bbox"]["AP"]
    assert found["lvis_val_exhaustive"] < found["lvis_val"] < 100


def test_the_command_draws_and_builds_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the command's own small world takes ten seconds
    monkeypatch.setattr(RoadMapDesign, "small", lambda: SMALL)
    out = tmp_path / "road_map"
    found = run("demo", "--world", "road-map", "--small", "--seed", "1", "--out", str(out))
    assert (found.code, found.error) == (0, "")
    assert found.stdout.endswith(f"{out}: valid (0 warnings)\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["road_map", "road_map_world"]
    record = json.loads((out / "manifest.json").read_text("utf-8"))
    assert record["seed"] == 1
    assert record["counts"]["open_images"]["image"]["kept"] == SMALL.open_images


@pytest.mark.parametrize(
    "options",
    [
        ("--world", "flat"),  # no such world
        ("--world", "long-tail", "--small"),  # it has one size
    ],
)
def test_worlds_that_are_not_to_be_had_end_with_2(run: Run, options: tuple[str, ...]) -> None:
    assert run("demo", *options).code == 2
