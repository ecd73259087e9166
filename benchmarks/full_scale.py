"""Time ``lvis-merge build`` against a plain script, on files of the true size.

    python benchmarks/full_scale.py [--keep FOLDER] [--rounds 3]

Both run as whole processes, in turn, with their inputs in the page cache. Tables in Markdown go
to stdout, progress to stderr. Without ``--keep`` the 3.5 GB of files are made anew in a temporary
folder; with it they and both outputs stay in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from full_scale_world import World

REPOSITORY = Path(__file__).resolve().parent.parent
TIMINGS = "LVIS_MERGE_TIMINGS"


@dataclass(frozen=True)
class Run:
    """What one process took, from start to exit."""

    wall_s: float
    cpu_s: float
    """User and system time of the process and the children it waited for."""
    peak_rss_mb: float
    """Highest resident set of any one process."""


@dataclass(frozen=True)
class Stage:
    """One line of the build's own stage log."""

    stage: str
    wall_s: float
    cpu_s: float
    peak_rss_mb: float


def measure(command: list[str], log: Path, environment: dict[str, str], expected: int = 0) -> Run:
    """Run a command to its end and take its figures from the kernel.

    Args:
        command: program and arguments.
        log: where stdout and stderr go.
        environment: variables on top of this process's own.
        expected: its exit code.

    Raises:
        SystemExit: it ended with another one; the end of its log is shown.
    """
    # Buffers that an earlier run left for the disk are not this one's to wait for.
    os.sync()
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != expected:
        tail = log.read_text("utf-8", "replace")[-3000:]
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{tail}")
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def commands(world: World, images: int, out: Path) -> dict[str, list[str]]:
    """The two command lines, with the same inputs."""
    shared = [
        f"--lvis={world.lvis}",
        f"--lvis-val={world.lvis_val}",
        f"--coco={world.coco}",
        f"--openimages={world.open_images}",
        f"--openimages-sizes={world.sizes}",
        f"--images={images}",
    ]
    build = [sys.executable, "-m", "lvis_merge", "build", *shared]
    script = [sys.executable, str(Path(__file__).with_name("research_script.py")), *shared]
    return {
        "build": [*build, f"--out={out / 'build'}", "--overwrite"],
        "script": [*script, f"--out={out / 'script'}"],
    }


def read_stages(path: Path) -> list[Stage]:
    """Read the build's stage log; empty where the build wrote none."""
    if not path.is_file():
        return []
    return [Stage(**json.loads(line)) for line in path.read_text("utf-8").splitlines() if line]


def warm_up(world: World) -> None:
    """Read every input once, so that neither side is the one to fetch it from the disk."""
    for path in world.files():
        with path.open("rb") as file:
            while file.read(2**24):
                pass


def spread(values: list[float], digits: int) -> str:
    """Median, and in brackets the lowest and the highest value."""
    low, high = min(values), max(values)
    return f"{median(values):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def comparison(runs: dict[str, list[Run]]) -> str:
    """Markdown table of the whole processes."""
    columns: list[tuple[str, Callable[[Run], float], int]] = [
        ("wall s", lambda run: run.wall_s, 1),
        ("CPU s", lambda run: run.cpu_s, 1),
        ("peak RSS GiB", lambda run: run.peak_rss_mb / 1024, 2),
    ]
    titles = {"build": "`lvis-merge build`", "script": "script (json, pandas)"}
    lines = ["| | " + " | ".join(name for name, _, _ in columns) + " |", "|---|---:|---:|---:|"]
    for name, done in runs.items():
        cells = [spread([value(run) for run in done], digits) for _, value, digits in columns]
        lines.append(f"| {titles[name]} | " + " | ".join(cells) + " |")
    if len(runs) == 2:
        cells = []
        for _, value, _ in columns:
            medians = {name: median(map(value, done)) for name, done in runs.items()}
            cells.append(f"{medians['script'] / medians['build']:.1f} x")
        lines.append("| script / build, of the medians | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def stage_table(rounds: list[list[Stage]]) -> str:
    """Markdown table of the build's stages: medians over the rounds."""
    lines = ["| stage of the build | wall s | CPU s | peak RSS GiB |", "|---|---:|---:|---:|"]
    for name in dict.fromkeys(stage.stage for done in rounds for stage in done):
        same = [stage for done in rounds for stage in done if stage.stage == name]
        wall = median(stage.wall_s for stage in same)
        cpu = median(stage.cpu_s for stage in same)
        peak = median(stage.peak_rss_mb for stage in same) / 1024
        lines.append(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.2f} |")
    return "\n".join(lines)


def output_table(out: Path, names: list[str]) -> str:
    """Markdown table of what was written, to see that both did the same work."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    lines = ["| written | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    counts: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        rows = pq.read_table(out / name / "annotations.parquet", columns=["source", "role"])
        for kind in ("source", "role"):
            rows = rows.set_column(
                rows.column_names.index(kind), kind, pc.cast(rows[kind], "string")
            )
        groups = rows.group_by(["source", "role"]).aggregate([([], "count_all")])
        found = {f"{g['source']} {g['role']} rows": g["count_all"] for g in groups.to_pylist()}
        found["images"] = pq.read_metadata(out / name / "images.parquet").num_rows
        found["bytes"] = sum(p.stat().st_size for p in (out / name).glob("*.parquet"))
        for label, number in found.items():
            counts.setdefault(label, ["-"] * len(names))[place] = f"{number:,}"
    lines += [f"| {label} | " + " | ".join(counts[label]) + " |" for label in sorted(counts)]
    return "\n".join(lines)


def machine() -> str:
    """One line about the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cores} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def compare(folder: Path, arguments: argparse.Namespace) -> None:
    """Make the world where it is absent, time both sides and print the tables."""
    # In a process of its own: a child starts with its parent's peak memory as its own.
    generator = [sys.executable, str(Path(__file__).with_name("full_scale_world.py")), str(folder)]
    options = ["--seed", str(arguments.seed), "--scale", str(arguments.scale)]
    subprocess.run([*generator, *options], check=True, stdout=subprocess.DEVNULL)
    world, out = World(folder), folder / "out"
    out.mkdir(exist_ok=True)
    warm_up(world)
    sides = commands(world, arguments.images, out)
    if arguments.only:
        sides = {arguments.only: sides[arguments.only]}
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    stages: list[list[Stage]] = []
    for number in range(1, arguments.rounds + 1):
        for name, command in sides.items():
            log = out / "stages.jsonl"
            log.unlink(missing_ok=True)
            run = measure(command, out / f"{name}.log", {TIMINGS: str(log)})
            runs[name].append(run)
            if name == "build":
                stages.append(read_stages(log))
            print(f"round {number}, {name}: {run.wall_s:.1f} s wall, {run.cpu_s:.1f} s CPU, "
                  f"{run.peak_rss_mb / 1024:.2f} GiB", file=sys.stderr)  # fmt: skip
    print(f"{machine()}; median of {arguments.rounds} (lowest-highest)\n")
    print(comparison(runs))
    if any(stages):
        print("\n" + stage_table(stages))
    print("\n" + output_table(out, list(sides)))


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder of the files; default a temporary one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--only", choices=["build", "script"], help="time one side only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the true size")
    arguments = parser.parse_args()
    if arguments.keep:
        compare(arguments.keep.resolve(), arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder).resolve(), arguments)


if __name__ == "__main__":
    main()
