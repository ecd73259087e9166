"""A world's input files again: without their bad rows, in another order, or packed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq

from lvis_merge.sources.files import read_all
from tests.worlds import Options

# the one Open Images CSV without a header
PLAIN_CLASSES = "class-descriptions-boxable.csv"
# files that go into the manifest byte for byte, and so have no order to lose
_MAPS = ("mapping", "coco_mapping")

Change = Callable[[str, bytes], tuple[str, bytes]]


def rewritten(options: Options, folder: Path, change: Change) -> Options:
    """The options with every file but the maps written anew into a folder.

    Args:
        options: of a world.
        folder: where the files go.
        change: from a file's name and unpacked content to those of the new one.
    """

    def moved(path: Path, below: Path) -> Path:
        name, data = change(*_plain(path))
        below.mkdir(parents=True, exist_ok=True)
        (below / name).write_bytes(data)
        return below / name

    new: dict[str, Any] = {}
    for name, value in vars(options).items():
        if name == "openimages" and value is not None:
            (folder / "open_images").mkdir(parents=True, exist_ok=True)
            for path in sorted(value.iterdir()):
                if path.is_dir():  # masks, which have no order
                    (folder / "open_images" / path.name).symlink_to(path)
                else:
                    moved(path, folder / "open_images")
            new[name] = folder / "open_images"
        elif isinstance(value, Path) and name not in _MAPS:
            new[name] = moved(value, folder)
        elif name == "extra":
            new[name] = tuple(_with_path(text, lambda path: moved(path, folder)) for text in value)
        elif isinstance(value, tuple) and name != "extra_exhaustive":
            new[name] = tuple(moved(path, folder) for path in value)
    return replace(options, **new)


def without_bad_rows(options: Options, folder: Path, manifest: Path) -> Options:
    """The options on files without the rows that the build of `manifest` rejected."""
    bad: dict[tuple[str, str], set[int]] = {}
    for row in pq.read_table(manifest / "rejects.parquet").to_pylist():
        name = row["file"].removesuffix(".gz").removesuffix(".zip")
        bad.setdefault((name, row["kind"]), set()).add(row["row"])

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        if name.endswith(".json"):
            document = json.loads(data)
            for kind in ("image", "annotation"):
                gone = bad.get((name, kind), set())
                rows = document.get(f"{kind}s", [])
                if gone:
                    document[f"{kind}s"] = [
                        row for number, row in enumerate(rows, 1) if number not in gone
                    ]
            return name, json.dumps(document).encode()
        header, rows = _csv_rows(name, data)
        gone = set().union(*(rows for (file, _), rows in bad.items() if file == name))
        return name, _csv(header, [r for number, r in enumerate(rows, 1) if number not in gone])

    return rewritten(options, folder, change)


def shuffled(options: Options, folder: Path, rng: Random) -> Options:
    """The options on files with the rows of every array and CSV in another order."""

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        if name.endswith(".json"):
            document = json.loads(data)
            for array in ("images", "annotations", "categories"):
                rng.shuffle(document.get(array, []))
            return name, json.dumps(document).encode()
        header, rows = _csv_rows(name, data)
        rng.shuffle(rows)
        return name, _csv(header, rows)

    return rewritten(options, folder, change)


def packed(options: Options, folder: Path, suffix: str) -> Options:
    """The options on files that are `.gz` or `.zip`."""

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        if suffix == ".gz":
            return name + suffix, gzip.compress(data)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr(name, data)
        return name + suffix, archive.getvalue()

    return rewritten(options, folder, change)


def _with_path(extra: str, change: Callable[[Path], Path]) -> str:
    """A value of `--extra` with another file."""
    start, path, mapping = extra.split(":")
    return f"{start}:{change(Path(path))}:{mapping}"


def _plain(path: Path) -> tuple[str, bytes]:
    name = path.name.removesuffix(".gz").removesuffix(".zip")
    return name, read_all(path, Path(name).suffix)


def _csv_rows(name: str, data: bytes) -> tuple[list[list[str]], list[list[str]]]:
    """Header rows (none or one) and data rows; blank lines are no rows."""
    rows = [row for row in csv.reader(io.StringIO(data.decode(), newline="")) if row]
    place = 0 if name == PLAIN_CLASSES else 1
    return rows[:place], rows[place:]


def _csv(header: list[list[str]], rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([*header, *rows])
    return text.getvalue().encode()
