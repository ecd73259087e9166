"""One small manifest for all training tests: three sources, train and val, drawn pictures."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from lvis_merge.demo import WorldSize, draw_world
from lvis_merge.demo.world import DemoWorld
from lvis_merge.image_roots import ImageRoot
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages

_SIZE = WorldSize(train=20, val=8, test=1, coco_only=1, open_images=36)
_OPEN_IMAGES = 20
_FREQUENCIES = {1: "r", 2: "r", 3: "c", 4: "c"}  # by train images; more: f


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keeps what tests cache out of the user's cache folder; processes they start inherit it."""
    folder = tmp_path_factory.mktemp("lvis_merge_cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LVIS_MERGE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory, worker_id_or_master: str) -> Path:
    """Folder with `manifest` and `world`; with several processes the first one makes it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id_or_master == "master" else base.parent
    folder = shared / "training_demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest").exists():
            _build(folder)
    return folder


@pytest.fixture(scope="session")
def worker_id_or_master(request: pytest.FixtureRequest) -> str:
    """Name of the xdist worker; `master` where there is none."""
    return getattr(request.config, "workerinput", {}).get("workerid", "master")


@pytest.fixture(scope="session")
def demo_manifest(demo_folder: Path) -> Path:
    """A manifest of some 20 LVIS train, 8 val and 20 Open Images images, COCO ignore regions."""
    return demo_folder / "manifest"


@pytest.fixture(scope="session")
def demo_image_roots(demo_folder: Path) -> list[str]:
    """Where the images of `demo_manifest` are."""
    return [str(demo_folder / "world" / name) for name in ("images", "openimages_images")]


def _build(folder: Path) -> None:
    world = draw_world(folder / "world", seed=0, size=_SIZE)
    _spread_frequencies(world)
    build_manifest(
        BuildOptions(
            out=folder / "manifest",
            lvis=str(world.lvis_train),
            lvis_val=str(world.lvis_val),
            coco=str(world.coco),
            openimages=str(world.openimages_dir),
            openimages_images=world.openimages_images,
            openimages_exclude=str(world.openimages_exclude),
            holdout=(str(world.holdout),),
            images=_OPEN_IMAGES,
        ),
        Stages(Console(quiet=True)),
        [ImageRoot(root) for root in world.image_roots],
    )


def _spread_frequencies(world: DemoWorld) -> None:
    """Has all three groups in a world where no category can reach the 101 images of f."""
    train = json.loads(world.lvis_train.read_text("utf-8"))
    groups = {
        category["id"]: _FREQUENCIES.get(category["image_count"], "f")
        for category in train["categories"]
    }
    for path in (world.lvis_train, world.lvis_val):
        document = json.loads(path.read_text("utf-8"))
        for category in document["categories"]:
            category["frequency"] = groups[category["id"]]
        path.write_text(json.dumps(document), "utf-8")
