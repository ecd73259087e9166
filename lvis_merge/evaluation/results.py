"""Reads LVIS results: a JSON array of detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.evaluation import result_faults
from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.pairs import Ints, PairIndex
from lvis_merge.evaluation.result_faults import Faults
from lvis_merge.evaluation.result_file import read_entries
from lvis_merge.evaluation.result_rows import EntryColumns
from lvis_merge.evaluation.truth import GroundTruth
from lvis_merge.manifest.validate.run_lengths import decode
from lvis_merge.sources.files import base_name, local_files

_MASKS_AT_ONCE = 4096


@dataclass(frozen=True)
class Results:
    """What a results file holds.

    Attributes:
        name: its base name.
        entries: how many there were.
        detections: the good ones.
        faults: what became of the others.
    """

    name: str
    entries: int
    detections: Detections
    faults: Faults


def read_results(path: str, truth: GroundTruth, *, lenient: bool = False) -> Results:
    """Reads and checks results.

    An entry has `image_id`, `category_id`, `score` in [0, 1] and, the same in every entry, `bbox`
    (x, y, w, h in pixels) or `segmentation` (compressed run lengths of the image's size) or both.
    Boxes of no width or height pass: they match nothing. Whether run lengths decode is left to
    `mask_areas`, which looks only at what is scored.

    Args:
        path: a local file (plain, `.gz`, `.zip`) or a URL.
        truth: what the detections are to be compared with.
        lenient: drop and count bad entries instead of stopping at the first.

    Raises:
        InputError: the file is missing, empty, damaged, cut short or no array; or an entry is bad.
    """
    faults = Faults(path, lenient)
    columns = EntryColumns(truth, faults)
    with local_files([path]) as files:
        read_entries(files[path], columns)
    return Results(base_name(path), columns.seen, columns.finish(), faults)


def mask_areas(detections: Detections, truth: GroundTruth, faults: Faults) -> Ints:
    """Decodes masks.

    Args:
        detections: of known images, with masks of their sizes.
        truth: the images.
        faults: told of masks that do not decode or do not fill their image.

    Returns:
        int64 [N], pixels; -1 for a bad one.

    Raises:
        InputError: a mask is bad, and bad entries are not to be dropped.
    """
    assert detections.mask is not None
    index = PairIndex.of(truth.images, truth.categories)
    order = np.argsort(truth.images["image_id"].to_numpy())
    rows = order[np.searchsorted(index.image_ids, detections.image_id)]
    height = truth.images["height"].to_numpy()[rows].astype(np.int64)
    width = truth.images["width"].to_numpy()[rows].astype(np.int64)
    areas = np.zeros(len(detections), np.int64)
    for start in range(0, len(detections), _MASKS_AT_ONCE):
        part = slice(start, start + _MASKS_AT_ONCE)
        runs = decode(detections.mask.slice(start, _MASKS_AT_ONCE).cast(pa.string()))
        good = runs.well_formed & (runs.pixels == height[part] * width[part])
        areas[part] = np.where(good, runs.area, -1)
        for row in np.flatnonzero(~good).tolist():
            pixels = int(runs.pixels[row]) if runs.well_formed[row] else None
            at = start + row
            message = result_faults.damaged_mask(pixels, int(height[at]), int(width[at]))
            faults.add("segmentation", int(detections.entry[at]), message)
    return areas
