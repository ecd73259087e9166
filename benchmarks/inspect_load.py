"""How long a manifest takes into FiftyOne, how much memory, and how long to open it again.

    python benchmarks/inspect_load.py MANIFEST [--image-root DIR …] [--cache FOLDER]

Needs the extra `inspect`. Ours are the command and the processes that it starts; the database
server is told apart. A Markdown table goes to stdout.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

AIM_SECONDS, AIM_GB = 240, 2.0
_LOOK_SECONDS = 0.25


@dataclass
class Run:
    """One `lvis-merge inspect --no-launch`.

    Attributes:
        wall_s: from start to exit.
        ours_gb: highest sum of resident memory of the command and its processes, the server aside.
        server_gb: highest of the server.
        ours_cpu_s: user and system, likewise.
        server_cpu_s: of the server.
        log: what the command said of its stages.
    """

    wall_s: float
    ours_gb: float
    server_gb: float
    ours_cpu_s: float
    server_cpu_s: float
    log: str


def measured(manifest: Path, roots: list[str], cache: Path) -> Run:
    """Runs it once."""
    command = [sys.executable, "-m", "lvis_merge", "inspect", str(manifest), "--no-launch"]
    command += [word for root in roots for word in ("--image-root", root)]
    before = _cpu_of_children()
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "LVIS_MERGE_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    peaks = {"ours": 0.0, "server": 0.0, "server cpu": 0.0}
    watcher = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
    watcher.start()
    _, log = process.communicate()
    wall = time.perf_counter() - start
    watcher.join()
    if process.returncode:
        raise SystemExit(log)
    cpu = _cpu_of_children() - before
    return Run(wall, peaks["ours"], peaks["server"], cpu, peaks["server cpu"], log)


def _cpu_of_children() -> float:
    """Of processes that have ended; the server is stopped and not waited for, so not among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(process: subprocess.Popen[str], peaks: dict[str, float]) -> None:
    import psutil

    while process.poll() is None:
        sizes = {"ours": 0.0, "server": 0.0, "server cpu": 0.0}
        try:
            root = psutil.Process(process.pid)
            for one in (root, *root.children(recursive=True)):
                side = "server" if one.name() == "mongod" else "ours"
                sizes[side] += one.memory_info().rss / 1e9
                if side == "server":
                    sizes["server cpu"] = sum(one.cpu_times()[:2])
        except psutil.Error:
            continue
        for side, size in sizes.items():
            peaks[side] = max(peaks[side], size)
        time.sleep(_LOOK_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--image-root", action="append", default=[])
    parser.add_argument("--cache", type=Path, help="kept; default: a temporary folder")
    arguments = parser.parse_args()
    cache = arguments.cache or Path(tempfile.mkdtemp(prefix="lvis-merge-inspect-"))
    try:
        first = measured(arguments.manifest, arguments.image_root, cache)
        second = measured(arguments.manifest, arguments.image_root, cache)
        database = sum(
            path.stat().st_size for path in (cache / "fiftyone").rglob("*") if path.is_file()
        )
    finally:
        if arguments.cache is None:
            shutil.rmtree(cache, ignore_errors=True)
    rows = {
        name: pq.read_metadata(arguments.manifest / f"{name}.parquet").num_rows
        for name in ("images", "annotations")
    }
    machine = f"{len(os.sched_getaffinity(0))} cores ({platform.machine()})"
    print(f"{rows['images']:,} images, {rows['annotations']:,} boxes; {machine},", end=" ")
    print(f"Python {platform.python_version()}\n")
    print("| | wall s | ours: CPU s | peak GB | server: CPU s | peak GB |")
    print("|---|---:|---:|---:|---:|---:|")
    for what, run in (("load", first), ("open again", second)):
        ours = f"{run.ours_cpu_s:.1f} | {run.ours_gb:.2f}"
        server = f"{run.server_cpu_s:.1f} | {run.server_gb:.2f}"
        print(f"| {what} | {run.wall_s:.1f} | {ours} | {server} |")
    print(f"| aim of a load | {AIM_SECONDS} | | {AIM_GB:.1f} | | |")
    print(f"\nDatabase: {database / 1e9:.2f} GB. Stages of the load:\n\n    ", end="")
    print(first.log.strip().replace("\n", "\n    "))


if __name__ == "__main__":
    main()
