"""Time ``lvis-merge export`` and ``lvis-merge diff`` on a manifest of the true size.

    python benchmarks/export.py MANIFEST [--formats lvis coco yolo huggingface fiftyone]

MANIFEST is one that ``full_scale.py --keep FOLDER`` leaves in FOLDER/out/build. The diff is with a
copy of which one row in a hundred is gone and one in a hundred is changed. Each is a whole process
from start to exit, after the manifest was read once. A table in Markdown goes to stdout, progress
to stderr.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from full_scale import Run, machine, measure

FORMATS = ("lvis", "coco", "yolo", "huggingface", "fiftyone")


def main() -> None:
    """Run the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--formats", nargs="*", default=["lvis"], choices=FORMATS)
    arguments = parser.parse_args()
    manifest = arguments.manifest.resolve()
    for path in manifest.glob("*.parquet"):
        path.read_bytes()
    print(f"{machine()}\n\n| | MB written | wall s | MB/s | CPU s | peak RSS GiB |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for form in arguments.formats:
            out = folder / form
            command = [*_LVIS_MERGE, "export", str(manifest), f"--format={form}", f"--out={out}"]
            run = _timed(f"export --format {form}", command, folder)
            written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
            _print(f"export --format {form}", run, f"{written:,.0f}", f"{written / run.wall_s:.0f}")
        print("making the copy", file=sys.stderr)
        _write_changed(manifest, folder / "changed")
        command = [*_LVIS_MERGE, "diff", str(manifest), str(folder / "changed")]
        _print("diff", _timed("diff", command, folder), "", "")


_LVIS_MERGE = [sys.executable, "-m", "lvis_merge"]


def _timed(name: str, command: list[str], folder: Path) -> Run:
    print(name, file=sys.stderr)
    return measure(command, folder / "log", {})


def _print(name: str, run: Run, written: str, rate: str) -> None:
    print(
        f"| {name} | {written} | {run.wall_s:.1f} | {rate} | {run.cpu_s:.1f} |"
        f" {run.peak_rss_mb / 1024:.2f} |",
        flush=True,
    )


def _write_changed(manifest: Path, out: Path) -> None:
    import numpy as np
    import pyarrow as pa

    from lvis_merge import manifest as manifests
    from lvis_merge.manifest.schema import ANNOTATIONS

    opened = manifests.open(manifest)
    rows = opened.annotations
    place = np.arange(len(rows))
    area = rows["area"].to_numpy() + (place % 100 == 1)
    rows = rows.set_column(
        rows.schema.get_field_index("area"), ANNOTATIONS.schema.field("area"), pa.array(area)
    ).filter(pa.array(place % 100 != 0))
    tables = manifests.Tables(opened.images, rows, opened.categories, opened.rejects)
    manifests.write_manifest(out, tables, opened.record, {})


if __name__ == "__main__":
    main()
