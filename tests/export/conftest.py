"""One small manifest of three sources and three splits, with its drawn pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from lvis_merge import manifest
from lvis_merge.demo import WorldSize, draw_world
from lvis_merge.image_roots import ImageRoot
from lvis_merge.manifest import Manifest
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages

_SIZE = WorldSize(train=20, val=8, test=1, coco_only=1, open_images=36)


@dataclass(frozen=True)
class Drawn:
    """A built manifest and where its images are."""

    manifest: Manifest
    roots: list[ImageRoot]
    lvis: dict[str, Path]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("export")
    world = draw_world(folder / "world", seed=0, size=_SIZE)
    options = BuildOptions(
        out=folder / "manifest",
        lvis=str(world.lvis_train),
        lvis_val=str(world.lvis_val),
        lvis_test=str(world.lvis_test),
        coco=str(world.coco),
        openimages=str(world.openimages_dir),
        openimages_images=world.openimages_images,
        openimages_exclude=str(world.openimages_exclude),
        images=8,
    )
    build_manifest(options, quiet())
    return Drawn(
        manifest.open(folder / "manifest"),
        [ImageRoot(root) for root in world.image_roots],
        {"train": world.lvis_train, "val": world.lvis_val, "test": world.lvis_test},
    )


def quiet() -> Stages:
    """Progress that goes nowhere."""
    return Stages(Console(file=io.StringIO()))
