"""Time ``lvis-merge fetch`` from a server on loopback that fails now and then.

    python benchmarks/fetch.py [--objects 20000] [--workers 256] [--keep FOLDER]

The objects are a few hundred real JPEGs of about 70 to 310 kB under the ids of as many images as
asked for. At the first request for every 200th image each, the server answers with 503 (two of
them), breaks off in the middle, or sends an error page that says 200. The fetch is a whole process
from start to exit, as is the second one, which finds all there. The server runs in a process of its
own on the same machine: what it takes is taken from the fetch. A table in Markdown goes to stdout,
progress to stderr.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fetch_server import image_id
from full_scale import Run, machine, measure

SERVER = Path(__file__).with_name("fetch_server.py")


def main() -> None:
    """Serve, fetch twice, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--objects", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=256)
    parser.add_argument("--keep", type=Path, help="leave the images in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        selection = folder / "selection.csv"
        ids = "".join(f"{image_id(number)},train\n" for number in range(arguments.objects))
        selection.write_text(f"ImageID,Subset\n{ids}")
        with _server() as address:
            command = [sys.executable, "-m", "lvis_merge", "fetch", str(selection)]
            command += ["--to", str(folder / "root"), "--mirror", address, "--json"]
            command += ["--workers", str(arguments.workers)]
            print(f"{machine()}, {arguments.workers} requests in flight\n")
            print("| | images | MB | wall s | images/s | MB/s | CPU s | peak RSS GiB |")
            print("|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
            found = _timed("fetch", command, folder)
            injected = json.loads(urllib.request.urlopen(f"{address}/injected").read())
            _timed("again: all there", command, folder)
        recovered = found["retries_by_reason"]
        print("\n| injected | | tried again as | |\n|---|---:|---|---:|")
        for row in _side_by_side(injected, recovered):
            print(row)
        print(f"\n{found['failed']} images failed for good.")


@contextmanager
def _server() -> Iterator[str]:
    """A server on a free port; its address."""
    with subprocess.Popen(
        [sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        print("drawing the JPEGs", file=sys.stderr)
        yield process.stdout.readline().strip()
        process.terminate()


def _timed(name: str, command: list[str], folder: Path) -> dict[str, object]:
    print(name, file=sys.stderr)
    log = folder / "log"
    run: Run = measure(command, log, {})
    text = log.read_text()
    found: dict[str, object] = json.loads(text[text.index("{\n") :])
    images, size = found["wanted"], int(str(found["bytes"])) / 1e6
    print(
        f"| {name} | {images:,} | {size:,.0f} | {run.wall_s:.1f} |"
        f" {int(str(images)) / run.wall_s:,.0f} | {size / run.wall_s:.0f} | {run.cpu_s:.1f} |"
        f" {run.peak_rss_mb / 1024:.2f} |",
        flush=True,
    )
    return found


def _side_by_side(left: dict[str, int], right: object) -> Iterator[str]:
    assert isinstance(right, dict)
    rows = max(len(left), len(right))
    for place in range(rows):
        one = list(left.items())[place] if place < len(left) else ("", "")
        other = list(right.items())[place] if place < len(right) else ("", "")
        yield f"| {one[0]} | {one[1]} | {other[0]} | {other[1]} |"


if __name__ == "__main__":
    main()
