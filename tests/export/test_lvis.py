"""LVIS in, LVIS out: what came from LVIS comes back as it was, and its readers take the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lvis import LVIS

from lvis_merge import manifest
from lvis_merge.export.options import BoxOnly, Format
from lvis_merge.manifest import Manifest
from lvis_merge.pipeline.options import BuildOptions
from tests.export.conftest import Drawn
from tests.export.detectron2_rules import records
from tests.export.exporting import export_to, read_json
from tests.manifest.other_spaces import coco_small, open_images_small
from tests.manifest.small import small
from tests.pipeline.running import build_quietly, table_bytes
from tests.pipeline.test_real_sample import LVIS as SAMPLE
from tests.pipeline.test_reference_worlds import build_options
from tests.worlds import make_world

WORLDS = (
    0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 20, 21, 22, 24, 25, 29, 31, 32, 33, 35,
)  # fmt: skip
"""Seeds of worlds in label space lvis."""

LVIS_TABLES = ("images", "annotations", "categories")


def by_id(rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in rows}


def as_float32(annotation: dict[str, Any]) -> dict[str, Any]:
    """With the digits that a float32 can hold."""

    def rounded(values: list[float]) -> list[float]:
        return [float(np.format_float_positional(np.float32(v), unique=True)) for v in values]

    parts = [rounded(part) for part in annotation["segmentation"]]
    return {**annotation, "bbox": rounded(annotation["bbox"]), "segmentation": parts}


def same_document(found: dict[str, Any], published: dict[str, Any]) -> None:
    """Equal in all that either says, whatever the order of the rows."""
    for name in ("info", "licenses", "categories"):
        assert found.get(name) == published.get(name)
    assert by_id(found["images"]) == by_id(published["images"])
    assert by_id(found["annotations"]) == {
        row["id"]: as_float32(row) for row in published["annotations"]
    }


@pytest.fixture(scope="module")
def exported(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lvis") / "out"
    export_to(drawn.manifest, out, Format.lvis)
    return out


def test_the_lvis_part_of_a_merge_is_the_published_file(drawn: Drawn, exported: Path) -> None:
    found = read_json(exported / "lvis_train.json")
    published = read_json(drawn.lvis["train"])
    ours = {image["id"] for image in published["images"]}
    kept = {image["id"] for image in found["images"]} & ours
    for name, key in (("images", "id"), ("annotations", "image_id")):
        found[name] = [row for row in found[name] if row[key] in ours]
        published[name] = [row for row in published[name] if row[key] in kept]
    same_document(found, published)


def test_val_is_the_published_file(drawn: Drawn, exported: Path) -> None:
    found, published = read_json(exported / "lvis_val.json"), read_json(drawn.lvis["val"])
    # one list of categories serves all splits: the train file's counts
    for document in (found, published):
        for row in document["categories"]:
            del row["image_count"], row["instance_count"]
    same_document(found, published)


def test_test_has_images_and_no_annotations(drawn: Drawn, exported: Path) -> None:
    found = read_json(exported / "lvis_test.json")
    assert found["annotations"] == []
    ids = {row["id"] for row in read_json(drawn.lvis["test"])["images"]}
    assert {row["id"] for row in found["images"]} == ids
    LVIS(str(exported / "lvis_test.json"))


def test_ignore_regions_are_no_annotations(drawn: Drawn, exported: Path) -> None:
    rows = drawn.manifest.annotations.to_pylist()
    assert any(row["role"] == "ignore" for row in rows)
    written = sum(len(read_json(path)["annotations"]) for path in sorted(exported.glob("*.json")))
    assert written == sum(row["role"] == "object" for row in rows)


def test_other_sources_say_where_they_come_from(drawn: Drawn, exported: Path) -> None:
    document = read_json(exported / "lvis_train.json")
    images = [row for row in document["images"] if row.get("source") == "open_images"]
    objects = [row for row in document["annotations"] if row.get("source") == "open_images"]
    assert images
    assert objects
    assert all(
        {"file_name", "license_url", "author", "landing_url"} <= row.keys() for row in images
    )
    assert all(row["segmentation"] == [] for row in objects)
    published = {int(r["id"]) for r in read_json(drawn.lvis["train"])["annotations"]}
    # numbered above the published ids
    assert min(row["id"] for row in objects) > max(published)
    names = {
        row["source_annotation_id"]
        for row in drawn.manifest.annotations.to_pylist()
        if (row["source"], row["role"]) == ("open_images", "object")
    }
    assert {row["source_annotation_id"] for row in objects} == names


def test_lvis_api_reads_it(drawn: Drawn, exported: Path) -> None:
    lvis = LVIS(str(exported / "lvis_val.json"))
    rows = [
        row
        for row in drawn.manifest.annotations.to_pylist()
        if str(row["source_annotation_id"]) in {str(i) for i in lvis.get_ann_ids()}
        and row["image_id"] in lvis.imgs
    ]
    assert len(rows) == len(lvis.anns)
    for row in rows:
        mask = lvis.ann_to_mask(lvis.anns[int(row["source_annotation_id"])])
        # its mask is where the box is
        x, y, _, h = row["bbox"]
        ys, xs = np.nonzero(mask)
        assert abs(xs.min() - x) <= 2.5
        assert abs(ys.max() - (y + h)) <= 2.5
        assert mask.shape == (lvis.imgs[row["image_id"]]["height"], mask.shape[1])


def test_detectron2_reads_it(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    of_val = records(LVIS(str(exported / "lvis_val.json")))
    files = {row["image_id"]: row["file_name"] for row in drawn.manifest.images.to_pylist()}
    assert {row["file"] for row in of_val} <= set(files.values())
    # box-only objects need one of the two options
    with pytest.raises(AssertionError):
        records(LVIS(str(exported / "lvis_train.json")))
    for choice in (BoxOnly.rectangle, BoxOnly.drop):
        path = tmp_path / f"{choice.value}.json"
        export_to(drawn.manifest, path, Format.lvis, splits=["train"], box_only=choice)
        of_train = records(LVIS(str(path)))
        assert {row["file"] for row in of_train} <= set(files.values())


@pytest.mark.parametrize("seed", WORLDS)
def test_building_an_export_again_gives_the_same_tables(seed: int, tmp_path: Path) -> None:
    """build(export(build(x))) == build(x) for what is LVIS's, on worlds with odd rows."""
    options = make_world(seed, tmp_path / "world").options
    assert options.label_space == "lvis"
    drawn = build_options(options, tmp_path / "first")
    given = {
        "lvis": drawn.lvis, "lvis_val": drawn.lvis_val, "lvis_test": drawn.lvis_test,
    }  # fmt: skip
    build_quietly(BuildOptions(out=tmp_path / "first", max_rejects="1000", **given))
    first = manifest.open(tmp_path / "first")
    export_to(first, tmp_path / "lvis", Format.lvis)
    again = {
        name: str(path)
        for name, split in (("lvis", "train"), ("lvis_val", "val"), ("lvis_test", "test"))
        if (path := tmp_path / "lvis" / f"lvis_{split}.json").exists()
    }
    build_quietly(BuildOptions(out=tmp_path / "second", **again))
    second = manifest.open(tmp_path / "second")
    assert second.rejects.num_rows == 0
    same = LVIS_TABLES if not _held_out(first) else LVIS_TABLES[:2]
    assert table_bytes(first.path, same) == table_bytes(second.path, same)
    assert first.record.splits == second.record.splits


