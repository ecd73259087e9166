from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.training.data import ManifestDataset
from tests.training.small_manifest import SmallManifest, write_small_manifest

LOAD = [{"type": "LoadManifestImage"}, {"type": "LoadManifestAnnotations"}]
PACK = [{"type": "PackManifestInputs"}]

Open = Callable[..., ManifestDataset]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallManifest:
    return write_small_manifest(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def open_small(small: SmallManifest, cache: Path) -> Open:
    """Opens the small manifest with some transforms between loading and packing."""

    def run(transforms: Any = (), **options: Any) -> ManifestDataset:
        given = {
            "image_roots": [str(small.root)],
            "pipeline": [*LOAD, *transforms, *PACK],
            "cache_dir": cache,
        }
        return ManifestDataset(small.manifest, **given | options)

    return run


@pytest.fixture(scope="session")
def open_demo(demo_manifest: Path, demo_image_roots: list[str], cache: Path) -> Open:
    """Opens the drawn world with some transforms between loading and packing."""

    def run(transforms: Any = (), **options: Any) -> ManifestDataset:
        given = {
            "image_roots": demo_image_roots,
            "pipeline": [*LOAD, *transforms, *PACK],
            "cache_dir": cache,
        }
        return ManifestDataset(demo_manifest, **given | options)

    return run
