"""Time ``lvis-merge ensemble`` on three pools of 5,000 images with 1,000 detections each.

    python benchmarks/ensemble.py [--keep FOLDER] [--images 5000] [--fusion nms wbf]

Fits on the generated ground truth, then applies the fit with ``--params``, each a whole process
from start to exit. Tables in Markdown go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from ensemble_world import World
from full_scale import TIMINGS, Run, machine, measure, read_stages, stage_table


def main() -> None:
    """Make the files, run the commands, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder for the files (0.4 GB); kept")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--fusion", nargs="+", default=["nms", "wbf"], choices=["nms", "wbf"])
    parser.add_argument("--only", choices=["fit", "params"], help="params: needs an earlier fit")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        # in a process of its own: a child starts with its parent's peak memory as its own
        generator = Path(__file__).with_name("ensemble_world.py")
        options = [str(folder), f"--images={arguments.images}"]
        subprocess.run([sys.executable, str(generator), *options], check=True)
        print(f"{machine()}; {arguments.images:,} images\n")
        print("| | wall s | CPU s | peak RSS GiB |\n|---|---:|---:|---:|")
        stages = []
        for fusion in arguments.fusion:
            for name, command in commands(World.at(folder), folder, fusion).items():
                if arguments.only in (None, name):
                    log = folder / f"{fusion}.{name}.stages.jsonl"
                    run = timed(command, log)
                    print(row(f"`--{'fit-on' if name == 'fit' else name}`, {fusion}", run))
                    sys.stdout.flush()
                    stages.append((f"{name}, {fusion}", read_stages(log)))
        for name, steps in stages:
            print(f"\n{name}:\n\n{stage_table([steps])}")


def commands(world: World, folder: Path, fusion: str) -> dict[str, list[str]]:
    """A fit, and its parameters applied to the same pools."""
    command = [sys.executable, "-m", "lvis_merge", "ensemble", *map(str, world.pools)]
    report = folder / f"{fusion}.fit.json"
    return {
        "fit": [
            *command, f"--fit-on={world.truth}", f"--fusion={fusion}", f"--report={report}",
            f"--out={folder / f'{fusion}.json'}",
        ],
        "params": [*command, f"--params={report}", f"--out={folder / f'{fusion}_applied.json'}"],
    }  # fmt: skip


def timed(command: list[str], stages: Path) -> Run:
    """Runs a command; its log lies beside that of its stages."""
    stages.unlink(missing_ok=True)
    return measure(command, stages.with_suffix(".log"), {TIMINGS: str(stages)})


def row(name: str, run: Run) -> str:
    """A line of the table."""
    return f"| {name} | {run.wall_s:.0f} | {run.cpu_s:.0f} | {run.peak_rss_mb / 1024:.2f} |"


if __name__ == "__main__":
    main()
