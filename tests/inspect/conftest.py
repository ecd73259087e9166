"""A small drawn manifest in FiftyOne's database, loaded once for all tests of the App."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import re
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from lvis_merge import manifest as manifests
from lvis_merge.demo import WorldSize, draw_world
from lvis_merge.image_roots import image_roots
from lvis_merge.manifest import Manifest
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages

_SIZE = WorldSize(train=20, val=8, test=1, coco_only=1, open_images=36)
QUIET = Stages(Console(quiet=True))


def has_fiftyone() -> bool:
    """Whether FiftyOne and its MongoDB are installed."""
    spec = importlib.util.find_spec("fiftyone")
    places = (spec.submodule_search_locations if spec else None) or []
    return any((Path(place) / "db" / "bin" / "mongod").exists() for place in places)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `manifest` and `world`; with several processes the first one makes it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if base.name.startswith("pytest-") else base.parent) / "inspect_demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest").exists():
            world = draw_world(folder / "world", seed=0, size=_SIZE)
            options = BuildOptions(
                out=folder / "manifest",
                lvis=str(world.lvis_train),
                lvis_val=str(world.lvis_val),
                coco=str(world.coco),
                openimages=str(world.openimages_dir),
                openimages_images=world.openimages_images,
                openimages_exclude=str(world.openimages_exclude),
                images=20,
            )
            build_manifest(options, QUIET)
            (folder / "options.json").write_text(json.dumps(asdict(options), default=str))
    return folder


@pytest.fixture(scope="session")
def options(drawn: Path) -> BuildOptions:
    """How `manifest` was built."""
    plain = json.loads((drawn / "options.json").read_text())
    folders = {name: Path(plain[name]) for name in ("out", "openimages_images")}
    return BuildOptions(**{**plain, **folders, "holdout": tuple(plain["holdout"])})


@pytest.fixture(scope="session")
def manifest(drawn: Path) -> Manifest:
    return manifests.open(drawn / "manifest")


@pytest.fixture(scope="session")
def roots(drawn: Path) -> list[str]:
    """Where the images of `manifest` are."""
    return [str(drawn / "world" / name) for name in ("images", "openimages_images")]


@pytest.fixture(scope="session")
def own_database(drawn: Path) -> Iterator[None]:
    """A database of the tests' own, which processes that they start share."""
    if not has_fiftyone():
        pytest.skip("FiftyOne is not installed: pip install 'lvis-merge[inspect]'")
    from lvis_merge.inspect.database import CACHE_VARIABLE, URI_VARIABLE, database

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(drawn / "cache"))
        patch.delenv(URI_VARIABLE, raising=False)
        with database():
            yield
            import fiftyone.core.odm.database as connection

            # its own tidying at the end of Python would wait for a server that is gone by then
            connection._disconnect()


@pytest.fixture
def loaded(own_database: None, manifest: Manifest, roots: list[str]):  # type: ignore[no-untyped-def]
    """The manifest in FiftyOne, all images; tests that tag or change it say so and undo it."""
    from lvis_merge.inspect.load import Wanted, opened

    return opened(Wanted(manifest, image_roots(roots)), QUIET).dataset


def chromium() -> str | None:
    """The browser of the system."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def own_copy(drawn: Path, place: Path) -> Path:
    """The drawn manifest with contents of its own: tests at once must not see each other's tags."""
    shutil.copytree(drawn / "manifest", place)
    record = place / "manifest.json"
    text = record.read_text("utf-8")
    seed = zlib.crc32(str(place).encode())
    record.write_text(re.sub(r'"seed": \d+', f'"seed": {seed}', text), "utf-8")
    return place