def _held_out(built: Manifest) -> bool:
    """Whether train images were left out: LVIS's own counts are those before."""
    return any(count.dropped.get("holdout") for count in built.record.counts["lvis"].values())


@pytest.mark.skipif(not SAMPLE.is_file(), reason=f"{SAMPLE} is not there")
def test_real_rows_come_back_to_the_digit(tmp_path: Path) -> None:
    build_quietly(BuildOptions(out=tmp_path / "first", lvis=str(SAMPLE)))
    first = manifest.open(tmp_path / "first")
    out = tmp_path / "lvis.json"
    export_to(first, out, Format.lvis)
    found, published = read_json(out), read_json(SAMPLE)
    for name in ("info", "licenses", "categories"):
        assert found[name] == published[name]
    for name in ("images", "annotations"):  # digits: not even rounded to float32
        assert by_id(found[name]) == by_id(published[name])
    assert records(LVIS(str(out)))
    build_quietly(BuildOptions(out=tmp_path / "second", lvis=str(out)))
    second = manifest.open(tmp_path / "second")
    assert table_bytes(first.path) == table_bytes(second.path)


def test_bitmaps_are_run_lengths(tmp_path: Path) -> None:
    built = manifest.open(small().write(tmp_path / "m"))
    masked = [row for row in built.annotations.to_pylist() if row["mask_rle"]]
    assert masked
    export_to(built, tmp_path / "lvis", Format.lvis)
    lvis = LVIS(str(tmp_path / "lvis" / "lvis_train.json"))
    found = [row for row in lvis.anns.values() if isinstance(row["segmentation"], dict)]
    assert [row["segmentation"]["counts"] for row in found] == [r["mask_rle"] for r in masked]
    for row in found:
        assert lvis.ann_to_mask(row).sum() == row["area"]


@pytest.mark.parametrize("make", [coco_small, open_images_small], ids=["coco", "open_images"])
def test_other_label_spaces_have_the_groups_after_the_merge(make: Any, tmp_path: Path) -> None:
    built = manifest.open(make().write(tmp_path / "m"))
    export_to(built, tmp_path / "lvis", Format.lvis)
    lvis = LVIS(str(tmp_path / "lvis" / "lvis_train.json"))
    assert {row["frequency"] for row in lvis.cats.values()} == {"r"}
    assert all("synset" not in row and "image_count" in row for row in lvis.cats.values())
    objects = [row for row in built.annotations.to_pylist() if row["role"] == "object"]
    assert len(lvis.anns) == len([r for r in objects if r["image_id"] in lvis.imgs])
    if built.record.label_space == "coco":  # published ids there too
        assert set(lvis.anns) == {2, 10}
