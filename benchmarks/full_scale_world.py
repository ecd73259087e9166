"""Generate files of the true size of LVIS v0.5, COCO train2017 and Open Images V5 (train).

    python benchmarks/full_scale_world.py FOLDER [--seed 0] [--scale 1.0] [--only coco|openimages]

writes about 3 GB into FOLDER: ``lvis_v0.5_train.json``, ``lvis_v0.5_val.json``,
``instances_train2017.json``, ``open_images/*.csv`` and ``open_images_sizes.csv``. The contents are
random, the shapes are the real ones: row counts, columns, lengths, class frequencies. One seed
gives one set of bytes (for one version of numpy). Two processes work side by side.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from world_coco import write_coco_and_lvis
from world_coco_images import coco_images
from world_open_images import write_open_images


@dataclass(frozen=True)
class World:
    """Where the files of a generated world are."""

    folder: Path

    @property
    def lvis(self) -> Path:
        """LVIS train."""
        return self.folder / "lvis_v0.5_train.json"

    @property
    def lvis_val(self) -> Path:
        """LVIS val."""
        return self.folder / "lvis_v0.5_val.json"

    @property
    def coco(self) -> Path:
        """COCO train2017."""
        return self.folder / "instances_train2017.json"

    @property
    def open_images(self) -> Path:
        """Folder of the Open Images CSV files."""
        return self.folder / "open_images"

    @property
    def sizes(self) -> Path:
        """Image sizes of Open Images."""
        return self.folder / "open_images_sizes.csv"

    @property
    def complete(self) -> Path:
        """Marker that is written last, with the seed and the scale."""
        return self.folder / "complete.txt"

    def files(self) -> list[Path]:
        """All data files."""
        files = [self.lvis, self.lvis_val, self.coco, self.sizes]
        return files + sorted(p for p in self.open_images.glob("*") if p.is_file())


def _write_openimages(folder: Path, seed: int, scale: float) -> None:
    val = coco_images(seed, scale)[2]
    write_open_images(folder / "open_images", seed, val.photos, scale)


WRITERS = {"openimages": _write_openimages, "coco": write_coco_and_lvis}


def generate(folder: Path, seed: int = 0, scale: float = 1.0, only: str | None = None) -> World:
    """Generate the world, unless the folder already holds the whole of it."""
    world = World(folder)
    made = f"seed {seed} scale {scale}\n"
    if world.complete.is_file() and world.complete.read_text("utf-8") == made:
        return world
    folder.mkdir(parents=True, exist_ok=True)
    world.complete.unlink(missing_ok=True)
    with ProcessPoolExecutor(2) as pool:
        wanted = [WRITERS[only]] if only else list(WRITERS.values())
        for task in [pool.submit(writer, folder, seed, scale) for writer in wanted]:
            task.result()
    if only is None:
        world.complete.write_text(made, "utf-8")
    return world


def main() -> None:
    """Parse the command line and generate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the true size")
    parser.add_argument("--only", choices=sorted(WRITERS), help="one half of the files")
    arguments = parser.parse_args()
    started = time.perf_counter()
    world = generate(arguments.folder, arguments.seed, arguments.scale, arguments.only)
    print(f"done in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    for path in world.files():
        if path.is_file():
            print(f"{path.stat().st_size:>14,}  {path.relative_to(world.folder)}")


if __name__ == "__main__":
    main()
