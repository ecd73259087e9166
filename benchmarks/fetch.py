"""Time ``lvis-merge fetch`` from a server on loopback that fails now and then, and check its files.

    python benchmarks/fetch.py [--images 20000] [--workers 256] [--seed 0] [--keep FOLDER]

300 real JPEGs of about 30 to 300 kB are served under as many ids as asked for, by two processes on
the same machine (`fetch_server.py`): what they take is taken from the fetch. A share of first
requests fails, and 20 images are not there. The fetch is a whole process from start to exit, as is
the second one, which finds all there and asks for the 20 again. Afterwards every file is compared
with what was served, and the list of failures with the 20: ends with 1 if anything differs. Tables
in Markdown go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fetch_server import DISTINCT, FAULTS, Plan, content_path
from full_scale import Run, machine, measure

SERVER = Path(__file__).with_name("fetch_server.py")
IMAGES_FAILED = 3
"""The exit code of a fetch that could not have them all."""


def main() -> None:
    """Serve, fetch twice, check, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="leave the images in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.keep or Path(temporary)).resolve()
        if (folder / "root").exists():
            raise SystemExit(f"{folder / 'root'}: is there already. Remove it, or give another.")
        folder.mkdir(parents=True, exist_ok=True)
        compare(folder, Plan(arguments.images, arguments.seed), arguments.workers)


def compare(folder: Path, plan: Plan, workers: int) -> None:
    """Fetch twice and print what it took.

    Raises:
        SystemExit: a file or the list of failures is not as it should be.
    """
    selection, root, served = folder / "selection.csv", folder / "root", folder / "served"
    ids = "".join(f"{plan.image_id(number)},train\n" for number in range(plan.images))
    selection.write_text(f"ImageID,Subset\n{ids}")
    with _server(served, plan) as address:
        command = [sys.executable, "-m", "lvis_merge", "fetch", str(selection), f"--to={root}"]
        command += [f"--mirror={address}", f"--workers={workers}", "--json"]
        print(f"{machine()}; {workers} requests in flight\n")
        print("| | there | fetched | MB | wall s | files/s | MB/s | CPU s | peak RSS GiB |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
        found = _timed("fetch", command, folder)
        injected = json.loads(urllib.request.urlopen(f"{address}/injected").read())
        _timed("again", command, folder)
    whole = _whole(root, served, plan)
    print("\n" + _faults(plan, injected, whole))
    print(f"\nTried again, as `fetch` counts it: {_named(found['retries_by_reason'])}.")
    _check(root, plan, whole)


@contextmanager
def _server(served: Path, plan: Plan) -> Iterator[str]:
    """The server meanwhile; its address. It draws, or the fetch would start with that memory."""
    command = [sys.executable, str(SERVER), str(served)]
    command += [f"--images={plan.images}", f"--seed={plan.seed}"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        print("drawing the JPEGs", file=sys.stderr)
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def _timed(name: str, command: list[str], folder: Path) -> dict[str, Any]:
    print(name, file=sys.stderr)
    log = folder / "log"
    run: Run = measure(command, log, {}, IMAGES_FAILED)
    text = log.read_text("utf-8")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{\n"))[0]
    files, size = found["fetched"], found["bytes"] / 1e6
    speed = f"{files / run.wall_s:,.0f} | {size / run.wall_s:.0f}" if files else "- | -"
    print(
        f"| {name} | {found['already_there']:,} | {files:,} | {size:,.0f} | {run.wall_s:.1f} |"
        f" {speed} | {run.cpu_s:.1f} | {run.peak_rss_mb / 1024:.2f} |",
        flush=True,
    )
    return found


def _whole(root: Path, served: Path, plan: Plan) -> set[int]:
    """Numbers of the images whose files are what was served."""
    print("comparing", file=sys.stderr)
    digests = [_digest(content_path(served, number)) for number in range(DISTINCT)]
    paths = {
        number: root / "train" / f"{plan.image_id(number)}.jpg" for number in range(plan.images)
    }
    return {
        number
        for number, path in paths.items()
        if path.is_file() and _digest(path) == digests[number % DISTINCT]
    }


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _faults(plan: Plan, injected: dict[str, int], whole: set[int]) -> str:
    """Markdown table of what went wrong, and what became of it."""
    gone = plan.gone()
    met = {number: plan.fault(number, 1) for number in range(plan.images) if number not in gone}
    recovered = Counter(kind for number, kind in met.items() if number in whole)
    lines = ["| | injected | recovered | failed |", "|---|---:|---:|---:|"]
    for kind in FAULTS:
        failed = sum(met[number] == kind for number in met.keys() - whole)
        lines.append(f"| {kind} | {injected[kind]} | {recovered[kind]} | {failed} |")
    lines.append(f"| 404, always | {len(gone)} | {len(gone & whole)} | {len(gone - whole)} |")
    return "\n".join(lines)


def _named(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "nothing"


def _check(root: Path, plan: Plan, whole: set[int]) -> None:
    gone = plan.gone()
    with (root / "openimages_failures.csv").open(newline="") as file:
        listed = sorted(row["ImageID"] for row in csv.DictReader(file))
    files = sum(1 for _ in (root / "train").iterdir())
    if whole != set(range(plan.images)) - gone or files != len(whole):
        raise SystemExit(
            f"{len(whole)} of {files} files are as served, not all but the {len(gone)}"
        )
    if listed != sorted(map(plan.image_id, gone)):
        raise SystemExit(f"openimages_failures.csv names {len(listed)}, not just the {len(gone)}")
    print(f"\nAll {files:,} files are as served; the list of failures names the {len(gone)}.")


if __name__ == "__main__":
    main()
