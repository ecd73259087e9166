"""Time ``lvis-merge evaluate`` with hotcoco and with lvis-api, boxes and masks.

    python benchmarks/evaluation.py [--keep FOLDER] [--images 5000] [--lvis-mask-images 1000]

300 detections an image. Each run is a whole process from start to exit: reading, checking, scoring.
lvis-api scores masks of fewer images, beside hotcoco on the same ones. A table in Markdown goes to
stdout, progress to stderr; the last column is the largest difference of any category's AP.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from evaluation_world import World
from full_scale import TIMINGS, Run, machine, measure

BACKENDS = ("hotcoco", "lvis")


def main() -> None:
    """Make the files, run both backends, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder for the files (1 GB); kept")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--lvis-mask-images", type=int, default=1000)
    parser.add_argument("--only", choices=BACKENDS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        worlds = {images: made(folder, images) for images in
                  dict.fromkeys((arguments.images, arguments.lvis_mask_images))}  # fmt: skip
        print(f"{machine()}; 300 detections an image\n")
        print("| | images | backend | wall s | CPU s | peak RSS GiB | AP differs by |")
        print("|---|---:|---|---:|---:|---:|---:|")
        jobs = [("boxes", arguments.images, backend) for backend in BACKENDS]
        jobs += [("masks", arguments.images, "hotcoco")]
        jobs += [("masks", arguments.lvis_mask_images, backend) for backend in BACKENDS]
        for kind, images, backend in dict.fromkeys(jobs):
            if arguments.only in (None, backend):
                place = folder / f"{images}"
                run = timed(worlds[images], kind, backend, place)
                difference = differs(place, kind) if backend == "lvis" else ""
                print(f"| {kind} | {images:,} | {backend} | {run.wall_s:.1f} | {run.cpu_s:.1f} |"
                      f" {run.peak_rss_mb / 1024:.2f} | {difference} |", flush=True)  # fmt: skip


def made(folder: Path, images: int) -> World:
    """The files of a world, made where they are absent."""
    place = folder / f"{images}"
    # in a process of its own: a child starts with its parent's peak memory as its own
    generator = Path(__file__).with_name("evaluation_world.py")
    subprocess.run([sys.executable, str(generator), str(place), f"--images={images}"], check=True)
    return World.at(place)


def timed(world: World, kind: str, backend: str, place: Path) -> Run:
    """One evaluation."""
    results = world.boxes if kind == "boxes" else world.masks
    name = f"{kind}.{backend}"
    stages = place / f"{name}.stages.jsonl"
    stages.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "lvis_merge", "evaluate", str(results),
        f"--annotations={world.truth}", f"--backend={backend}", f"--csv={place / f'{name}.csv'}",
    ]  # fmt: skip
    return measure(command, place / f"{name}.log", {TIMINGS: str(stages)})


def differs(place: Path, kind: str) -> str:
    """The largest difference between the backends in the AP of a category."""
    column = f"{'bbox' if kind == 'boxes' else 'segm'}_AP"
    found = []
    for backend in BACKENDS:
        path = place / f"{kind}.{backend}.csv"
        if not path.is_file():
            return ""
        with path.open(newline="", encoding="utf-8") as file:
            found.append([float(row[column]) for row in csv.DictReader(file)])
    return f"{max(abs(a - b) for a, b in zip(*found, strict=True)):.1e}"


if __name__ == "__main__":
    main()
