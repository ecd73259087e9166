"""Time ``lvis-merge ensemble`` on three pools of 5,000 images with 1,000 detections each.

    python benchmarks/ensemble.py [--keep FOLDER] [--images 5000] [--fusion nms wbf]

Fits on the generated ground truth, then applies the fit with ``--params``, each a whole process
from start to exit. A table in Markdown goes to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from ensemble_world import World, make_world
from full_scale import Run, measure


def main() -> None:
    """Make the files, run the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder for the files (1.1 GB); kept")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--fusion", nargs="+", default=["nms", "wbf"], choices=["nms", "wbf"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print("making the files", file=sys.stderr)
        world = make_world(folder, arguments.images)
        rows = []
        for fusion in arguments.fusion:
            for name, run in time_fusion(world, folder, fusion).items():
                rows.append(f"| {name} | {run.wall_s:.0f} | {run.cpu_s:.0f} |"
                            f" {run.peak_rss_mb / 1024:.2f} |")  # fmt: skip
        print(f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()},"
              f" {arguments.images:,} images\n")  # fmt: skip
        print("| | wall s | CPU s | peak RSS GiB |\n|---|---:|---:|---:|")
        print("\n".join(rows))


def time_fusion(world: World, folder: Path, fusion: str) -> dict[str, Run]:
    """A fit, and its parameters applied to the same pools."""
    command = [sys.executable, "-m", "lvis_merge", "ensemble", *map(str, world.pools)]
    report = folder / f"{fusion}.fit.json"
    runs = {
        f"--fit-on, {fusion}": [
            *command, f"--fit-on={world.truth}", f"--fusion={fusion}", f"--report={report}",
            f"--out={folder / f'{fusion}.json'}",
        ],
        f"--params, {fusion}": [
            *command, f"--params={report}", f"--out={folder / f'{fusion}_applied.json'}",
        ],
    }  # fmt: skip
    found = {}
    for name, arguments in runs.items():
        print(name, file=sys.stderr)
        timings = {"LVIS_MERGE_TIMINGS": str(folder / f"{fusion}_stages.jsonl")}
        found[name] = measure(arguments, folder / f"{fusion}.log", timings)
    return found


if __name__ == "__main__":
    main()
