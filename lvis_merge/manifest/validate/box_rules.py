"""Boxes, areas and masks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from lvis_merge.manifest.validate.columns import (
    Bools,
    Floats,
    Ints,
    equal,
    floats,
    ints,
    valid,
)
from lvis_merge.manifest.validate.finding import Finding
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.manifest.validate.run_lengths import RunLengths, decode

# Values are rounded to float32 once: half a unit in the last place of each factor and sum.
_ROUNDING = 2.0**-22


def boxes(loaded: Loaded) -> Iterator[Finding]:
    """Boxes are finite and not empty; those of Open Images lie inside their image."""
    box = loaded.boxes
    bad = ~np.isfinite(box).all(axis=1) | (box[:, 2] <= 0) | (box[:, 3] <= 0)
    yield from loaded.broken(
        "bbox",
        "annotations",
        bad,
        lambda row: f"bbox {_text(box[row])} is not finite or has no area",
    )
    frame = _frames(loaded)
    end = box[:, :2] + box[:, 2:]
    outside = (box[:, :2] < 0).any(axis=1) | (end > frame * (1 + _ROUNDING)).any(axis=1)
    yield from loaded.broken(
        "bbox_inside",
        "annotations",
        loaded.rows_from("open_images") & (loaded.image_row >= 0) & outside,
        lambda row: f"bbox {_text(box[row])} is not inside the image of {_text(frame[row])}",
    )


def areas(loaded: Loaded) -> Iterator[Finding]:
    """Areas are w*h where a row has no mask of its own, else finite."""
    annotations = loaded.annotations
    area = floats(annotations["area"])
    yield from loaded.broken(
        "area", "annotations", ~np.isfinite(area), "area is not a finite number"
    )
    of_box = loaded.boxes[:, 2] * loaded.boxes[:, 3]
    box_only = loaded.rows_from("open_images") & ~valid(annotations["mask_rle"])
    box_only |= loaded.rows_from("coco") & ~loaded.is_object
    yield from loaded.broken(
        "area",
        "annotations",
        box_only & ~np.isclose(area, of_box, rtol=_ROUNDING, atol=1e-30),
        lambda row: f"area is {area[row]}, and w*h of a box without a mask is {of_box[row]}",
    )


def polygons(loaded: Loaded) -> Iterator[Finding]:
    """Polygon parts have three points or more; at most one kind of mask; ignore rows have none."""
    column = loaded.annotations["segmentation"].combine_chunks()
    rle = valid(loaded.annotations["mask_rle"])
    present = valid(loaded.annotations["segmentation"])
    yield from loaded.broken(
        "mask", "annotations", present & rle, "segmentation and mask_rle are both set"
    )
    maskless = loaded.rows_from("coco") & ~loaded.is_object
    yield from loaded.broken(
        "mask", "annotations", maskless & (present | rle), "an ignore region of COCO has no mask"
    )
    yield from loaded.broken(
        "mask",
        "annotations",
        loaded.rows_from("open_images") & present,
        "a mask of Open Images is a bitmap: mask_rle, not segmentation",
    )
    parts = pc.list_flatten(column)
    part_row = ints(pc.list_parent_indices(column))
    part_length = ints(pc.list_value_length(parts), -1)
    wrong = _rows(part_row, (part_length < 6) | (part_length % 2 != 0), len(column))
    wrong |= present & (ints(pc.list_value_length(column)) == 0)
    yield from loaded.broken(
        "polygon", "annotations", wrong, "segmentation has a part of fewer than 3 points"
    )
    finite = pc.is_finite(pc.list_flatten(parts))
    bad_value = ~np.asarray(pc.fill_null(finite, False).to_numpy(zero_copy_only=False), bool)
    value_row = part_row[ints(pc.list_parent_indices(parts))] if bad_value.any() else part_row[:0]
    bad = _rows(value_row, bad_value[: len(value_row)], len(column))
    yield from loaded.broken(
        "polygon", "annotations", bad, "segmentation has a coordinate that is not finite"
    )


def bitmaps(loaded: Loaded) -> Iterator[Finding]:
    """Run lengths cover the image; an Open Images mask's area is its pixels."""
    column = loaded.annotations["mask_rle"]
    rows = np.flatnonzero(valid(column) & (loaded.image_row >= 0))
    if len(rows) == 0:
        return
    runs = decode(column.take(rows).combine_chunks())
    frame = _frames(loaded)[rows]
    wrong = np.zeros(len(column), bool)
    wrong[rows] = ~runs.well_formed | (runs.pixels != frame[:, 0] * frame[:, 1])
    yield from loaded.broken(
        "mask_rle", "annotations", wrong, "mask_rle does not cover height x width of the image"
    )
    yield from _mask_areas(loaded, rows, runs)


def _mask_areas(loaded: Loaded, rows: Ints, runs: RunLengths) -> Iterator[Finding]:
    area = floats(loaded.annotations["area"])
    wrong = np.zeros(len(area), bool)
    wrong[rows] = runs.well_formed & (area[rows] != runs.area)
    yield from loaded.broken(
        "area",
        "annotations",
        wrong & equal(loaded.annotations["source"], "open_images"),
        "area is not the number of pixels of the mask",
    )


def _frames(loaded: Loaded) -> Floats:
    """Width and height of each annotation's image, nan where it is unknown."""
    row = loaded.image_row
    sides = [floats(loaded.images[side]) for side in ("width", "height")]
    if len(sides[0]) == 0:
        return np.full((len(row), 2), np.nan)
    return np.where((row >= 0)[:, None], np.stack(sides, axis=1)[row], np.nan)


def _rows(owner: Ints, broken: Bools, length: int) -> Bools:
    """Rows that own a broken element."""
    return np.bincount(owner[broken], minlength=length).astype(bool)


def _text(values: Floats) -> str:
    return " ".join(f"{value:g}" for value in values)
