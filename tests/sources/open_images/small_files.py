"""Small Open Images files, and what is in them by plain loops over `csv.reader`."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from lvis_merge.sources.csv_chunks import open_csv
from lvis_merge.sources.csv_table import CsvTable, table_of

BOXES = (
    "ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax",
    "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside",
)  # fmt: skip
LABELS = ("ImageID", "Source", "LabelName", "Confidence")
IMAGES = ("ImageID", "Subset", "OriginalURL", "Author", "Title", "Rotation")
CLASSES: dict[str, int | None] = {"/m/1": 7, "/m/2": 3, "/m/3": None}
HEXADECIMAL = re.compile("[0-9a-fA-F]+")


def nothing(number: int) -> None:
    """For `advance`."""


def csv_file(
    folder: Path,
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    chunk_bytes: int,
) -> CsvTable:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([columns, *rows])
    path = folder / name
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    return table_of([open_csv(path, name, columns, chunk_bytes=chunk_bytes)])


def box_row(
    image: str,
    mid: str = "/m/1",
    box: tuple[str, str, str, str] = ("0.1", "0.2", "0.3", "0.4"),
    flags: Sequence[str] = ("0", "0", "0", "0", "0"),
    source: str = "xclick",
) -> list[str]:
    return [image, source, mid, "1", *box, *flags]


def reject_reason(row: list[str], images: Iterable[str]) -> str | None:
    """The first reason that a box row is bad for."""
    if len(row) != len(BOXES):
        return "columns"
    try:
        x_min, x_max, y_min, y_max = (float(text) for text in row[4:8])
    except ValueError:
        return "value"
    if not HEXADECIMAL.fullmatch(row[0]) or not {*row[8:]} <= {"", "-1", "0", "1"} or not row[2]:
        return "value"
    if row[0] not in images:
        return "unknown_image"
    if row[2] not in CLASSES:
        return "unknown_category"
    if not (0 <= x_min < x_max <= 1 and 0 <= y_min < y_max <= 1):
        return "box"
    return None


def reject_tuples(rejects: pa.Table) -> list[tuple[int, str]]:
    return [(row["row"], row["reason"]) for row in rejects.to_pylist()]
