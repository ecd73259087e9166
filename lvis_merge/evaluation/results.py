"""Reads LVIS results: a JSON array of detections, or the same as a Parquet table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lvis_merge.evaluation import result_faults
from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.pairs import Ints
from lvis_merge.evaluation.result_faults import Faults
from lvis_merge.evaluation.result_file import read_entries
from lvis_merge.evaluation.result_rows import EntryColumns
from lvis_merge.evaluation.result_table import is_table, read_table
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


def read_results(path: str, truth: GroundTruth | Known, *, lenient: bool = False) -> Results:
    """Reads and checks results.

    An entry has `image_id`, `category_id`, `score` in [0, 1] and, the same in every entry, `bbox`
    (x, y, w, h in pixels) or `segmentation` (compressed run lengths of the image's size) or both.
    Boxes of no width or height pass: they match nothing. Whether run lengths decode is left to
    `mask_areas`, which looks only at what is scored.

    Args:
        path: a local file (JSON, plain, `.gz` or `.zip`; or `.parquet`, see `result_table`) or a
            URL.
        truth: what the detections are to be compared with, or what alone they may name.
        lenient: drop and count bad entries instead of stopping at the first.

    Raises:
        InputError: the file is missing, empty, damaged, cut short or no array; or an entry is bad.
    """
    faults = Faults(path, lenient)
    known = truth.known if isinstance(truth, GroundTruth) else truth
    with local_files([path]) as files:
        if is_table(path):
            entries, detections = read_table(files[path], known, faults)
            return Results(base_name(path), entries, detections, faults)
        columns = EntryColumns(known, faults)
        read_entries(files[path], columns)
    return Results(base_name(path), columns.seen, columns.finish(), faults)


def mask_areas(detections: Detections, known: Known, faults: Faults) -> Ints:
    """Decodes masks.

    Args:
        detections: of known images, with masks of their sizes.
        known: the images.
        faults: told of masks that do not decode or do not fill their image.

    Returns:
        int64 [N], pixels; -1 for a bad one.

    Raises:
        InputError: a mask is bad, and bad entries are not to be dropped.
    """
    assert detections.mask is not None
    sizes = known.size(detections.image_id)
    assert sizes is not None
    height, width = sizes.T
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
