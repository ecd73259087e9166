"""The Hugging Face folder: `datasets` loads it, with its features, and gives back every row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lvis_merge import manifest
from lvis_merge.export.options import Format
from lvis_merge.manifest import Tables, write_manifest
from lvis_merge.manifest.schema import CATEGORIES
from tests.export.conftest import Drawn
from tests.export.exporting import contents, export_to
from tests.manifest.small import small, table

datasets = pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def load(folder: Path, tmp_path: Path) -> Any:
    return datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def exported(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hf") / "out"
    export_to(drawn.manifest, out, Format.huggingface, image_roots=drawn.roots)
    return out


def test_every_row_comes_back(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    loaded = load(exported, tmp_path)
    ids = drawn.manifest.categories["category_id"].to_pylist()
    rows = drawn.manifest.annotations.to_pylist()
    images = {row["image_id"]: row for row in drawn.manifest.images.to_pylist()}
    assert set(loaded) == {"train", "val", "test"}
    for split, found in loaded.items():
        plain = found.cast_column("image", datasets.Image(decode=False))
        of_split = [row for row in images.values() if row["split"] == split]
        assert plain["image_id"][:] == [row["image_id"] for row in of_split]
        for row in plain:
            ours = images[row["image_id"]]
            for name in ("width", "height", "file_name", "license", "author"):
                assert row[name] == ours[name]
            for name in ("neg_category_ids", "not_exhaustive_category_ids", "pos_category_ids"):
                assert row[name] == ours[name]
            for name, role in (("objects", "object"), ("ignore_regions", "ignore")):
                expected = [
                    one for one in rows if (one["image_id"], one["role"]) == (row["image_id"], role)
                ]
                assert len(row[name]) == len(expected)
                for box, one in zip(row[name], expected, strict=True):
                    assert {key: one[key] for key in box if key != "category"} == {
                        key: value for key, value in box.items() if key != "category"
                    }
                    known = one["category_id"] is not None
                    assert box["category"] == (ids.index(one["category_id"]) if known else None)


def test_categories_are_class_labels(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    features = load(exported, tmp_path)["train"].features
    label = features["objects"].feature["category"]
    assert isinstance(label, datasets.ClassLabel)
    assert label.names == drawn.manifest.categories["name"].to_pylist()
    assert isinstance(features["image"], datasets.Image)


def test_images_are_decoded_by_path(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    for row in load(exported, tmp_path)["val"]:
        assert row["image"].size == (row["width"], row["height"])


def test_without_roots_paths_are_relative_and_not_decoded(drawn: Drawn, tmp_path: Path) -> None:
    export_to(drawn.manifest, tmp_path / "out", Format.huggingface, splits=["val"])
    for row in load(tmp_path / "out", tmp_path)["val"]:
        assert row["image"] == {"bytes": None, "path": row["file_name"]}


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    """`datasets` refuses two classes of one name."""
    made = small()
    rows = made.tables.categories.to_pylist()
    rows[0]["name"] = rows[1]["name"] = "cup"
    old = made.tables
    tables = Tables(old.images, old.annotations, table(CATEGORIES, rows), old.rejects)
    write_manifest(tmp_path / "m", tables, made.record, made.maps)
    export_to(manifest.open(tmp_path / "m"), tmp_path / "out", Format.huggingface)
    features = load(tmp_path / "out", tmp_path)["train"].features
    assert features["objects"].feature["category"].names[:2] == ["cup (1)", "cup (2)"]


def test_boxes_are_float32_and_masks_lists(exported: Path, tmp_path: Path) -> None:
    rows = load(exported, tmp_path)["train"].data.table["objects"].combine_chunks()
    members = rows.type.value_type
    assert members.field("bbox").type == pa.list_(pa.float32(), 4)
    assert members.field("segmentation").type == pa.list_(pa.list_(pa.float32()))
    assert np.isfinite(rows.flatten().field("area").to_numpy()).all()


def test_equal_exports_are_equal(drawn: Drawn, exported: Path, tmp_path: Path) -> None:
    export_to(drawn.manifest, tmp_path / "out", Format.huggingface, image_roots=drawn.roots)
    assert contents(tmp_path / "out") == contents(exported)
