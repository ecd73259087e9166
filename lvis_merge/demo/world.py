"""Where a demo world's files lie, whichever world it is."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError

MARKER = "world.json"
_OWN_FOLDERS = ("annotations", "images", "maps", "openimages", "openimages_images")


@dataclass(frozen=True)
class DemoWorld:
    """Paths of a drawn world, named as the command line names its options.

    Attributes:
        folder: all below is in it.
        seed: the one it was drawn from.
        lvis_train: `build --lvis`.
        lvis_val: `build --lvis-val`.
        lvis_test: `build --lvis-test` (images and categories only).
        coco: `build --coco`, in the form of `instances_train2017.json`.
        openimages_dir: `build --openimages`, the CSVs under their V5 names.
        openimages_images: `build --openimages-images`; holds `train/`, `validation/`.
        openimages_sizes: `build --openimages-sizes`.
        openimages_exclude: `build --openimages-exclude`.
        holdout: `build --holdout`, a CSV of Open Images ids.
        image_root: `--image-root`; holds `train2017/`, `val2017/`, `test2017/`.
    """

    folder: Path
    seed: int
    lvis_train: Path
    lvis_val: Path
    lvis_test: Path
    coco: Path
    openimages_dir: Path
    openimages_images: Path
    openimages_sizes: Path
    openimages_exclude: Path
    holdout: Path
    image_root: Path

    @property
    def image_roots(self) -> tuple[Path, Path]:
        """The folders in which a manifest's `file_name` resolves."""
        return self.image_root, self.openimages_images


def world_at(folder: Path, seed: int) -> DemoWorld:
    """The layout of every world below a folder; nothing is read or written."""
    annotations = folder / "annotations"
    openimages = folder / "openimages"
    return DemoWorld(
        folder=folder,
        seed=seed,
        lvis_train=annotations / "lvis_demo_train.json",
        lvis_val=annotations / "lvis_demo_val.json",
        lvis_test=annotations / "lvis_demo_image_info_test.json",
        coco=annotations / "instances_train2017.json",
        openimages_dir=openimages,
        openimages_images=folder / "openimages_images",
        openimages_sizes=annotations / "openimages_sizes.csv",
        openimages_exclude=annotations / "openimages_exclude.csv",
        holdout=annotations / "holdout.csv",
        image_root=folder / "images",
    )


def start_drawing(world: DemoWorld, name: str) -> None:
    """Make the folder ready: an earlier world in it goes, anything else stops the drawing.

    Args:
        world: where to draw.
        name: of the world, kept in the marker file.

    Raises:
        InputError: the path is a file, or a folder with files that no world has written.
    """
    folder = world.folder
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file. Name a folder for the demo world.")
    ours = (folder / MARKER).is_file()
    if folder.is_dir() and not ours and any(folder.iterdir()):
        raise InputError(
            f"{folder}: holds files that no demo world wrote, and they are left alone. "
            "Name an empty or a new folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    _mark(world, name, complete=False)
    for own in _OWN_FOLDERS:
        shutil.rmtree(folder / own, ignore_errors=True)
    for subset in ("train2017", "val2017", "test2017"):
        (world.image_root / subset).mkdir(parents=True)
    for subset in ("train", "validation"):
        (world.openimages_images / subset).mkdir(parents=True)
    world.lvis_train.parent.mkdir()
    world.openimages_dir.mkdir()


def finish_drawing(world: DemoWorld, name: str) -> None:
    """Mark the world as complete, the very last thing that is written."""
    _mark(world, name, complete=True)


def _mark(world: DemoWorld, name: str, complete: bool) -> None:
    state = {"world": name, "seed": world.seed, "complete": complete}
    (world.folder / MARKER).write_text(json.dumps(state) + "\n", encoding="utf-8")
