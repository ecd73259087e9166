"""How `lvis-merge build` grows with the Open Images files, the selection and the rest fixed.

    python benchmarks/growth.py [--scales 0.125 0.25 0.5 1 2 4] [--rounds 2] [--engine native|ray]

For each scale the Open Images files are made at that share of their true size (14.6 million boxes)
and built with by whole processes; LVIS and COCO stay at 2% of theirs. Tables in Markdown go to
stdout, progress to stderr. The files take some 3 GB per unit of scale; each scale deletes its own.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from full_scale import TIMINGS, Run, machine, measure, read_stages, spread, warm_up
from full_scale_world import World
from world_vocabularies import OPEN_IMAGES_BOXES

OTHERS_SCALE = 0.02
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
ALLOWED = 0.15
"""Share by which a build's time may differ from the line through all of them."""


@dataclass(frozen=True)
class Point:
    """The builds at one scale.

    Attributes:
        scale: share of the true size.
        boxes: rows of the box file.
        input_bytes: of all files.
        runs: the processes.
        driver_mb: by run, highest resident set of the build's own process, MiB.
    """

    scale: float
    boxes: int
    input_bytes: int
    runs: tuple[Run, ...]
    driver_mb: tuple[float, ...]

    @property
    def wall_s(self) -> float:
        """Median."""
        return median(run.wall_s for run in self.runs)


@dataclass(frozen=True)
class Line:
    """y = fixed + slope * (millions of boxes), the squares of the relative errors least.

    Attributes:
        fixed: y without a box.
        slope: per million boxes.
        errors: by point, (measured - line) / line.
    """

    fixed: float
    slope: float
    errors: tuple[float, ...]

    @classmethod
    def through(cls, boxes: list[int], values: list[float]) -> Line:
        """Fits it to at least two points."""
        x, y = np.array(boxes) / 1e6, np.array(values)
        design = np.stack([1 / y, x / y], axis=1)
        fixed, slope = np.linalg.lstsq(design, np.ones(len(y)), rcond=None)[0]
        return cls(float(fixed), float(slope), tuple((y / (fixed + slope * x) - 1).tolist()))


def generate(world: World, seed: int, scale: float, only: str) -> None:
    """Makes one half of the files, in a process of its own: its memory is not the build's."""
    generator = [sys.executable, str(Path(__file__).with_name("full_scale_world.py"))]
    options = [str(world.folder), "--seed", str(seed), "--scale", str(scale), "--only", only]
    subprocess.run([*generator, *options], check=True, stdout=subprocess.DEVNULL)


def command(world: World, out: Path, arguments: argparse.Namespace) -> list[str]:
    """The build."""
    threads = [f"--threads={arguments.threads}"] if arguments.threads else []
    address = [f"--ray-address={arguments.ray_address}"] if arguments.ray_address else []
    return [
        sys.executable, "-m", "lvis_merge", "build", f"--lvis={world.lvis}",
        f"--lvis-val={world.lvis_val}", f"--coco={world.coco}",
        f"--openimages={world.open_images}", f"--openimages-sizes={world.sizes}",
        f"--images={arguments.images}", f"--engine={arguments.engine}", *threads, *address,
        f"--out={out / 'build'}", "--overwrite",
    ]  # fmt: skip


def point(world: World, scale: float, arguments: argparse.Namespace) -> Point:
    """Makes the Open Images files, times the builds and deletes the files."""
    generate(world, arguments.seed, scale, "openimages")
    warm_up(world)
    out = world.folder / "out"
    out.mkdir(exist_ok=True)
    runs, driver = [], []
    for number in range(1, arguments.rounds + 1):
        log = out / "stages.jsonl"
        log.unlink(missing_ok=True)
        run = measure(command(world, out, arguments), out / "build.log", {TIMINGS: str(log)})
        runs.append(run)
        driver.append(max(stage.peak_rss_mb for stage in read_stages(log)))
        print(f"scale {scale}, round {number}: {run.wall_s:.1f} s wall, {run.cpu_s:.1f} s CPU, "
              f"{driver[-1]:.0f} MiB", file=sys.stderr)  # fmt: skip
    size = sum(path.stat().st_size for path in world.files())
    shutil.rmtree(world.open_images)
    world.sizes.unlink()
    return Point(scale, int(OPEN_IMAGES_BOXES * scale), size, tuple(runs), tuple(driver))


def table(points: list[Point]) -> str:
    """Markdown: one row per scale, then the lines through them."""
    boxes = [one.boxes for one in points]
    walls = [one.wall_s for one in points]
    peaks = [median(one.driver_mb) for one in points]
    lines = [
        "| scale | million boxes | input GB | wall s | CPU s | driver's peak RSS MiB |"
        " off the line |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    time = Line.through(boxes, walls) if len(points) > 1 else None
    for place, one in enumerate(points):
        off = f"{time.errors[place]:+.1%}" if time else ""
        cells = [
            f"{one.scale:g}",
            f"{one.boxes / 1e6:.2f}",
            f"{one.input_bytes / 1e9:.2f}",
            spread([run.wall_s for run in one.runs], 1),
            spread([run.cpu_s for run in one.runs], 1),
            spread(list(one.driver_mb), 0),
            off,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if time:
        worst = max(map(abs, time.errors))
        memory = Line.through(boxes, peaks)
        lines += [
            "",
            f"Wall time: {time.fixed:.1f} s + {time.slope:.3f} s per million boxes, images and"
            f" labels with them; farthest from it {worst:.1%}"
            f" ({'within' if worst <= ALLOWED else 'NOT within'} {ALLOWED:.0%}).",
            f"Driver's memory: {memory.fixed:.0f} MiB + {memory.slope:.1f} MiB per million boxes;"
            f" from the smallest to the largest x {peaks[-1] / peaks[0]:.2f} for"
            f" x {boxes[-1] / boxes[0]:.0f} rows.",
        ]
    return "\n".join(lines)


def measured(folder: Path, arguments: argparse.Namespace) -> None:
    """All scales."""
    world = World(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generate(world, arguments.seed, OTHERS_SCALE, "coco")
    points = [point(world, scale, arguments) for scale in sorted(arguments.scales)]
    print(f"{machine()}; --engine {arguments.engine}, --images {arguments.images}; median of"
          f" {arguments.rounds} (lowest-highest)\n")  # fmt: skip
    print(table(points))


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the files go; default a temporary one")
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--engine", choices=["native", "ray"], default="native")
    parser.add_argument("--ray-address", help="a running cluster; default a Ray of each build")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.folder:
        measured(arguments.folder.resolve(), arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        measured(Path(folder).resolve(), arguments)


if __name__ == "__main__":
    main()
