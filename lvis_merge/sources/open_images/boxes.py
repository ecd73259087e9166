"""Box rows: all of them checked, then those of the chosen images."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.csv_rows import COORDINATE, FLAG, IMAGE_ID, LABEL, NAME, parse_rows
from lvis_merge.sources.open_images.gather import gather
from lvis_merge.sources.open_images.ids import IdIndex, Runs
from lvis_merge.sources.open_images.scan import (
    RUNS,
    Advance,
    ChunkScan,
    FileScan,
    Spans,
    all_rejects,
    first_reason,
    runs_table,
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


BOX_RUNS = RUNS.append(pa.field("counted", pa.list_(pa.int64())))
"""Runs of boxes with `counted`, of `MappedBoxes`."""
_CATEGORY_BIT, _FLAGGED_BIT = 33, 32


@dataclass(frozen=True)
class MappedBoxes:
    """How many boxes of mapped classes an image has, by category and kind.

    Attributes:
        image: int64 [K], place of the image.
        category: int64 [K], what `look_at_boxes` was told of the class.
        flagged: bool [K], group-of, depiction or inside: no object.
        boxes: int64 [K].
    """

    image: np.ndarray
    category: np.ndarray
    flagged: np.ndarray
    boxes: np.ndarray

    @classmethod
    def of(cls, runs: pa.Table) -> MappedBoxes:
        """Those of runs with `image` and `counted`; an image of several runs is there for each."""
        counted = runs["counted"].combine_chunks()
        packed = counted.flatten().to_numpy()
        image = runs["image"].to_numpy()[pc.list_parent_indices(counted).to_numpy()]
        return cls(
            image.astype(np.int64),
            packed >> _CATEGORY_BIT,
            (packed >> _FLAGGED_BIT & 1).astype(bool),
            packed & ((1 << _FLAGGED_BIT) - 1),
        )


def _counted(runs: Runs, good: np.ndarray, category: np.ndarray, flagged: np.ndarray) -> pa.Array:
    """For each run its good rows of mapped classes, counted: category, flagged and boxes in one.

    Args:
        runs: K of them.
        good: bool [N].
        category: int32 [N], -1 where unmapped.
        flagged: bool [N].

    Returns:
        list<int64> [K].
    """
    mapped = np.flatnonzero(good & (category >= 0))
    run = np.repeat(np.arange(len(runs.stops)), runs.lengths)[mapped]
    keys, boxes = np.unique(
        run << 32 | category[mapped].astype(np.int64) << 1 | flagged[mapped], return_counts=True
    )
    packed = (keys & ((1 << 32) - 1)) << _FLAGGED_BIT | boxes
    offsets = np.searchsorted(keys >> 32, np.arange(len(runs.stops) + 1))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(packed, pa.int64()))


def look_at_boxes(
    categories: Mapping[str, int | None], unknown: Spans, columns: tuple[str, ...], data: bytes
) -> ChunkScan:
    """The first pass over a range, bound to `categories` a `Look`; finds `BOX_RUNS`.

    Args:
        categories: for every MID of the class list a number below 2^30, or None where unmapped.
        unknown: rows whose image is unknown.
        columns: of the file.
        data: the range.
    """
    parsed = parse_rows(data, columns, _CHECKED)
    table = parsed.table
    runs = Runs.of(table["ImageID"].combine_chunks())
    known, category = _label_codes(table["LabelName"].combine_chunks(), categories)
    bad = {
        "unknown_image": unknown.hold(parsed.numbers),
        "unknown_category": ~known,
        "box": ~inside_unit_square(table),
    }
    reason = first_reason(bad)
    counted = _counted(runs, reason < 0, category, is_flagged(table))
    found = runs_table(parsed, runs, reason < 0).append_column("counted", counted)
    return ChunkScan(parsed.rows, all_rejects(parsed, reason, tuple(bad), data), found)


def _label_codes(
    labels: pa.Array, categories: Mapping[str, int | None]
) -> tuple[np.ndarray, np.ndarray]:
    """bool [N] in the class list; int32 [N] the number of its class, -1 where unmapped."""
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


def chosen_boxes(
    scan: FileScan,
    runs: pa.Table,
    index: IdIndex,
    classes: Collection[str],
    advance: Advance,
) -> pa.Table:
    """Second pass: the good rows of the chosen images, in file order.

    Args:
        scan: the first pass.
        runs: the chosen images', as `gather`.
        index: places of the chosen images.
        classes: the class list.
        advance: told of each finished range.

    Returns:
        The columns of `KINDS` (flags int8, -1 or null unknown), and `image`.
    """
    table = gather(scan.table, KINDS, runs, index, advance)
    known = pc.is_in(table["LabelName"], value_set=pa.array(list(classes), pa.string()))
    return table.filter(pc.and_(known, pa.array(inside_unit_square(table))))
