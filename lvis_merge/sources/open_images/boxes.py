"""Box rows: all of them checked, then those of the chosen images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.csv_rows import COORDINATE, FLAG, IMAGE_ID, LABEL, NAME, parse_rows
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.open_images.ids import IdIndex, Runs
from lvis_merge.sources.open_images.scan import (
    Advance,
    ChunkScan,
    FileScan,
    finish_scan,
    gather,
    key_rows,
    scan_table,
)

COORDINATES = ("XMin", "XMax", "YMin", "YMax")
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
NOT_AN_OBJECT = ("IsGroupOf", "IsDepiction", "IsInside")
"""Flags that make a mapped box an ignore region instead of an object."""

KINDS = {
    "ImageID": IMAGE_ID,
    "Source": NAME,
    "LabelName": LABEL,
    **dict.fromkeys(COORDINATES, COORDINATE),
    **dict.fromkeys(FLAGS, FLAG),
}
NEEDED = tuple(KINDS)
_CHECKED = {name: kind for name, kind in KINDS.items() if name != "Source"}
"""What the first pass reads: any text is a source."""


@dataclass(frozen=True)
class MappedBoxes:
    """How many boxes of mapped classes an image has, by category and kind.

    Attributes:
        image: int32 [K], place of the image.
        category: int32 [K], category id.
        flagged: bool [K], group-of, depiction or inside: no object.
        boxes: int64 [K].
    """

    image: np.ndarray
    category: np.ndarray
    flagged: np.ndarray
    boxes: np.ndarray

    @classmethod
    def count(cls, image: np.ndarray, category: np.ndarray, flagged: np.ndarray) -> MappedBoxes:
        """Counts equal rows."""
        key = (image.astype(np.int64) << 32) | (category.astype(np.int64) << 1) | flagged
        keys, boxes = np.unique(key, return_counts=True)
        return cls(
            (keys >> 32).astype(np.int32),
            ((keys >> 1) & 0x7FFFFFFF).astype(np.int32),
            (keys & 1).astype(bool),
            boxes.astype(np.int64),
        )

    @classmethod
    def concat(cls, parts: Sequence[MappedBoxes]) -> MappedBoxes:
        """Counts of several ranges; an image that spans two ranges is in both."""
        if not parts:
            return cls.count(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, bool))
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("image", "category", "flagged", "boxes")
            )
        )


def _look(
    index: IdIndex,
    categories: Mapping[str, int | None],
    columns: tuple[str, ...],
    data: bytes,
) -> ChunkScan:
    keyed = key_rows(data, columns, _CHECKED, index)
    table = keyed.parsed.table
    labels = table["LabelName"].combine_chunks()
    known, mapped = _label_codes(labels, categories)
    bad = {
        "unknown_image": keyed.row_images < 0,
        "unknown_category": ~known,
        "box": ~inside_unit_square(table),
    }
    good = ~(bad["unknown_image"] | bad["unknown_category"] | bad["box"])
    found = np.flatnonzero(good & (mapped >= 0))
    flagged = is_flagged(table)
    return finish_scan(
        keyed,
        bad,
        data,
        MappedBoxes.count(keyed.row_images[found], mapped[found], flagged[found]),
    )


def _label_codes(
    labels: pa.Array, categories: Mapping[str, int | None]
) -> tuple[np.ndarray, np.ndarray]:
    """bool [N] in the class list; int32 [N] category id, -1 where unmapped."""
    names = labels.dictionary.to_pylist()
    known = np.array([name in categories for name in names], dtype=bool)
    mapped = np.array(
        [-1 if (category := categories.get(name)) is None else category for name in names],
        dtype=np.int32,
    )
    codes = labels.indices.to_numpy()
    return known[codes], mapped[codes]


def inside_unit_square(table: pa.Table) -> np.ndarray:
    """bool [N]: 0 <= min < max <= 1 on both axes; nan is not."""
    x_min, x_max, y_min, y_max = (table[name].to_numpy() for name in COORDINATES)
    return np.asarray(
        (x_min >= 0) & (x_min < x_max) & (x_max <= 1) & (y_min >= 0) & (y_min < y_max)
        & (y_max <= 1)
    )  # fmt: skip


def is_flagged(table: pa.Table) -> np.ndarray:
    """bool [N]: group-of, depiction or inside is set; unknown (-1 or empty) is not."""
    flagged = np.zeros(len(table), dtype=bool)
    for name in NOT_AN_OBJECT:
        flagged |= pc.equal(table[name], 1).fill_null(False).to_numpy()
    return flagged


def scan_boxes(
    table: CsvTable, index: IdIndex, categories: Mapping[str, int | None], advance: Advance
) -> FileScan:
    """First pass; `found` holds the `MappedBoxes` of each range.

    Args:
        table: of boxes.
        index: places of the subset's images.
        categories: for every MID of the class list its category id, or None where unmapped.
        advance: told of each finished range.
    """
    return scan_table(table, "box", partial(_look, index, categories), advance)


def image_ids(columns: tuple[str, ...], data: bytes) -> pa.Array:
    """The distinct images of a range's readable rows, in order."""
    table = parse_rows(data, columns, _CHECKED).table
    return pc.unique(Runs.of(table["ImageID"].combine_chunks()).ids)


def chosen_boxes(
    scan: FileScan,
    chosen: np.ndarray,
    index: IdIndex,
    classes: Mapping[str, int | None],
    advance: Advance,
) -> pa.Table:
    """Second pass: the good rows of the chosen images, in file order.

    Returns:
        The columns of `KINDS` (flags int8, -1 or null unknown), and `image`.
    """
    table = gather(scan, KINDS, chosen, index, advance)
    known = pc.is_in(table["LabelName"], value_set=pa.array(list(classes), pa.string()))
    return table.filter(pc.and_(known, pa.array(inside_unit_square(table))))
