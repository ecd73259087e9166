"""First passes over small files, and what they find joined; without a build around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.buckets import Buckets
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.open_images.boxes import BOX_RUNS, look_at_boxes
from lvis_merge.sources.open_images.ids import IdIndex, manifest_image_ids
from lvis_merge.sources.open_images.images import (
    IMAGES,
    LISTED,
    first_of_each,
    look_at_list,
    runs_of_rows,
)
from lvis_merge.sources.open_images.join import LateRows, join_bucket
from lvis_merge.sources.open_images.labels import look_at_labels
from lvis_merge.sources.open_images.scan import RUNS, FileScan, Look, scan_table
from tests.sources.open_images.small_files import CLASSES, nothing

LOOK_AT_BOXES = partial(look_at_boxes, CLASSES)
LOOK_AT_LABELS = partial(look_at_labels, frozenset(CLASSES))


LOOKS: dict[str, tuple[Look, pa.Schema]] = {
    "image": (look_at_list, LISTED),
    "box": (LOOK_AT_BOXES, BOX_RUNS),
    "label": (LOOK_AT_LABELS, RUNS),
}


def scan(folder: Path, table: CsvTable, kind: str) -> tuple[FileScan, pa.Table]:
    """The first pass over a table, and what it finds."""
    look, schema = LOOKS[kind]
    found = Buckets(folder, schema, 1)
    return scan_table(table, kind, look, found, nothing), found.read(0)


def rejects_with(one: FileScan, *late: pa.Table, most: int = 1 << 30) -> pa.Table:
    """All bad rows, with those of runs that turned out bad; beyond `most` the first range's."""
    rows = LateRows(most)
    for runs in late:
        rows.add(runs)
    return one.rejects(LOOKS[one.kind][0], rows.by_range(), first_only=rows.number > most)


@dataclass(frozen=True)
class Lists:
    """Image lists: their images in order, and the bad rows of each."""

    scans: tuple[FileScan, ...]
    images: pa.Table
    rejects: tuple[pa.Table, ...]


def read_lists(folder: Path, tables: Sequence[CsvTable]) -> Lists:
    """The images of lists, by subset."""
    scans, found = zip(*(scan(folder, table, "image") for table in tables), strict=True)
    images, again = first_of_each(found)
    rejects = []
    for subset, one in enumerate(scans):
        here = again.filter(pc.equal(again["subset"], subset))
        rejects.append(rejects_with(one, runs_of_rows(here)))
    return Lists(scans, images, tuple(rejects))


def images_of(ids: Sequence[str], subset: int = 0) -> pa.Table:
    """`IMAGES` of a subset, one row after the other."""
    texts = pa.array(list(ids), pa.string())
    number = len(texts)
    return pa.table(
        [
            pa.array([subset] * number, pa.int8()),
            pa.array([0] * number, pa.int32()),
            pa.array(manifest_image_ids(texts)),
            texts,
            pa.array(range(number), pa.int32()),
            pa.nulls(number, pa.int64()),
            pa.array([False] * number),
        ],
        schema=IMAGES,
    )


@dataclass(frozen=True)
class Known:
    """One table of one subset, joined to its images."""

    scan: FileScan
    runs: pa.Table
    rejects: pa.Table

    def runs_of(self, places: Sequence[int]) -> pa.Table:
        """Of some images."""
        return self.runs.filter(pc.is_in(self.runs["image"], pa.array(places, pa.int32())))


def scan_of_images(folder: Path, table: CsvTable, kind: str, ids: Sequence[str]) -> Known:
    """First pass and join, with these images known, at places 0, 1, …"""
    one, runs = scan(folder, table, kind)
    images = images_of(ids)
    if kind == "box":
        bucket, (unknown,), _ = join_bucket(images, [runs], [None])
        return Known(one, bucket.boxes, rejects_with(one, unknown))
    bucket, _, (unknown,) = join_bucket(images, [None], [runs])
    return Known(one, bucket.labels, rejects_with(one, unknown))


def index_of(ids: Sequence[str], places: Sequence[int]) -> IdIndex:
    """Places of some of the images, as the second pass has them."""
    texts = pa.array([ids[place] for place in places], pa.string())
    return IdIndex(texts, np.array(places, np.int32))
