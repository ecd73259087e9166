"""Builds, over and over in one process: is anything left behind?

    python -m benchmarks.soak --builds 200 --out runs/soak

After each build: resident memory, open files, threads, and temporary files. The mean of the last
quarter may not lie above that of the second by more than a little; the first is left out, since
caches and allocators fill up. Every manifest must equal the first, byte for byte.

Ends with 1 if something grew, and leaves `soak.csv` with a row per build.
"""

from __future__ import annotations

import argparse
import csv
import gc
import io
import os
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console

from lvis_merge.manifest import ManifestRecord
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages
from tests.pipeline.test_reference_worlds import build_options
from tests.worlds import make_world

MORE_MIB = 8.0
"""What the mean may grow by from the second quarter to the last."""
MORE_SHARE = 0.02
WORLD_SEED = 20  # all three sources, 1,300 LVIS images


@dataclass(frozen=True)
class Sample:
    """The process after a build.

    Attributes:
        build: from 1.
        seconds: how long it took.
        rss_mib: resident memory.
        files: open file descriptors.
        threads: of the process, native ones too.
        left: temporary files and folders of ours.
    """

    build: int
    seconds: float
    rss_mib: float
    files: int
    threads: int
    left: int


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--builds", type=int, default=200)
    options.add_argument("--out", type=Path, default=Path("runs/soak"))
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    print(f"soak: {chosen.builds} builds, world {WORLD_SEED}, {os.cpu_count()} cores", flush=True)
    start = time.monotonic()
    samples = soak(chosen.builds)
    with (chosen.out / "soak.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(samples[0])), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in samples)
    grown = growth(samples)
    for name, (before, after, most) in grown.items():
        verdict = "grew" if after > most else "flat"
        print(f"{name:8} second quarter {before:8.1f}   last {after:8.1f}   {verdict}")
    print(f"soak: {len(samples)} builds in {time.monotonic() - start:.0f} s")
    return int(any(after > most for _, after, most in grown.values()))


def soak(builds: int) -> list[Sample]:
    """Builds one world again and again."""
    samples = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        tempfile.tempdir = str(Path(folder) / "tmp")
        Path(tempfile.tempdir).mkdir()
        world = make_world(WORLD_SEED, Path(folder) / "world").options
        wanted = replace(build_options(world, Path(folder) / "m"), overwrite=True)
        first: ManifestRecord | None = None
        for number in range(1, builds + 1):
            start = time.monotonic()
            record = _built(wanted)
            first = first or record
            if record != first:
                raise AssertionError(f"build {number} differs from the first")
            samples.append(_sample(number, time.monotonic() - start))
            if number % 10 == 0 or number == 1:
                last = samples[-1]
                print(
                    f"build {number:4}: {last.rss_mib:7.1f} MiB, {last.files} files,"
                    f" {last.threads} threads, {last.left} left, {last.seconds:.2f} s",
                    flush=True,
                )
        tempfile.tempdir = None
    return samples


def _built(options: BuildOptions) -> ManifestRecord:
    return build_manifest(options, Stages(Console(file=io.StringIO())))


def _sample(number: int, seconds: float) -> Sample:
    gc.collect()
    status = Path("/proc/self/status").read_text("ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return Sample(
        number,
        seconds,
        int(fields["VmRSS"].split()[0]) / 1024,
        len(list(Path("/proc/self/fd").iterdir())),
        max(int(fields["Threads"]), threading.active_count()),
        len(list(Path(tempfile.gettempdir()).iterdir())),
    )


def growth(samples: list[Sample]) -> dict[str, tuple[float, float, float]]:
    """By figure: its mean in the second quarter, in the last, and the most that the last may be."""
    quarter = max(1, len(samples) // 4)
    second, last = samples[quarter : 2 * quarter] or samples, samples[-quarter:]

    def mean(some: list[Sample], name: str) -> float:
        return sum(float(getattr(one, name)) for one in some) / len(some)

    found = {}
    for name in ("rss_mib", "files", "threads", "left"):
        before, after = mean(second, name), mean(last, name)
        more = max(MORE_MIB, MORE_SHARE * before) if name == "rss_mib" else 0.5
        found[name] = (before, after, before + more)
    return found


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # as the command line does: see lvis_merge.cli.main
