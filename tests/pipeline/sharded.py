"""A world's Open Images tables again, in parts: CSV or Parquet, as Spark, daft and others write."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.pipeline.shuffled import rewritten
from tests.worlds import Options

TABLES = ("-annotations-bbox.csv", "-with-rotation.csv", "-imagelabels-boxable.csv")
"""What the names of the tables that may be in parts end with."""
_FLOATS = ("XMin", "XMax", "YMin", "YMax", "Confidence", "Rotation")
_FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")

Rows = list[list[str]]
Write = Callable[[Path, list[str], Rows], None]


def in_parts(options: Options, folder: Path, write: Write) -> Options:
    """The options on files of which the large tables are in parts.

    Args:
        options: of a world.
        folder: where the files go.
        write: from the path of a table that is not there any more, its header and rows, to parts.
    """
    assert options.openimages is not None
    moved = rewritten(options, folder, lambda name, data: (name, data))
    for path in sorted((folder / "open_images").glob("*.csv")):
        if path.name.endswith(TABLES):
            text = io.StringIO(path.read_text("utf-8"), newline="")
            header, *rows = [row for row in csv.reader(text) if row]
            path.unlink()
            write(path, header, rows)
    return replace(moved, openimages=folder / "open_images")


def dealt(rows: Rows, parts: int, rng: Random) -> list[Rows]:
    """The rows in another order, in parts of any size; some may be empty."""
    rows = rng.sample(rows, len(rows))
    cuts = sorted(rng.randint(0, len(rows)) for _ in range(parts - 1))
    return [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


def csv_folder(rng: Random) -> Write:
    """`NAME.csv/part-00000.csv` and so on, with Spark's marks; columns in another order."""

    def write(path: Path, header: list[str], rows: Rows) -> None:
        path.mkdir()
        (path / "_SUCCESS").touch()
        for number, part in enumerate(dealt(rows, 3, rng)):
            order = rng.sample(range(len(header)), len(header))
            again = [[row[place] for place in order] for row in (header, *part)]
            write_csv(path / f"part-{number:05}.csv", again)

    return write


def numbered(rng: Random) -> Write:
    """`NAME-00000-of-00004.csv` and so on."""

    def write(path: Path, header: list[str], rows: Rows) -> None:
        for number, part in enumerate(dealt(rows, 4, rng)):
            write_csv(path.with_name(f"{path.stem}-{number:05}-of-00004.csv"), [header, *part])

    return write


def parquet_file(rng: Random) -> Write:
    """`NAME.parquet` with several row groups, numbers as numbers."""

    def write(path: Path, header: list[str], rows: Rows) -> None:
        table = typed(header, rng.sample(rows, len(rows)))
        pq.write_table(table, path.with_suffix(".parquet"), row_group_size=7)

    return write


def parquet_folder(rng: Random) -> Write:
    """`NAME.parquet/….parquet`, with texts as dictionaries and a column that no CSV could hold."""

    def write(path: Path, header: list[str], rows: Rows) -> None:
        folder = path.with_suffix(".parquet")
        folder.mkdir()
        for number, part in enumerate(dealt(rows, 3, rng)):
            table = typed(header, part)
            for place, field in enumerate(table.schema):
                if pa.types.is_string(field.type):
                    column = table[field.name].dictionary_encode()
                    table = table.set_column(place, field.name, column)
            lists = pa.array([[1]] * len(table), pa.list_(pa.int64()))
            pq.write_table(table.append_column("more", lists), folder / f"{number}-x.parquet")

    return write


def typed(header: list[str], rows: Rows) -> pa.Table:
    """Coordinates as float64, flags as int8, the rest as text; empty fields are null."""
    columns = []
    for place, name in enumerate(header):
        texts = pa.array([row[place] or None for row in rows], pa.string())
        kind = pa.float64() if name in _FLOATS else pa.int8() if name in _FLAGS else pa.string()
        columns.append(texts.cast(kind))
    return pa.table(columns, names=header)


def write_csv(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
