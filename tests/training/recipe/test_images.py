"""Missing images are found before training, and named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.training.recipe.images import MissingImages, check_images, missing_images
from lvis_merge.training.recipe.stack import import_stack


@pytest.fixture(scope="module", autouse=True)
def stack() -> None:
    """Names of our classes mean something."""
    import_stack()


@pytest.fixture
def some_roots(demo_image_roots: list[str], tmp_path: Path) -> list[str]:
    """Copies of the image roots, to take images from."""
    copies = []
    for place, root in enumerate(demo_image_roots):
        shutil.copytree(root, tmp_path / str(place))
        copies.append(str(tmp_path / str(place)))
    return copies


def config(manifest: Path, roots: list[str], **dataset: Any) -> Config:
    data = {"type": "ManifestDataset", "manifest": str(manifest), "image_roots": roots}
    return Config(
        {
            "manifest": str(manifest),
            "image_roots": roots,
            "train_dataloader": {"dataset": {**data, "split": "train", **dataset}},
            "val_dataloader": {"dataset": {**data, "split": "val", "test_mode": True}},
        }
    )


def paths(manifest: Path, roots: list[str], source: str, split: str) -> list[Path]:
    rows = manifests.open(manifest).arrow("images", ["file_name", "source", "split"]).to_pylist()
    names = [row["file_name"] for row in rows if (row["source"], row["split"]) == (source, split)]
    found = [Path(root) / name for name in names for root in roots]
    return [path for path in found if path.is_file()]


def told(manifest: Path, roots: list[str], **dataset: Any) -> list[str]:
    lines: list[str] = []
    check_images(config(manifest, roots, **dataset), lines.append)
    return lines


def test_all_there(demo_manifest: Path, demo_image_roots: list[str]) -> None:
    assert told(demo_manifest, demo_image_roots) == []


def test_no_roots(demo_manifest: Path) -> None:
    with pytest.raises(InputError, match="give --image-root DIR"):
        told(demo_manifest, [])


def test_a_source_without_its_root(demo_manifest: Path, demo_image_roots: list[str]) -> None:
    with pytest.raises(InputError) as error:
        told(demo_manifest, demo_image_roots[:1])
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("open_images: 20 of 20 images are missing: train/")
    assert lines[0].endswith(", …")
    assert lines[1].startswith(f"Looked in {demo_image_roots[0]}. Correct --image-root")
    # bound to another source it is not looked in
    with pytest.raises(InputError, match="open_images: 20 of 20"):
        told(demo_manifest, [demo_image_roots[0], f"lvis={demo_image_roots[1]}"])


def test_one_val_image(demo_manifest: Path, some_roots: list[str]) -> None:
    lost = paths(demo_manifest, some_roots, "lvis", "val")[2]
    lost.unlink()
    with pytest.raises(InputError) as error:
        told(demo_manifest, some_roots)
    name = f"{lost.parent.name}/{lost.name}"
    assert str(error.value).startswith(f"lvis: 1 of 8 images are missing: {name}\n")


def test_a_source_that_is_not_trained_on(demo_manifest: Path, demo_image_roots: list[str]) -> None:
    assert told(demo_manifest, demo_image_roots[:1], sources=["lvis"]) == []


def test_images_that_may_be_missing(demo_manifest: Path, some_roots: list[str]) -> None:
    paths(demo_manifest, some_roots, "lvis", "train")[0].unlink()
    lines = told(demo_manifest, some_roots, on_missing="skip")
    assert len(lines) == 1
    assert "1 of" in lines[0]
    assert lines[0].endswith("left out, as on_missing says")
    # but not all of a source
    for path in paths(demo_manifest, some_roots, "open_images", "train"):
        path.unlink()
    with pytest.raises(InputError, match="open_images: 20 of 20 images are missing"):
        told(demo_manifest, some_roots, on_missing="skip")


def test_a_sample_is_spread_over_each_source(
    demo_manifest: Path, demo_image_roots: list[str], tmp_path: Path
) -> None:
    rows = manifests.open(demo_manifest).arrow("images", ["image_id", "source", "file_name"])
    ids = rows["image_id"].to_numpy()
    found = missing_images(str(demo_manifest), ids, [str(tmp_path)], sample=3)
    for entry in found:
        names = rows.filter(np.array(rows["source"].to_pylist()) == entry.source)["file_name"]
        assert (entry.looked_for, entry.images) == (3, len(names))
        # the first, the middle, the last
        places = [0, round((len(names) - 1) / 2), len(names) - 1]
        assert entry.names == tuple(names[place].as_py() for place in places)
    assert [entry.source for entry in found] == ["lvis", "open_images"]
    assert missing_images(str(demo_manifest), ids, demo_image_roots, sample=3) == []


def test_the_line() -> None:
    names = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    assert str(MissingImages("lvis", 1000, 57_263, names)) == (
        "lvis: 4 of 1,000 images looked for (of 57,263) are missing: a.jpg, b.jpg, c.jpg, …"
    )
